"""The record's page, from what there is and what is chosen. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import downloads, figures, parts, series, status, words
from dashboard.choice import Choice
from dashboard.latest import Latest
from dashboard.series import NAMES, SERIES, Restated, Shown, Tile
from dashboard.settings import Settings
from storage.tables import Row

ROWS_PER_PAGE = 28
MAX_RESTATED = 40


@dataclass(frozen=True)
class Seen:
    """What is seen under a choice: today's record, and where one was asked for, the one of then.

    ``is_unread``: the entries that the one of then is made of can't be read."""

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
    pending = series.stretches(day.date for day in status.pending(latest))
    last = pending[-1].last if pending else None
    rows = latest.rows or ()
    now = series.shown(rows, choice, last)
    moment = choice.moment
    if moment is None:
        return Seen(choice, rows, now, None, (), (), tuple(pending))
    rows_then = series.believed(latest.entries or (), moment)
    # Both are cut to the dates of today's record, so that one axis carries both.
    span = replace(choice, span="", start=now.dates[0], end=now.dates[-1]) if now.dates else choice
    then = series.shown(rows_then, span)
    within = {*now.dates, *then.dates}
    changed = tuple(one for one in series.restated(rows_then, rows) if one.date in within)
    return Seen(choice, rows, now, then, rows_then, changed, tuple(pending), latest.entries is None)


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
    if tile.silent:
        since = [] if tile.since is None else [" since ", parts.date(tile.since)]
        told = []
        if tile.since is not None:
            last = parts.date(tile.since - series.ONE_DAY)
            told = [html.P([f"Last: {words.number(tile.value, places)} on ", last])]
        return html.Div([name, html.P(["Not reported", *since], className="silent"), *told], className="tile")
    return html.Div(
        [
            name,
            html.P(words.number(tile.value, places) + suffix, className="value"),
            html.P(f"{words.signed(tile.on_day, places)} on the day"),
            html.P(f"{words.signed(tile.on_week, places)} on the week"),
            html.P(str(tile.date), className="when"),
        ],
        className=f"tile {tile.series}",
    )


def believed(seen: Seen, latest: Latest) -> list[Component]:
    """What is to be said of the record as it stood; nothing when it is today's."""
    if seen.choice.asof is None:
        return []
    today = parts.link("Back to today's record", _address(seen.choice, asof=None), "today")
    if seen.is_unread:
        text = (
            f"The entries can't be read now, so it is not known how the record stood when "
            f"{seen.choice.asof} ended (UTC). Today's record is the pale line."
        )
    elif seen.rows_then:
        last = seen.rows_then[-1].day.date
        days = len({one.date for one in seen.restated})
        text = (
            f"The record as it stood when {seen.choice.asof} ended (UTC): "
            f"{words.count(len(seen.rows_then), 'day')} through {last}, over today's as a pale dotted line. "
            f"{words.count(days, 'day')} shown here {'was' if days == 1 else 'were'} restated later"
            f"{', ringed' if days else ''}."
        )
    else:
        text = (
            f"Nothing had been entered when {seen.choice.asof} ended (UTC). Today's record is the pale line."
        )
    if latest.entries_trailing:
        text += " The store does not show every entry yet."
    return [html.P([text, " ", today], className="believed")]


def notes(seen: Seen) -> list[Component]:
    """What is missing, and how to read what is there."""
    shown = seen.then or seen.now
    return parts.bullets(said(seen.shown_rows, seen.choice, shown, seen.pending))


def said(rows: Sequence[Row], choice: Choice, shown: Shown, pending: Sequence[series.Stretch]) -> list[str]:
    """The same as sentences."""
    found = []
    unreported, missing = series.unreported(rows), series.missing(rows)
    if unreported:
        last = rows[-1].day.date
        openly = len(unreported) == 1 and unreported[0].last == last
        when = f"since {unreported[0].first}" if openly else words.stretches(unreported)
        found.append(f"Recoveries: not reported {when}. A gap, not a zero.")
    if missing:
        found.append(f"No figures for {words.stretches(missing)}.")
    if pending:
        found.append(f"Published, not yet entered: {words.stretches(pending)}.")
    return [*found, *words.notes(choice, shown)]


def restated(seen: Seen) -> list[Component]:
    """Figures that were restated after the chosen date: the newest dates, and where to get all."""
    if not seen.restated:
        return []
    rows = [
        [
            str(one.date),
            NAMES[one.series],
            words.number(one.then),
            words.number(one.now),
            words.signed(None if None in (one.then, one.now) else (one.now or 0) - (one.then or 0)),
            words.moment(one.entered_at),
        ]
        for one in reversed(seen.restated[-MAX_RESTATED:])
    ]
    total = len(seen.restated)
    caption = [f"Restated since then: {words.count(total, 'figure')}"]
    if total > MAX_RESTATED:
        caption = [f"Restated since then: the newest {MAX_RESTATED} of {total:,} figures"]
    href = "/data/restated.csv" + seen.choice.query()
    return [
        html.H2("What was restated"),
        parts.table(
            [*caption, " (", html.A("all as CSV", href=href, id="restated-csv"), ")"],
            ["Date", "Figure", "Then", "Now", "Change", "Entered"],
            rows,
            "restated",
            texts=(0, 1, 5),
        ),
    ]


def table(seen: Seen) -> list[Component]:
    """Exactly what the chart shows, the newest date first, a page at a time."""
    all_rows = downloads.shown_rows(seen.now, seen.then)[::-1]
    if not all_rows:
        return []
    pages = -(-len(all_rows) // ROWS_PER_PAGE)
    page = min(seen.choice.page, pages)
    start = (page - 1) * ROWS_PER_PAGE
    names = [*SERIES, *(SERIES if seen.then is not None else ())]
    places = [words.decimals(name, seen.choice) for name in names]
    entered = {row.day.date for row in seen.shown_rows}
    rows = [
        [
            str(date),
            *(
                words.number(value, places[column])
                if value is not None
                else _silence(names[column], date in entered)
                for column, value in enumerate(values)
            ),
        ]
        for date, values in all_rows[start : start + ROWS_PER_PAGE]
    ]
    header = [NAMES[name] + (", %" if name == "fatality" else "") for name in SERIES]
    if seen.then is not None:
        header += [f"{text} today" for text in header]
    unit = words.unit("cases", seen.choice)
    caption = (
        f"What the chart shows: {unit}. Days {start + 1}–{start + len(rows)} of {len(all_rows)}, newest first"
    )
    return [
        html.H2("The table"),
        parts.table(caption, ["Date", *header], rows, "table"),
        html.Nav(
            [
                *(
                    [parts.link("Newer days", _address(seen.choice, page=page - 1), "newer")]
                    if page > 1
                    else []
                ),
                html.Span(f"Page {page} of {pages}"),
                *(
                    [parts.link("Older days", _address(seen.choice, page=page + 1), "older")]
                    if page < pages
                    else []
                ),
            ],
            className="pages",
            **parts.aria(label="Pages of the table"),
        ),
    ]


def _silence(name: str, entered: bool) -> Component:
    """Why there is no figure."""
    text = "not reported" if name == "recovered" else "not known"
    return html.Span(text if entered else "no figure", className="silence")


def links(seen: Seen) -> list[Component]:
    query = seen.choice.query()
    return [
        html.A("CSV", href=f"/data/shown.csv{query}", id="csv"),
        html.A("JSON", href=f"/data/shown.json{query}", id="json"),
    ]


def _address(choice: Choice, **changes: Any) -> str:
    return "/" + replace(choice, **changes).query()


def columns(seen: Seen) -> list[list[downloads.Cell]]:
    """The chart's figures with their header, for the downloads."""
    rows = downloads.shown_rows(seen.now, seen.then)
    return [list(downloads.columns(seen.then)), *([date.isoformat(), *values] for date, values in rows)]


def filename(seen: Seen, settings: Settings, suffix: str) -> str:
    """``daybook-new-2020-09-01-to-2020-12-29.csv``."""
    dates = seen.now.dates
    span = f"-{dates[0]}-to-{dates[-1]}" if dates else ""
    asof = f"-as-of-{seen.choice.asof}" if isinstance(seen.choice.asof, dt.date) else ""
    made_up = "-synthetic" if settings.synthetic else ""
    return f"daybook{made_up}-{seen.choice.show}{span}{asof}.{suffix}"
