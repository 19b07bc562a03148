"""Rebuild: tables and days emptied, and filled again from the log alone.

While the head bears the marker, the fetcher refuses to run and the consumer takes replayed records only. A
call that finds the marker of an earlier one goes on with that rebuild, and ends the same.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from botocore.exceptions import ClientError

from schemas.event import DayEvent
from schemas.ledger import Acknowledged, Head, Held
from schemas.moment import written
from storage.archive import Archive, distinct
from storage.aws import code
from storage.errors import LogIncomplete, Unreachable
from storage.ledger import Ledger
from storage.marker import hold, release
from storage.replay import Invoke, Progress, feed, from_archive, recall
from storage.tables import Row, Tables

NO_TABLE = re.compile(r"does not exist|not found", re.IGNORECASE)

Clock = Callable[[], dt.datetime]


def rebuild(
    ledger: Ledger, tables: Tables, archive: Archive, invoke: Invoke, clock: Clock, progress: Progress
) -> int:
    """How many events tables and ledger are made of now. Raises LogIncomplete or Damaged, with nothing
    emptied, where the log can't give back what there is; any later error leaves the marker in its place."""
    since = clock()
    marked = hold(ledger, Held(f"a rebuild is under way since {written(since)}", since))
    try:
        missing = lacking(ledger.head(), ledger.days(), _rows(tables), archive)
        if missing:
            raise LogIncomplete(missing)
    except BaseException:
        if marked:
            release(ledger, clock())
        raise
    tables.empty()
    # Before the feed, which adds to these sums: a resumed call must not find more entries counted than there
    # are.
    ledger.amend(clock(), lambda head: replace(head, stamp=0, entries=0))
    ledger.empty(ledger.days())
    count = feed(from_archive(archive), invoke, progress)
    recall(ledger, clock())
    ledger.mark_rebuilt(clock())
    release(ledger, clock())
    return count


def lacking(
    head: Head, days: Mapping[dt.date, Acknowledged], rows: Iterable[Row], archive: Archive
) -> list[str]:
    """What a rebuild would lose, a line each; empty where the log holds every event that the ledger
    acknowledges, every row of ``revisions``, and as many entries as were counted. Raises Damaged."""
    log = distinct(event for events in archive.log() for event in events)
    known = {event.id for event in log}
    expected = {day.event for day in days.values()} | {row.event for row in rows}
    return [*sorted(expected - known), *_short(head, days, log)]


def _short(head: Head, days: Mapping[dt.date, Acknowledged], log: Iterable[DayEvent]) -> Iterator[str]:
    """The dates with fewer entries in the log than were counted, where it must hold them: at or below what
    the day has seen. All events count of a date that the ledger does not know."""
    counts: dict[dt.date, int] = {}
    for event in log:
        day = days.get(event.day.date)
        if day is None or event.version <= day.seen:
            counts[event.day.date] = counts.get(event.day.date, 0) + 1
    for date, day in days.items():
        if counts.get(date, 0) < day.entries:
            yield f"{date}: {counts.get(date, 0)} of {day.entries} entries"
    if (total := sum(counts.values())) < head.entries:
        yield f"{total:,} of {head.entries:,} entries in all"


def _rows(tables: Tables) -> list[Row]:
    """Every row of ``revisions``; none where an interrupted rebuild has deleted the table. Raises
    Unreachable."""
    try:
        return tables.entries()
    except Unreachable as error:
        cause = error.__cause__
        gone = isinstance(cause, ClientError) and (
            code(cause) == "ResourceNotFoundException" or NO_TABLE.search(error.problem)
        )
        if not gone:
            raise
        return []
