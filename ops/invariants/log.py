"""The log: an event that it holds is an entry, for ever."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from storage.kept import Finding, Kept, LoggedEvent, dates, figures, when


def no_entry_is_lost(kept: Kept) -> Iterator[Finding]:
    """What ledger, tables and runs know as an entry is in the log."""
    lost: dict[int, list[dt.date]] = defaultdict(list)
    for version, date in kept.lost:
        lost[version].append(date)
    for version, missing in sorted(lost.items()):
        places = " and ".join(sorted({kept.lost[version, date] for date in missing}))
        what = f"what was entered {when(version)} is not in the log, but in {places}: {dates(missing)}"
        yield Finding("log", what)


def an_id_is_one_event(kept: Kept) -> Iterator[Finding]:
    """Objects of the log may overlap, and then say the same."""
    first: dict[str, LoggedEvent] = {}
    for event in kept.log:
        if first.setdefault(event.id, event) != event:
            yield Finding("log", f"two different events are called {event.id}")


def a_run_enters_a_date_once(kept: Kept) -> Iterator[Finding]:
    """A version is a run's, and a run sends one event a date."""
    for date, events in sorted(kept.by_date.items()):
        for one, other in pairwise(events):
            if one.version == other.version:
                yield Finding("log", f"{date} has two entries of {when(one.version)}: {one.id}, {other.id}")


def consecutive_entries_differ(kept: Kept) -> Iterator[Finding]:
    """A further entry is a correction: it says something else."""
    for date, events in sorted(kept.by_date.items()):
        for one, other in pairwise(events):
            if one.values == other.values:
                both = f"of {when(one.version)} and of {when(other.version)}"
                yield Finding("log", f"{date} has two equal entries in a row, {both}: {figures(one.values)}")


def what_an_event_replaces_was_entered(kept: Kept) -> Iterator[Finding]:
    """``previous`` has the values of an earlier entry of the date."""
    unknown = {date for _, date in kept.lost}
    for date, events in sorted(kept.by_date.items()):
        for place, event in enumerate(events):
            earlier = [other.values for other in events[:place]]
            if event.previous is not None and event.previous not in earlier and date not in unknown:
                what = f"replaces {figures(event.previous)}, which was never entered"
                yield Finding("log", f"{date}: the entry of {when(event.version)} {what}")


def records_were_set_aside(kept: Kept) -> Iterator[Finding]:
    """No fault: such a record changes nothing."""
    for name in kept.rejected:
        yield Finding("archive", f"a record was set aside: rejected/{name}", broken=False)
