"""Events × ledger → which are entries, and what each comes to. Versions and the log decide; values only tell
a duplicate from an entry."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from schemas.event import DayEvent
from schemas.ledger import Acknowledged, Run


class Outcome(Enum):
    """What an event comes to."""

    ENTERED = "entered"  # a new entry: logged, written, acknowledged
    LATE = "late"  # an entry that the log holds, found when something newer was decided already
    AGAIN = "again"  # an entry that is counted already: written again, for the last attempt may have died
    DUPLICATE = "duplicate"  # its values are acknowledged already
    SUPERSEDED = "superseded"  # a newer event of its date was decided first


@dataclass(frozen=True)
class Decided:
    """An event, what it comes to, and its day's entry in the ledger before and after it."""

    event: DayEvent
    outcome: Outcome
    before: Acknowledged | None
    after: Acknowledged | None

    @property
    def date(self) -> dt.date:
        return self.event.day.date

    @property
    def is_entry(self) -> bool:
        """Whether the log and the tables hold the event."""
        return self.outcome in (Outcome.ENTERED, Outcome.LATE, Outcome.AGAIN)

    @property
    def is_new(self) -> bool:
        """Whether the event is an entry that nothing counts yet."""
        return self.outcome in (Outcome.ENTERED, Outcome.LATE)


def decide(
    events: Iterable[DayEvent],
    days: Mapping[dt.date, Acknowledged],
    run: Run | None,
    logged: Collection[str],
    now: dt.datetime,
) -> list[Decided]:
    """What each of these events of one run, no date twice, comes to against the days' entries in the ledger.

    ``logged`` has the ids of those events that the log is known to hold: an event in the log is an entry, for
    ever. It matters for events that nothing in the ledger accounts for.
    """
    found = []
    for event in events:
        day = days.get(event.day.date)
        outcome = _outcome(event, day, run, event.id in logged)
        found.append(Decided(event, outcome, day, _after(event, outcome, day, now)))
    return found


def _outcome(event: DayEvent, day: Acknowledged | None, run: Run | None, logged: bool) -> Outcome:
    date = event.day.date
    if run and date in run.accounted and date not in run.entered and not logged:
        return Outcome.SUPERSEDED  # in a set already, where it stays
    if day is None:
        return Outcome.ENTERED
    if event.version > day.seen:
        return Outcome.DUPLICATE if event.day.counts == day.counts and not logged else Outcome.ENTERED
    if event.version == day.version or (run and date in run.entered):
        return Outcome.AGAIN
    if logged:
        return Outcome.LATE if run else Outcome.AGAIN  # a run that was lost can't say that it was counted
    return Outcome.DUPLICATE if event.version == day.seen else Outcome.SUPERSEDED


def _after(
    event: DayEvent, outcome: Outcome, day: Acknowledged | None, now: dt.datetime
) -> Acknowledged | None:
    entries = day.entries if day else 0
    if outcome is Outcome.ENTERED:
        return _acknowledged(event, entries + 1, now)
    if day and outcome is Outcome.LATE and event.version > day.version:
        # What was seen since was a duplicate of an older entry: this one is the newest, until a run differs.
        return replace(_acknowledged(event, entries + 1, now), seen=day.seen)
    if day and outcome is Outcome.LATE:
        return replace(day, entries=entries + 1)
    if day and outcome is Outcome.DUPLICATE:
        return replace(day, seen=max(day.seen, event.version))
    return day


def is_behind(event: DayEvent, day: Acknowledged | None, run: Run) -> bool:
    """Whether only the log can tell if the event is an entry: something newer, or the event itself, was
    decided, and the run does not count it as entered."""
    behind = day is not None and event.version <= day.seen and event.version != day.version
    return (behind or event.day.date in run.accounted) and event.day.date not in run.entered


def _acknowledged(event: DayEvent, entries: int, now: dt.datetime) -> Acknowledged:
    return Acknowledged(
        date=event.day.date,
        counts=event.day.counts,
        version=event.version,
        seen=event.version,
        entries=entries,
        event=event.id,
        run=event.run,
        acknowledged_at=now,
    )
