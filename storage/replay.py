"""Replay: the log's events to the consumer again, in Lambda's own shape."""

import base64
import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from schemas.event import DayEvent, encode_unchecked
from schemas.ledger import Head, decided
from schemas.moment import at, version, written
from storage.archive import Archive
from storage.change import Change
from storage.errors import LedgerMoved, NotTaken
from storage.ledger import Ledger

# Where a record comes from that an operator feeds: the log, where it is an entry; or the stream again, where
# it is one if the log holds it.
REPLAY, REDELIVERY = "daybook:replay", "daybook:redelivery"
MAX_TRIES = 3  # of a batch that the consumer gives back


@dataclass(frozen=True)
class Batch:
    """One invocation: how many records, of which dates, and where to go on after it."""

    records: int = 0
    dates: frozenset[dt.date] = frozenset()
    payload: bytes = b""
    until: str = ""


Invoke = Callable[[bytes], Any]  # the consumer's reply to a payload, or what Lambda says of its failure
Progress = Callable[[Batch], None]


def from_archive(
    archive: Archive, first: dt.datetime | None = None, last: dt.datetime | None = None
) -> Iterator[Batch]:
    """The log's entries between two moments, both inclusive, one object a batch. Raises Unreachable and
    Damaged."""
    low, high = (version(first) if first else 0), (version(last) if last else None)
    for events in archive.log():
        chosen = [
            event for event in events if low <= event.version and (high is None or event.version <= high)
        ]
        if chosen:
            dates = frozenset(event.day.date for event in chosen)
            yield Batch(len(chosen), dates, payload(chosen), written(at(chosen[-1].version)))
        else:
            yield Batch()  # nothing to feed, but progress counts every object


def payload(events: Sequence[DayEvent]) -> bytes:
    """An invocation of the consumer with events of the log; an event's arrival is its entry."""
    return invocation(REPLAY, ((event.id, event.version / 1000, encode_unchecked(event)) for event in events))


def invocation(source: str, records: Iterable[tuple[str, float, bytes]]) -> bytes:
    """The same of records: sequence number, arrival in epoch seconds, bytes."""
    items = [
        {
            "eventSource": source,
            "kinesis": {
                "sequenceNumber": sequence,
                "approximateArrivalTimestamp": arrival,
                "data": base64.b64encode(data).decode(),
            },
        }
        for sequence, arrival, data in records
    ]
    return json.dumps({"Records": items}).encode()


def feed(batches: Iterable[Batch], invoke: Invoke, progress: Progress) -> int:
    """Invoke the consumer with one batch after another; how many records there were. Raises NotTaken where it
    fails, or gives a batch back."""
    count = 0
    for batch in batches:
        if batch.records:
            _enter(batch, invoke)
        count += batch.records
        progress(batch)
    return count


def _enter(batch: Batch, invoke: Invoke) -> None:
    reply: Any = None
    for _ in range(MAX_TRIES):
        reply = invoke(batch.payload)
        failures = reply.get("batchItemFailures") if isinstance(reply, dict) else None
        if failures == []:
            return
        if failures is None:
            break
    raise NotTaken(f"a batch of {batch.records} events up to {batch.until}: {str(reply)[:500]}")


def recall(ledger: Ledger, now: dt.datetime) -> Head:
    """Complete days that the log alone may have made; the head afterwards.

    A day has seen what the runs' sets count as decided, duplicates among them, which no log has. The head's
    stamp and entries are the sums over the days. Raises LedgerMoved where the ledger moves all the time.
    """
    seen = decided(ledger.runs(limit=None))
    head = ledger.head()
    for date, day in ledger.days().items():
        if day.seen < seen.get(date, day.seen):
            with suppress(LedgerMoved):  # by a newer run, which the day has seen by then
                ledger.commit(Change(now, (head, head), days=((day, replace(day, seen=seen[date])),)))

    def counted(head: Head) -> Head:
        days = ledger.days().values()  # read after the head: where they move, so does the head
        return replace(head, stamp=sum(day.version for day in days), entries=sum(day.entries for day in days))

    return ledger.amend(now, counted)
