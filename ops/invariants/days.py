"""The ledger's days: each is the newest of its date's entries that was seen."""

from collections.abc import Iterator

from schemas.figures import Counts
from storage.kept import Finding, Kept, RawDay, figures, when


def no_day_is_lost(kept: Kept) -> Iterator[Finding]:
    """A date that a run has entered is in the ledger."""
    for date in sorted(kept.lost_days):
        yield Finding("ledger", f"{date} was entered, and has no entry in the ledger")


def a_day_is_its_event(kept: Kept) -> Iterator[Finding]:
    """Version, figures, digest and run of a day are those of the event that it names."""
    for date, day in sorted(kept.days.items()):
        digest = Counts.read(day.values).digest
        event = kept.events.get(day.event)
        if day.event != f"US/{date}/{day.version}/{digest}":
            what = f"version {day.version} or {figures(day.values)} are not those of {day.event}"
            yield Finding("ledger", f"{date}: {what}")
        elif day.digest != digest:
            yield Finding("ledger", f"{date} has the digest {day.digest}, its figures have {digest}")
        elif event and event.run != day.run:
            yield Finding("ledger", f"{date} is of the run {day.run}, its event of {event.run}")
        elif event is None and (day.version, date) not in kept.lost:
            yield Finding("log", f"{date}: the log has another entry of {when(day.version)} than {day.event}")


def a_day_is_its_newest_entry(kept: Kept) -> Iterator[Finding]:
    """Of the entries up to what was seen, the newest one is acknowledged."""
    for date, day in sorted(kept.days.items()):
        if day.seen < day.version:
            what = f"acknowledged is the entry of {when(day.version)}, seen was only {when(day.seen)}"
            yield Finding("ledger", f"{date}: {what}")
        newest = max(_seen(kept, day), default=day.version)
        if newest > day.version:
            what = f"acknowledged is the entry of {when(day.version)}, though one of {when(newest)} was seen"
            yield Finding("ledger", f"{date}: {what}")


def entries_are_counted(kept: Kept) -> Iterator[Finding]:
    """A day counts as many entries as the log has distinct events of its date up to what was seen."""
    for date, day in sorted(kept.days.items()):
        lost = sum(of == date and version <= day.seen for version, of in kept.lost)
        count = len(_seen(kept, day)) + lost
        if day.entries != count:
            yield Finding("ledger", f"{date} counts {day.entries} entries, the log has {count}")


def _seen(kept: Kept, day: RawDay) -> list[int]:
    """The versions of a date's entries up to what was seen, without those that a run under way may enter."""
    events = kept.by_date.get(day.date, [])
    return [event.version for event in events if event.version <= day.seen and not kept.in_flight(event)]
