"""The design's invariants on a cloud, and what ``verify`` says of what was destroyed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from local.in_process import InProcessCloud
from local.scenario import reading
from local.scenario.operator import NoAnswer, answer
from schemas.event import DayEvent
from schemas.ledger import COMPLETED, OPEN, owed


class Watch:
    """What is seen after each invocation."""

    def __init__(self, cloud: InProcessCloud) -> None:
        self.cloud = cloud


def broken(cloud: InProcessCloud, watch: Watch) -> list[str]:
    """The invariants that do not hold, each with its number and in words."""
    del watch
    return list(_broken(cloud))


def verified(cloud: InProcessCloud) -> list[str]:
    """What ``verify`` calls broken."""
    _, found = answer(cloud, "verify")
    said: Any = found
    return [f"{one['place']}: {one['what']}" for one in said["findings"] if one["broken"]]


def problems(cloud: InProcessCloud, watch: Watch, lost: Sequence[reading.Lost]) -> list[str]:
    """What does not hold. What is still lost is reported by ``verify``, and nothing else is."""
    gone = [one for one in lost if reading.is_lost(cloud, one)]
    if not gone:
        return broken(cloud, watch)
    names = {one.name for one in gone} | {str(date) for one in gone for date in one.dates}
    try:
        findings = verified(cloud)
    except NoAnswer as error:
        return [str(error)]
    silent = [
        f"verify was to report {one.name} ({date}) as lost, and does not"
        for one in gone
        for date in sorted(one.dates)
        if not any(str(date) in finding or one.name in finding for finding in findings)
    ]
    return silent + [
        problem for problem in broken(cloud, watch) if not any(name in problem for name in names)
    ]


def _broken(cloud: InProcessCloud) -> Iterator[str]:
    head, days, runs = cloud.ledger.head(), cloud.ledger.days(), reading.runs(cloud)
    log = {event.id: event for event in reading.log(cloud)}
    by_date: dict[Any, list[DayEvent]] = defaultdict(list)
    for event in sorted(log.values(), key=lambda event: event.version):
        by_date[event.day.date].append(event)
    rows: dict[Any, list[Any]] = defaultdict(list)
    for row in reading.entries(cloud):
        rows[row.day.date].append(row)
    daily = {row.day.date: row for row in reading.daily(cloud)}
    for date in sorted({*by_date, *rows, *daily, *days}):
        events, day, now = by_date[date], days.get(date), daily.get(date)
        if [event.id for event in events] != [row.event for row in rows[date]]:
            yield f"2: {date}: the log has {_cases(events)}, the entries are {_cases(rows[date])}"
        for one, other in pairwise(events):
            if one.day.counts == other.day.counts:
                yield f"2: {date}: two consecutive entries have {one.day.counts.cases}"
        if not events or day is None or now is None:
            yield f"2: {date} is not everywhere: log {_cases(events)}, ledger {day}, daily {now}"
            continue
        if not events[-1].id == day.event == now.event:
            yield f"2: {date}: newest is {events[-1].id}, in the ledger {day.event}, in daily {now.event}"
        if day.entries != len(events):
            yield f"2: {date}: the ledger counts {day.entries} entries, the log has {len(events)}"
    if head.stamp != sum(day.version for day in days.values()) or head.entries != len(log):
        yield f"2: the stamp is {head.stamp}, entries {head.entries}; not the sums of the days"
    counted: dict[tuple[str, Any], int] = defaultdict(int)
    for run in runs:
        for date in run.entered:
            counted[run.name, date] += 1
        sets = (run.inserted, run.updated, run.duplicate, run.superseded, run.failed)
        if sum(map(len, sets)) != len(run.accounted) or not run.accounted <= set(run.pending):
            yield f"5: the run of {run.name} counts a date twice, or one that isn't pending"
        if run.state == COMPLETED and run.accounted != set(run.pending):
            yield f"5: the run of {run.name} is completed with {len(run.accounted)} of {len(run.pending)}"
        if run.state == OPEN:
            yield f"7: the run of {run.name} is open, owing {owed(run, days)}"
        if run.state != OPEN and run.notice is None:
            yield f"5: nobody was told of the run of {run.name}"
    for event in log.values():
        if counted.pop((event.run, event.day.date), 0) != 1:
            yield f"5: the entry {event.id} is not in the counts of its run {event.run}"
    for name, date in counted:
        yield f"5: the run of {name} counts {date} as entered, and the log has no such entry"
    if head.unsent:
        yield f"5: never sent: {sorted(head.unsent)}"
    if runs and runs[-1].state == COMPLETED and runs[-1].newest:
        if head.owing:
            yield f"7: the last run is completed, and owing are {sorted(head.owing)}"
        if head.last_acknowledged != head.newest:
            yield f"3: last acknowledged {head.last_acknowledged}, newest published {head.newest}"


def _cases(items: Sequence[Any]) -> list[int]:
    return [item.day.counts.cases for item in items]
