"""The runs: what they were to send, and what became of each date."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from storage.kept import COMPLETED, SETS, Finding, Kept, dates, when


def every_event_is_of_a_run(kept: Kept) -> Iterator[Finding]:
    """The run that an event names is stored, has its version, was to send its date, and read its files."""
    unknown: dict[str, list[dt.date]] = defaultdict(list)
    for event in kept.events.values():
        run = kept.runs.get(event.run)
        if run is None:
            unknown[event.run].append(event.date)
        elif event.version != run.version:
            yield Finding("runs", f"{event.id} has another version than {run}")
        elif event.date not in run.pending:
            yield Finding("runs", f"{event.id} is of a date that {run} was not to send")
        elif event.files != run.files:
            yield Finding("runs", f"{event.id} names other files than {run} read")
    for name, entered in sorted(unknown.items()):
        yield Finding("runs", f"the run {name} is not in the ledger, and has entered {dates(entered)}")


def a_date_is_in_one_set(kept: Kept) -> Iterator[Finding]:
    """Inserted, updated, duplicate, superseded and failed are disjoint, and of the pending dates; what a
    table refuses is in none of them."""
    for run in kept.runs_by_time:
        counts = Counter(date for name in SETS for date in run.sets.get(name, ()))
        counts.update(run.refused)
        if twice := [date for date, count in counts.items() if count > 1]:
            yield Finding("runs", f"{run} counts more than once {dates(twice)}")
        if strange := counts.keys() - run.pending:
            yield Finding("runs", f"{run} counts what was not pending in it, {dates(strange)}")


def a_completed_run_accounts_for_all(kept: Kept) -> Iterator[Finding]:
    for run in kept.runs_by_time:
        if run.state == COMPLETED and (left := run.pending - run.accounted):
            yield Finding("runs", f"{run} is completed without {dates(left)}")


def every_entry_is_counted(kept: Kept) -> Iterator[Finding]:
    """Every event of the log is in the counts of its own run. That what is counted is in the log, is looked
    at there."""
    uncounted: dict[str, list[dt.date]] = defaultdict(list)
    for event in kept.events.values():
        run = kept.runs.get(event.run)
        if run and event.date in run.pending - run.entered:
            uncounted[run.name].append(event.date)
    for name, left in sorted(uncounted.items()):
        run = kept.runs[name]
        yet = "" if run.state == COMPLETED else ", yet"
        what = f"{run} does not count as entered what the log has of it{yet}: {dates(left)}"
        yield Finding("runs", what, broken=run.state == COMPLETED)


def a_date_is_inserted_once(kept: Kept) -> Iterator[Finding]:
    """Of a date's entries one was the first."""
    inserted = Counter(date for run in kept.runs.values() for date in run.sets.get("inserted", ()))
    if twice := [date for date, count in inserted.items() if count > 1]:
        yield Finding("runs", f"more than one run counts as inserted {dates(twice)}")
    updated = {date for run in kept.runs.values() for date in run.sets.get("updated", ())}
    unknown = {event.date for event in kept.events.values() if event.run not in kept.runs}
    if never := updated - inserted.keys() - unknown:
        yield Finding("runs", f"runs count as updated what none has inserted, {dates(never)}")


def times_differ(kept: Kept) -> Iterator[Finding]:
    for one, other in pairwise(kept.runs_by_time):
        if one.version == other.version:
            yield Finding("runs", f"two runs are of {when(one.version)}: {one.name}, {other.name}")
