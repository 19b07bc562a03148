"""The tables: ``revisions`` is the log, ``daily`` the newest entry of each date."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from storage.kept import Finding, Kept, RawRow, figures, when


def revisions_are_the_log(kept: Kept) -> Iterator[Finding]:
    """A row of ``revisions`` is as its event makes it. A row without event is an entry that the log lost."""
    for row in kept.revisions:
        event = kept.events.get(row.event)
        if event is None:
            if (row.version, row.date) not in kept.lost:
                yield Finding("revisions", f"{_entry(row)} names {row.event}, the log has another")
        elif (row.date, row.version) != (event.date, event.version):
            yield Finding("revisions", f"{_entry(row)} names an event of another date or version, {event.id}")
        elif row.values != event.values:
            said = f"has {figures(row.values)}, the log {figures(event.values)}"
            yield Finding("revisions", f"{_entry(row)} {said}")
        elif row.run != event.run:
            yield Finding("revisions", f"{_entry(row)} names the run {row.run}, the log {event.run}")


def revisions_hold_every_entry(kept: Kept, trailing_since: dt.datetime | None = None) -> Iterator[Finding]:
    """Every event of the log has its row; one that is not entered yet may lack it."""
    rows = {row.event for row in kept.revisions}
    for event in sorted(kept.events.values(), key=lambda event: (event.date, event.version)):
        if event.id not in rows and not kept.in_flight(event):
            what = f"{event.date}: the entry of {when(event.version)} has no row"
            yield _lacking("revisions", what, kept, event.date, trailing_since)


def daily_is_what_is_acknowledged(kept: Kept, trailing_since: dt.datetime | None = None) -> Iterator[Finding]:
    """``daily`` has the acknowledged entry of each date. A newer one that is in the log may be there before
    it is acknowledged."""
    rows = {row.date: row for row in kept.daily}
    for date, day in sorted(kept.days.items()):
        row = rows.get(date)
        if row is None:
            yield _lacking("daily", f"{date} is acknowledged, and has no row", kept, date, trailing_since)
        elif row.version < day.version:
            what = f"{date} has the entry of {when(row.version)}, acknowledged is that of {when(day.version)}"
            yield _lacking("daily", what, kept, date, trailing_since)
        elif row.version == day.version and row.values != day.values:
            yield Finding("daily", f"{date} has {figures(row.values)}, the ledger {figures(day.values)}")
        elif row.version == day.version and row.event != day.event:
            yield Finding("daily", f"{date} names the event {row.event}, the ledger {day.event}")
        elif row.version > day.version:
            yield from _ahead(kept, row, f"acknowledged is that of {when(day.version)}")
    for row in kept.daily:
        if row.date not in kept.days and row.date not in kept.lost_days:
            yield from _ahead(kept, row, "the date was never acknowledged")


def _ahead(kept: Kept, row: RawRow, ledger: str) -> Iterator[Finding]:
    """A row that is not acknowledged, at least not yet."""
    event = kept.events.get(row.event)
    if event is None:
        if (row.version, row.date) not in kept.lost:
            yield Finding("daily", f"{_entry(row)} names {row.event}, the log has another")
    elif (row.date, row.version, row.values) != (event.date, event.version, event.values):
        yield Finding("daily", f"{_entry(row)} is not as its event {event.id} makes it")
    elif not kept.in_flight(event):
        yield Finding("daily", f"{row.date} has the entry of {when(row.version)}, {ledger}")


def no_row_is_there_twice(kept: Kept) -> Iterator[Finding]:
    for date, count in Counter(row.date for row in kept.daily).items():
        if count > 1:
            yield Finding("daily", f"{date} has {count} rows")
    for event, count in Counter(row.event for row in kept.revisions).items():
        if count > 1:
            yield Finding("revisions", f"{event} has {count} rows")


def _lacking(table: str, what: str, kept: Kept, date: dt.date, trailing_since: dt.datetime | None) -> Finding:
    """A row that isn't there; on AWS one that was just written may not be seen yet."""
    day = kept.days.get(date)
    if trailing_since is not None and day is not None and day.acknowledged_at > trailing_since:
        return Finding(table, f"{what} (trailing: written in the last hours)", broken=False)
    return Finding(table, what)


def _entry(row: RawRow) -> str:
    return f"{row.date}: the entry of {when(row.version)}"
