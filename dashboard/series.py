"""From rows to what a chart and a table show: figures by date, gaps, and what was restated. Pure.

A figure that is not known is None, never 0.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dashboard.view import AVERAGE, PER_100K, TOTAL, View
from schemas.figures import FIGURES
from schemas.moment import version
from schemas.text import ranges
from storage.tables import Row

ONE_DAY = dt.timedelta(days=1)
WEEK = 7
POPULATION = 331_449_281  # U.S. Census Bureau, 2020 census, resident population on 2020-04-01
POPULATION_TEXT = "331,449,281 people, U.S. Census Bureau, 2020 census"

COUNTS = tuple(figure.name for figure in FIGURES)
SERIES = (*COUNTS, "fatality")
NAMES = {figure.name: figure.title for figure in FIGURES} | {"fatality": "Case fatality"}
ENOUGH_DEATHS = 1_000  # below it a few deaths more or less move the ratio by whole percents

NOT_REPORTED, NOT_YET, NO_FIGURE = "not reported", "not yet known", "no figure"
NOT_KNOWN, TOO_FEW = "not known", "too few deaths"

Figure = float | int | None


@dataclass(frozen=True)
class Shown:
    """What a chart shows: consecutive dates, and for each series one figure a date. ``silences`` say why a
    figure is None; they are empty where there is one."""

    dates: tuple[dt.date, ...]
    figures: Mapping[str, tuple[Figure, ...]]
    silences: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Stretch:
    """Consecutive dates, both ends included."""

    first: dt.date
    last: dt.date


@dataclass(frozen=True)
class Restated:
    """A figure that today's record shows otherwise than it was believed, in the unit that is shown.
    ``entered_at``: when the newest change of the days that it is made of was entered. None: there was no
    figure, or there is none."""

    date: dt.date
    series: str
    then: Figure
    now: Figure
    entered_at: dt.datetime


@dataclass(frozen=True)
class Milestone:
    """An event of the record itself. ``date``: where it stands on the axis of time; ``letter``: its name
    there."""

    letter: str
    date: dt.date
    sentence: str


@dataclass(frozen=True)
class Seen:
    """What is seen under a view: today's record, and where one was asked for, the one of then, both of the
    same dates. ``whole``: today's figures of all dates. ``is_unread``: the entries that the one of then is
    made of can't be read."""

    view: View
    rows: Sequence[Row]  # today's
    now: Shown
    whole: Shown
    then: Shown | None
    rows_then: Sequence[Row]
    restated: tuple[Restated, ...]
    pending: tuple[Stretch, ...]
    is_unread: bool = False
    milestones: Sequence[Milestone] = ()

    @property
    def shown_rows(self) -> Sequence[Row]:
        return self.rows if self.then is None else self.rows_then


@dataclass(frozen=True)
class Tile:
    """The newest figure of a series. ``on_day`` and ``on_week`` are its changes; where it isn't reported
    any more, ``since`` is the first date without it and ``value`` the last one with it. ``today`` is what
    today's record has for the date."""

    series: str
    date: dt.date
    value: Figure
    on_day: Figure
    on_week: Figure
    since: dt.date | None = None
    silent: bool = False
    today: Figure = None


def see(
    rows: Sequence[Row], view: View, entries: Sequence[Row] | None = None, pending: Iterable[dt.date] = ()
) -> Seen:
    """A view of today's rows, and of the entries where it names a date; None: they were never read."""
    owed = tuple(stretches(pending))
    rows_then = believed(entries or (), view.moment) if view.moment else ()
    dates: Sequence[dt.date] = ()
    if rows:
        last = max([rows[-1].day.date, *(stretch.last for stretch in owed)])
        # A preset counts back from the newest day that was known.
        newest = rows_then[-1].day.date if rows_then and view.span else last
        dates = days(*view.within(rows[0].day.date, newest))
    now = whole = shown(rows, view, dates)
    if rows and not (dates and dates[0] <= rows[0].day.date and rows[-1].day.date <= dates[-1]):
        whole = shown(rows, replace(view, span="", start=None, end=None))
    if view.moment is None:
        return Seen(view, rows, now, whole, None, (), (), owed)
    then = shown(rows_then, view, dates)
    changed = tuple(restated(rows_then, rows, then, now, view))
    return Seen(view, rows, now, whole, then, rows_then, changed, owed, entries is None)


def totals(rows: Iterable[Row]) -> dict[str, dict[dt.date, int]]:
    """The counts of each series by date, where they are reported."""
    found: dict[str, dict[dt.date, int]] = {name: {} for name in COUNTS}
    for row in rows:
        for name, value in row.day.counts.values.items():
            if value is not None:
                found[name][row.day.date] = value
    return found


def days(first: dt.date, last: dt.date) -> tuple[dt.date, ...]:
    """Every date, both ends included; empty when the first lies behind the last."""
    return tuple(first + number * ONE_DAY for number in range((last - first).days + 1))


def shown(rows: Sequence[Row], view: View, dates: Sequence[dt.date] | None = None) -> Shown:
    """The figures that are chosen, from rows oldest first: of these dates, or of all that are chosen."""
    if dates is None:
        dates = days(*view.within(rows[0].day.date, rows[-1].day.date)) if rows else ()
    by_date = totals(rows)
    record = {row.day.date: row.day.counts.values for row in rows}
    figures: dict[str, tuple[Figure, ...]] = {
        name: tuple(figure(by_date[name], date, view) for date in dates) for name in COUNTS
    }
    figures["fatality"] = tuple(fatality(by_date, date) for date in dates)
    silences = {
        name: tuple(
            ""
            if value is not None
            else silence(name, record.get(date), is_later=not rows or date > rows[-1].day.date)
            for date, value in zip(dates, values, strict=True)
        )
        for name, values in figures.items()
    }
    return Shown(tuple(dates), figures, silences)


def silence(name: str, counts: Mapping[str, int | None] | None, *, is_later: bool) -> str:
    """Why there is no figure of a date whose counts these are; None where the record has nothing of it, as of
    a date that ``is_later`` than all of it."""
    if counts is None:
        return NOT_YET if is_later else NO_FIGURE
    if name == "fatality":
        return TOO_FEW
    return NOT_REPORTED if counts[name] is None else NOT_KNOWN


def decimals(name: str, view: View) -> int:
    """How many decimals a figure is worth."""
    if name == "fatality" or view.per == PER_100K:
        return 2
    return 1 if view.show == AVERAGE else 0


def rounded(value: Figure, name: str, view: View) -> Figure:
    """The figure as it is written."""
    return value if value is None or isinstance(value, int) else round(value, decimals(name, view))


def figure(by_date: Mapping[dt.date, int], date: dt.date, view: View) -> Figure:
    """One figure: persons, or persons per 100,000 of the population."""
    value: Figure = by_date.get(date)
    if view.show != TOTAL:
        reach = days_before(view)
        before = [by_date.get(date - number * ONE_DAY) for number in range(reach + 1)]
        # One day without a count, and neither the change on it nor on the day after is known.
        known = [count for count in before if count is not None]
        value = (known[0] - known[-1]) / reach if len(known) == len(before) else None
        if view.show != AVERAGE and value is not None:
            value = int(value)
    if value is not None and view.per == PER_100K:
        value = value * 100_000 / POPULATION
    return value


def fatality(by_date: Mapping[str, Mapping[dt.date, int]], date: dt.date) -> float | None:
    """Deaths to date per 100 cases to date; None before there are enough deaths for a ratio."""
    cases, deaths = by_date["cases"].get(date), by_date["deaths"].get(date)
    return deaths * 100 / cases if cases and deaths and deaths >= ENOUGH_DEATHS else None


def days_before(view: View) -> int:
    """How many days back a figure looks."""
    return {TOTAL: 0, AVERAGE: WEEK}.get(view.show, 1)


def tiles(rows: Sequence[Row], today: Sequence[Row] = ()) -> list[Tile]:
    """The newest day, a tile a series; empty without rows."""
    if not rows:
        return []
    figures, now = _figures(rows), _figures(today)
    newest = rows[-1].day.date
    return [replace(_tile(name, newest, figures[name]), today=now[name].get(newest)) for name in SERIES]


def _figures(rows: Sequence[Row]) -> dict[str, Mapping[dt.date, Figure]]:
    by_date = totals(rows)
    return {**by_date, "fatality": {date: fatality(by_date, date) for date in by_date["cases"]}}


def _tile(name: str, newest: dt.date, figures: Mapping[dt.date, Figure]) -> Tile:
    value = figures.get(newest)
    if value is None:
        last = max((date for date, figure in figures.items() if figure is not None), default=None)
        since = None if last is None else last + ONE_DAY
        return Tile(name, newest, None if last is None else figures[last], None, None, since, silent=True)

    def change(days: int) -> Figure:
        before = figures.get(newest - days * ONE_DAY)
        return None if before is None else value - before

    return Tile(name, newest, value, change(1), change(WEEK))


def stretches(dates: Iterable[dt.date]) -> list[Stretch]:
    """Dates as stretches of consecutive ones, oldest first."""
    return [Stretch(first, last) for first, last in ranges(dates)]


def unreported(rows: Sequence[Row], name: str) -> list[Stretch]:
    """Where this figure is not reported."""
    return stretches(row.day.date for row in rows if row.day.counts.values[name] is None)


def missing(rows: Sequence[Row]) -> list[Stretch]:
    """Dates within the record that it has nothing for."""
    return [
        Stretch(one.day.date + ONE_DAY, other.day.date - ONE_DAY)
        for one, other in pairwise(rows)
        if other.day.date - one.day.date > ONE_DAY
    ]


def believed(entries: Iterable[Row], moment: dt.datetime) -> list[Row]:
    """The record as it stood at that moment (inclusive), oldest first: of each date its newest entry. The
    entries come by date and then by version, as the tables give them."""
    latest = version(moment)
    return list({row.day.date: row for row in entries if row.version <= latest}.values())


def restated(
    rows_then: Sequence[Row], rows: Sequence[Row], then: Shown, now: Shown, view: View
) -> list[Restated]:
    """What is shown otherwise today about dates that were known then, oldest first. Both are shown of the
    same dates."""
    known = {row.day.date: row.day.counts for row in rows_then}
    entered = {row.day.date: row.recorded_at for row in rows if row.day.counts != known.get(row.day.date)}
    changes: list[Restated] = []
    for place, date in enumerate(now.dates):
        made_of = (date - number * ONE_DAY for number in range(days_before(view) + 1))
        moments = [entered[day] for day in made_of if day in entered]
        for name in COUNTS if date in known and moments else ():
            before, after = (rounded(side.figures[name][place], name, view) for side in (then, now))
            if before != after:
                changes.append(Restated(date, name, before, after, max(moments)))
    return changes


@dataclass(frozen=True)
class Step:
    """A change of a figure, and when the entry that brought it was made."""

    entered_at: dt.datetime
    change: Figure


def steps(entries: Sequence[Row], change: Restated, view: View) -> list[Step]:
    """How a figure came from what was believed at the view's moment to what it is, an entry a step, oldest
    first."""
    made_of = {change.date - number * ONE_DAY for number in range(days_before(view) + 1)}
    concerned = [row for row in entries if row.day.date in made_of]
    by_date: dict[dt.date, int] = {}
    found: list[Step] = []
    before = change.then
    for row in sorted(concerned, key=lambda row: row.version):
        value = row.day.counts.values[change.series]
        by_date.pop(row.day.date, None)
        by_date |= {} if value is None else {row.day.date: value}
        if view.moment is None or row.recorded_at <= view.moment:
            continue
        after = rounded(figure(by_date, change.date, view), change.series, view)
        difference = None if after is None or before is None else after - before
        if found and found[-1].entered_at == row.recorded_at:  # of one file: one step
            earlier = found.pop()
            difference = None if difference is None or earlier.change is None else difference + earlier.change
        found.append(Step(row.recorded_at, difference))
        before = after
    return [step for step in found if step.change is None or rounded(step.change, change.series, view)]


def moments(entries: Iterable[Row]) -> list[dt.date]:
    """The dates (UTC) on which something was entered, oldest first."""
    return sorted({row.recorded_at.date() for row in entries})


def compact(entries: Sequence[Row]) -> dict[str, object]:
    """Every entry, oldest first, for a script that computes the record of any date: the day counted from the
    ``first``, the place of its version in ``versions``, and the counts."""
    if not entries:
        return {}
    first = min(row.day.date for row in entries)
    versions = sorted({row.version for row in entries})
    place = {version: number for number, version in enumerate(versions)}
    return {
        "first": first.isoformat(),
        "versions": versions,
        "moments": [date.isoformat() for date in moments(entries)],
        "entries": [
            [(row.day.date - first).days, place[row.version], *row.day.counts.values.values()]
            for row in sorted(entries, key=lambda row: (row.version, row.day.date))
        ],
        "counts": COUNTS,
        "names": NAMES,
        "enough": ENOUGH_DEATHS,
        "population": POPULATION,
    }
