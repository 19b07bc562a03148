"""The ledger's head: sums, how far the record goes, who owes, and what has failed."""

import datetime as dt
from collections.abc import Iterator

from schemas.moment import version
from storage.kept import COMPLETED, Finding, Kept, RawRun, dates, when

FAILURES = ("failed", "incomplete")


def stamp_and_entries_are_sums(kept: Kept) -> Iterator[Finding]:
    """The stamp is the sum of the days' versions, ``entries`` of theirs. A lost day is told as such, and not
    once more here."""
    head, lost = kept.head, kept.lost_days.values()
    stamp = sum(day.version for day in kept.days.values()) + sum(map(max, lost))
    if head.stamp != stamp:
        yield Finding("ledger", f"the stamp is {head.stamp}, the sum of the days' versions {stamp}")
    entries = sum(day.entries for day in kept.days.values()) + sum(map(len, lost))
    if head.entries != entries:
        yield Finding("ledger", f"the head counts {head.entries:,} entries, its days {entries:,}")


def the_last_acknowledged_date_is_a_day(kept: Kept) -> Iterator[Finding]:
    last, owed = kept.head.last_acknowledged, any(map(kept.owed, kept.runs.values()))
    if last and last not in kept.days and last not in kept.lost_days:
        yield Finding("ledger", f"the last acknowledged date is {last}, which is no acknowledged day")
    if last is None and kept.days and not owed:
        yield Finding("ledger", f"{len(kept.days):,} days are acknowledged, and there is no last of them")


def the_last_acknowledged_date_passes_no_unwritten_day(kept: Kept) -> Iterator[Finding]:
    """No published date that was never acknowledged lies before it, but for one that was late: first
    published when a later one was entered already. One that its source withdrew is published no more."""
    last = kept.head.last_acknowledged
    believed = [run for run in kept.runs_by_time if run.is_believed]
    if last is None or not believed:
        return
    newest = believed[-1]
    waiting = {date for date in newest.pending & newest.new if date not in kept.days and date <= last}
    waiting -= newest.sets.get("failed", frozenset()) | kept.lost_days.keys()
    if passed := [date for date in sorted(waiting) if not _is_late(kept, believed, date)]:
        what = f"the last acknowledged date {last} has passed what was never acknowledged: {dates(passed)}"
        yield Finding("ledger", what)


def _is_late(kept: Kept, believed: list[RawRun], date: dt.date) -> bool:
    since = believed[-1]  # the first of the runs that have found it published without interruption
    for run in reversed(believed):
        if date not in run.pending:
            break
        since = run
    told = kept.head.told | since.warnings | believed[-1].warnings
    later = (event for event in kept.events.values() if event.date > date)
    return f"late/{date}" in told or any(event.version < since.version for event in later)


def it_knows_who_owes(kept: Kept) -> Iterator[Finding]:
    """Each run that owes dates is among the head's, and each of those is stored and not completed. One that
    owes nothing any more is completed by the next batch or run."""
    owing = kept.head.owing
    for run in kept.runs_by_time:
        owes = kept.owed(run) - kept.lost_days.keys()
        if owes and run.name not in owing:
            yield Finding("runs", f"{run} owes {dates(owes)}, and the head doesn't know")
        elif run.name in owing and run.state == COMPLETED:
            yield Finding("runs", f"{run} is completed, and the head says that it owes dates")
        elif run.state == "open" and run.name not in owing:
            yield Finding("runs", f"{run} is open, and the head doesn't know")
        elif owes:
            yield Finding("runs", f"{run} is {run.state}, and owes {dates(owes)}", broken=False)
        elif run.name in owing:
            yield Finding("runs", f"{run} owes nothing, and is not completed yet", broken=False)
    for name in sorted(owing - kept.runs.keys()):
        yield Finding("runs", f"the head says that {name} owes dates, which is no stored run")


def nothing_is_settled_while_a_run_owes(kept: Kept) -> Iterator[Finding]:
    """Requests must not be conditional while anything is left to do."""
    if kept.head.settled and kept.head.owing:
        yield Finding("ledger", f"the sources are settled, while {len(kept.head.owing)} runs owe dates")


def it_has_the_newest_run(kept: Kept) -> Iterator[Finding]:
    last, newest = kept.head.last_run, max((run.version for run in kept.runs.values()), default=None)
    if (last and version(last)) != newest:
        stored = "none is stored" if newest is None else f"the newest stored one is of {when(newest)}"
        yield Finding("ledger", f"the head's last run is of {last and when(version(last))}, and {stored}")


def failures_are_remembered(kept: Kept) -> Iterator[Finding]:
    """A run that failed is remembered until a newer one completes; an older one doesn't make it good."""
    completed = max((run.version for run in kept.runs.values() if run.state == COMPLETED), default=0)
    for run in kept.runs_by_time:
        if run.state in FAILURES and run.version > completed and run.name not in kept.head.failures:
            yield Finding("ledger", f"{run} is {run.state}, nothing has made it good, and the head forgot it")
    for name in kept.head.failures:
        if name not in kept.runs:
            yield Finding("ledger", f"the head remembers that {name} failed, which is no stored run")
