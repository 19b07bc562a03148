"""The record's page, from what there is and what is chosen. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import figures, parts, series, status, words
from dashboard.choice import Choice
from dashboard.latest import Latest
from dashboard.series import NAMES, Restated, Shown, Tile
from dashboard.settings import Settings
from storage.tables import Row


@dataclass(frozen=True)
class Seen:
    """What is seen under a choice: today's record, and where one was asked for, the one of then, both of the
    same dates. ``is_unread``: the entries that the one of then is made of can't be read."""

    choice: Choice
    rows: Sequence[Row]  # today's
    now: Shown
    then: Shown | None
    rows_then: Sequence[Row]
    restated: tuple[Restated, ...]
    pending: tuple[series.Stretch, ...]
    is_unread: bool = False

    @property
    def shown_rows(self) -> Sequence[Row]:
        return self.rows if self.then is None else self.rows_then


def see(latest: Latest, choice: Choice) -> Seen:
    """Raises nothing: without figures there is nothing to see, and that is shown."""
    pending = tuple(series.stretches(day.date for day in status.pending(latest)))
    rows, moment = latest.rows or (), choice.moment
    rows_then = series.believed(latest.entries or (), moment) if moment else ()
    dates = _dates(rows, rows_then, choice, pending)
    now = series.shown(rows, choice, dates)
    if moment is None:
        return Seen(choice, rows, now, None, (), (), pending)
    then = series.shown(rows_then, choice, dates)
    changed = series.restated(rows_then, rows, then, now, choice)
    return Seen(choice, rows, now, then, rows_then, tuple(changed), pending, latest.entries is None)


def _dates(
    rows: Sequence[Row], rows_then: Sequence[Row], choice: Choice, pending: Sequence[series.Stretch]
) -> Sequence[dt.date]:
    if not rows:
        return ()
    last = max([rows[-1].day.date, *(stretch.last for stretch in pending)])
    # A preset counts back from the newest day that was known.
    newest = rows_then[-1].day.date if rows_then and choice.span else last
    return series.days(*choice.within(rows[0].day.date, newest))


def chart(seen: Seen, settings: Settings) -> dict[str, Any]:
    return figures.chart(
        seen.now,
        seen.choice,
        then=seen.then,
        restated=seen.restated,
        unreported=series.unreported(seen.shown_rows),
        pending=seen.pending,
        synthetic=settings.synthetic,
    )


def caption(seen: Seen) -> str:
    """What the chart shows, in words."""
    rows = seen.shown_rows
    if not rows:
        return f"{words.title(seen.choice)}."
    known = seen.choice.asof or max(row.recorded_at for row in rows).date()
    dotted = "" if seen.then is None else " Dotted: today's record."
    return (
        f"{words.title(seen.choice)}. Data through {words.date(rows[-1].day.date)}, as known on "
        f"{words.date(known)} (UTC).{dotted}"
    )


def tiles(seen: Seen, latest: Latest) -> list[Component]:
    """The newest day's figures; of the record as it stood, where that is shown."""
    found = series.tiles(seen.shown_rows)
    if not found:
        unread = latest.rows is None or seen.is_unread
        text = "The figures can't be read now." if unread else "There are no figures yet."
        return [html.P(text, className="empty")]
    return [_tile(tile) for tile in found]


def _tile(tile: Tile) -> Component:
    places = 2 if tile.series == "fatality" else 0
    suffix = " %" if tile.series == "fatality" else ""
    name = html.H2(NAMES[tile.series])
    if tile.silent and tile.series == "fatality":
        return html.Div([name, html.P("Too few deaths for a ratio", className="silent")], className="tile")
    if tile.silent:
        since = "" if tile.since is None else f" since {words.date(tile.since)}"
        last = []
        if tile.since is not None:
            day = words.date(tile.since - series.ONE_DAY)
            last = [html.P(f"Last: {words.number(tile.value, places)} on {day}")]
        return html.Div([name, html.P(f"Not reported{since}", className="silent"), *last], className="tile")
    return html.Div(
        [
            name,
            html.P(words.number(tile.value, places) + suffix, className="value"),
            html.P(f"{words.signed(tile.on_day, places)} on the day"),
            html.P(f"{words.signed(tile.on_week, places)} on the week"),
            html.P(words.date(tile.date), className="when"),
        ],
        className=f"tile {tile.series}",
    )


def believed(seen: Seen, latest: Latest) -> list[Component]:
    """What is to be said of the period, and of the record as it stood; nothing when all is as usual."""
    texts = [html.P(text, className="believed") for text in outside(seen)]
    if seen.choice.asof is None:
        return list(texts)
    today = parts.link("Back to today's record", parts.address(seen.choice, asof=None), "today")
    trailing = " The store does not show every entry yet." if latest.entries_trailing else ""
    return [*texts, html.P([_stood(seen, latest.entries or ()) + trailing, " ", today], className="believed")]


def outside(seen: Seen) -> list[str]:
    """What is wrong with the period that was chosen, and which days the record has."""
    start, end = seen.choice.start, seen.choice.end
    if not seen.rows or not (start or end):
        return []
    first, last = seen.rows[0].day.date, seen.rows[-1].day.date
    record = f"The record spans {words.date(first)} to {words.date(last)}."
    if start and end and start > end:
        return [f"From, {words.date(start)}, lies after To, {words.date(end)}: no day is between. {record}"]
    dates = [date for date in (start, end) if date and not first <= date <= last]
    beyond = " and ".join(map(words.date, dates))
    verb = "lies" if len(dates) == 1 else "lie"
    return [f"{beyond} {verb} outside the record. {record}"] if dates else []


def _stood(seen: Seen, entries: Sequence[Row]) -> str:
    asof = words.date(seen.choice.asof or dt.date.min)
    if seen.is_unread:
        return (
            f"The entries can't be read now, so it is not known how the record stood when {asof} ended "
            "(UTC). Today's record is the pale line."
        )
    if not seen.rows_then:
        first = min((row.recorded_at for row in entries), default=None)
        since = f": the first entry was made on {words.when(first)}" if first else ""
        return f"Nothing had been entered when {asof} ended (UTC){since}. Today's record is the pale line."
    newest = max(row.recorded_at for row in entries)
    if seen.choice.moment and newest.date() < seen.choice.moment.date():
        return f"{asof} lies after the newest entry, of {words.when(newest)}: this is today's record."
    days = len({change.date for change in seen.restated})
    return (
        f"The record as it stood when {asof} ended (UTC): {words.count(len(seen.rows_then), 'day')} through "
        f"{words.date(seen.rows_then[-1].day.date)}, over today's as a pale dotted line. "
        f"{words.count(days, 'day')} shown here {'was' if days == 1 else 'were'} restated later"
        f"{', ringed' if days else ''}."
    )


def notes(seen: Seen) -> list[Component]:
    """What is missing, and how to read what is there."""
    shown = seen.then or seen.now
    sentences = said(seen.shown_rows, seen.choice, shown, seen.pending)
    return [html.P(caption(seen), className="choice"), *parts.bullets(sentences)]


def said(rows: Sequence[Row], choice: Choice, shown: Shown, pending: Sequence[series.Stretch]) -> list[str]:
    """The same as sentences."""
    found = []
    unreported, missing = series.unreported(rows), series.missing(rows)
    if unreported:
        last = rows[-1].day.date
        openly = len(unreported) == 1 and unreported[0].last == last
        when = f"since {words.date(unreported[0].first)}" if openly else words.stretches(unreported)
        found.append(f"Recoveries: not reported {when}. A gap, not a zero.")
    if missing:
        found.append(f"No figures for {words.stretches(missing)}.")
    if pending:
        found.append(f"Published, not yet entered: {words.stretches(pending)}.")
    return [*found, *words.notes(choice, shown)]
