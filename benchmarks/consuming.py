"""The consumer's own time: its handler, with services that answer at once."""

import base64
import contextlib
import datetime as dt
import io
import statistics
import tracemalloc
from collections.abc import Iterator
from typing import Any
from unittest import mock

from benchmarks.measure import Figure, seconds
from functions import consumer
from functions.notices import Notices
from schemas.day import Day
from schemas.event import DayEvent, encode
from schemas.figures import Counts
from schemas.ledger import OPEN, Run
from storage.archive import Archive
from storage.ledger import Ledger
from storage.ledger_items import RUN, attributes, key, run_item
from storage.timestream import TimestreamTables

BATCH = consumer.MAX_DAYS
SIZES = (98, 9_800, 98_000)
ROUNDS = 3
START = dt.datetime(2020, 11, 11, 12, tzinfo=dt.UTC)
DATES = tuple(dt.date(2020, 1, 22) + dt.timedelta(days=number) for number in range(BATCH))
RUNNING = Run(time=START, request="benchmark", trigger="manual", state=OPEN, pending=DATES)
ITEM = key(RUN + RUNNING.name) | attributes(run_item(RUNNING))
FILES = {"nyt": "a" * 64, "jhu": "b" * 64}


class Silent:
    """Takes every call, and knows nothing but the run."""

    def batch_get_item(self, **_: Any) -> dict[str, Any]:
        return {"Responses": {"ledger": [ITEM]}}

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {"ResponseMetadata": {}}

    def __getattr__(self, name: str) -> Any:
        return lambda **_: {}


def figures() -> Iterator[Figure]:
    silent = Silent()
    parts = consumer.Parts(
        settings=mock.Mock(stack="benchmark"),
        ledger=Ledger(silent, "ledger"),
        archive=Archive(silent, "archive"),
        tables=TimestreamTables(lambda _: silent, "database", "daily", "revisions"),
        notices=Notices(silent, {}, ""),
    )
    with mock.patch.object(consumer, "parts", lambda: parts):
        took = {size: statistics.median(_once(size) for _ in range(ROUNDS)) for size in SIZES}
        for size, each in took.items():
            yield Figure(f"consumer, its own time an event, of {size:,}", each * 1e6, "µs", 80)
        yield Figure(
            "… the most of these against the least", max(took.values()) / min(took.values()), "×", 1.25
        )
        peaks = [_peak(size) for size in (980, 9_800)]
        yield Figure("consumer, memory for 9,800 events against 980", peaks[1] / peaks[0], "×", 1.1)


def _once(size: int) -> float:
    batches = list(_batches(size))
    return seconds(lambda: _handle(batches)) / size


def _peak(size: int) -> int:
    """The most memory that it holds on the way; each batch is gone before the next one comes."""
    batches = _batches(size)
    tracemalloc.start()
    _handle(batches)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def _handle(batches: Any) -> None:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        for batch in batches:
            answer = consumer.handler(batch, None)
            assert answer == {"batchItemFailures": []}, answer  # noqa: S101 it was work, not refusal
            said.seek(0)
            said.truncate()


def _batches(size: int) -> Iterator[dict[str, Any]]:
    """Lambda's batches: every third event is a revision."""
    for start in range(0, size, BATCH):
        yield {"Records": [_record(start + number, number) for number in range(min(BATCH, size - start))]}


def _record(number: int, place: int) -> dict[str, Any]:
    day = Day(DATES[place], Counts(1_000 + number, 20, 300))
    previous = Counts(1_000 + number - 1, 20, None) if number % 3 == 0 else None
    event = DayEvent(day, RUNNING.version, previous, RUNNING.name, "benchmark", FILES)
    kinesis = {
        "sequenceNumber": str(number),
        "approximateArrivalTimestamp": START.timestamp(),
        "data": base64.b64encode(encode(event)).decode(),
    }
    return {"eventSource": "aws:kinesis", "kinesis": kinesis}
