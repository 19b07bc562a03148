"""What must hold between log, ledger and tables. Pure: everything was read before."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.day import Counts
from schemas.event import DayEvent
from schemas.moment import at
from schemas.run import COMPLETED, OPEN, Acknowledged, Head, Run
from schemas.tables import Row


@dataclass(frozen=True)
class Finding:
    """What was found, and where: log, ledger, daily, revisions, archive, runs. ``broken`` is an invariant
    that doesn't hold; the others are worth knowing."""

    place: str
    what: str
    broken: bool = True


@dataclass(frozen=True)
class Folded:
    """What the log comes to for a date. ``versions`` are those whose entry would leave just these values:
    an entry that says again what is believed may have been taken for a duplicate."""

    counts: Counts
    versions: frozenset[int]


def entries(log: Iterable[DayEvent]) -> dict[dt.date, list[DayEvent]]:
    """Every date's events by version, each id once."""
    by_id = {event.id: event for event in log}
    found: dict[dt.date, list[DayEvent]] = defaultdict(list)
    for event in sorted(by_id.values(), key=lambda event: (event.day.date, event.version)):
        found[event.day.date].append(event)
    return found


def fold(events: Sequence[DayEvent]) -> Folded:
    """A date's events, by version, none unentered among them, as one day."""
    last = events[-1].day.counts
    versions: list[int] = []
    for event in reversed(events):
        if event.day.counts != last:
            break
        versions.append(event.version)
    return Folded(last, frozenset(versions))


def unentered(event: DayEvent, runs: Mapping[str, Run]) -> bool:
    """Whether the log may hold this event though nobody wrote it: it is archived before it is written, and
    its run is still under way, or was given up with this date unaccounted for or set aside."""
    run = runs.get(event.run)
    if run is None:
        return False
    entered = run.inserted | run.updated | run.duplicate
    if event.day.date in run.failed:
        return True
    return run.state != COMPLETED and event.day.date not in entered


def compare(
    log: Iterable[DayEvent],
    days: Mapping[dt.date, Acknowledged],
    daily: Iterable[Row],
    revisions: Iterable[Row],
    runs: Mapping[str, Run],
) -> Iterator[tuple[dt.date, Finding]]:
    """Where log, ledger and tables differ, with the date concerned."""
    known = entries(log)
    current = {row.day.date: row for row in daily}
    entered: dict[dt.date, dict[int, Row]] = defaultdict(dict)
    for row in revisions:
        entered[row.day.date][row.version] = row
    for date in sorted({*known, *days, *current, *entered}):
        events = [event for event in known.get(date, []) if not unentered(event, runs)]
        found = [
            *_day(date, events, known.get(date, []), days.get(date)),
            *_current(date, days.get(date), current.get(date)),
            *_revisions(date, events, {event.version for event in known.get(date, [])}, entered[date]),
        ]
        yield from ((date, finding) for finding in found)


def _day(
    date: dt.date, events: Sequence[DayEvent], known: Sequence[DayEvent], day: Acknowledged | None
) -> Iterator[Finding]:
    """The ledger's day against the log."""
    if day is None:
        if events:
            yield Finding("ledger", f"{date} was entered, and has no entry in the ledger")
        return
    if not any(event.id == day.event for event in known):
        yield Finding("log", f"{date} is acknowledged, and its event {day.event} is not in the log")
        return
    if day.event.split("/")[2:] != [str(day.version), day.counts.digest]:
        yield Finding("ledger", f"{date}: version {day.version} or its figures are not those of {day.event}")
    if not events:
        return
    last = fold(events)
    if day.version < min(last.versions):
        yield Finding("ledger", f"{date}: version {day.version} is older than the log's {max(last.versions)}")
    elif day.version in last.versions and day.counts != last.counts:
        yield Finding("ledger", f"{date} has {_figures(day.counts)}, the log {_figures(last.counts)}")


def _current(date: dt.date, day: Acknowledged | None, row: Row | None) -> Iterator[Finding]:
    """The row of ``daily`` against the ledger."""
    if row is None:
        if day is not None:
            yield Finding("daily", f"{date} is acknowledged, and has no row")
        return
    if day is None:
        yield Finding("daily", f"{date} has a row, and was never acknowledged")
        return
    if row.version != day.version:
        order = "older" if row.version < day.version else "newer"
        yield Finding("daily", f"{date}: version {row.version} is {order} than the ledger's {day.version}")
    elif row.day.counts != day.counts:
        yield Finding("daily", f"{date} has {_figures(row.day.counts)}, the ledger {_figures(day.counts)}")
    elif row.event != day.event:
        yield Finding("daily", f"{date} names the event {row.event}, the ledger {day.event}")
    elif row.revision != day.revision:
        yield Finding("daily", f"{date} is revision {row.revision}, in the ledger {day.revision}")


def _revisions(
    date: dt.date, events: Sequence[DayEvent], logged: Collection[int], rows: Mapping[int, Row]
) -> Iterator[Finding]:
    """The rows of ``revisions`` against the log: every entry that changed the day, and nothing else."""
    believed: Counts | None = None
    for event in events:
        row = rows.get(event.version)
        if row is None and event.day.counts != believed:
            yield Finding("revisions", f"{date}: the entry of {_when(event.version)} has no row")
        elif row is not None and row.day.counts != event.day.counts:
            said = f"{_figures(row.day.counts)}, the log {_figures(event.day.counts)}"
            yield Finding("revisions", f"{date}: the entry of {_when(event.version)} has {said}")
        believed = event.day.counts
    for number in sorted(rows.keys() - set(logged)):
        yield Finding("revisions", f"{date}: the entry of {_when(number)} is not in the log")


def ledger(head: Head, days: Mapping[dt.date, Acknowledged], runs: Iterable[Run]) -> Iterator[Finding]:
    """What must hold within the ledger."""
    total = sum(day.version for day in days.values())
    if head.stamp != total:
        yield Finding("ledger", f"the stamp is {head.stamp}, the sum of the days' versions {total}")
    last = head.last_acknowledged
    if days and (last is None or last not in days):
        yield Finding("ledger", f"the last acknowledged date is {last}, which is no acknowledged day")
    late = {warning.code.partition("/")[2] for warning in head.warnings if warning.code.startswith("late/")}
    waiting: set[dt.date] = set()
    for run in runs:
        yield from _run(run)
        waiting |= {date for date in run.new if date not in days and run.state != "failed"}
    for date in sorted(waiting):
        if last and date <= last and date.isoformat() not in late:
            what = f"the last acknowledged date {last} has passed {date}, which was never acknowledged"
            yield Finding("ledger", what)
    if last and days and not waiting and not head.open and last < max(days):
        yield Finding("ledger", f"the last acknowledged date is {last}, and {max(days)} is acknowledged")
    for notice in sorted(head.unsent):
        yield Finding("ledger", f"the notice {notice} was not sent yet", broken=False)
    for date in sorted(day.date for day in days.values() if day.digest is None):
        yield Finding("ledger", f"{date} is pending: its entry was set aside or given up", broken=False)
    missing = [one for one in _between(days) if one not in days]
    if missing:
        what = f"{len(missing)} dates have no day, {missing[0]} to {missing[-1]}: never published by both"
        yield Finding("ledger", what, broken=False)


def _run(run: Run) -> Iterator[Finding]:
    if run.state == COMPLETED and (run.accounted != set(run.pending)):
        what = f"the run of {run.name} is completed with {len(run.accounted)} of {len(run.pending)} dates"
        yield Finding("runs", what)
    sets = (run.inserted, run.updated, run.duplicate, run.failed)
    if sum(map(len, sets)) != len(run.accounted):
        yield Finding("runs", f"the run of {run.name} counts a date twice")
    if run.state != OPEN and run.notice is None:
        yield Finding("runs", f"the run of {run.name} has ended, and nobody was to be told")


def _between(days: Mapping[dt.date, Acknowledged]) -> Iterator[dt.date]:
    if days:
        first = min(days)
        yield from (first + dt.timedelta(days=number) for number in range((max(days) - first).days))


def _figures(counts: Counts) -> str:
    recovered = "not reported" if counts.recovered is None else f"{counts.recovered:,}"
    return f"{counts.cases:,} cases, {counts.deaths:,} deaths, recovered {recovered}"


def _when(version: int) -> str:
    return f"{at(version):%Y-%m-%d %H:%M:%S} UTC"
