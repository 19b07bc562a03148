"""What grows with the record: a first load, a usual day, a replay, at sizes that nobody has yet."""

import datetime as dt
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from benchmarks.measure import Figure, elapsed
from local.clock import Clock
from local.cloud import LocalCloud
from local.sources.publisher import Publisher
from schemas.day import Day
from schemas.event import DayEvent, encode_unchecked
from schemas.figures import Counts
from schemas.ledger import COMPLETED
from schemas.moment import version
from storage.archive import log_name
from storage.replay import payload

SIZES = (365, 3_650, 36_500)  # days
FIRST = dt.date(1970, 1, 1)
ENTRIES = 1_000_000  # in the log, on a usual day
REPLAYED = 100_000
BATCH = 98
ONE_DAY = dt.timedelta(days=1)
FILES = {"nyt": "a" * 64, "jhu": "b" * 64}
MEGABYTE = 1_000_000


class Grown:
    """A cloud with as many days, of which nothing is published but the U.S. rows."""

    def __init__(self, stack: ExitStack, days: int) -> None:
        self.moment = dt.datetime.combine(FIRST + dt.timedelta(days=days + 1), dt.time(12), dt.UTC)
        self.publisher = stack.enter_context(Publisher())
        clock = Clock.virtual(self.moment)
        self.cloud = stack.enter_context(LocalCloud(clock, self.publisher.config()))
        self.bytes = 0
        self.cloud.emulator.on_call(self._count)

    def _count(self, _operation: str, environ: dict[str, Any]) -> None:
        self.bytes += int(environ.get("CONTENT_LENGTH") or 0)

    def publish(self, days: int, restated: int = 0) -> None:
        dates = [FIRST + dt.timedelta(days=number) for number in range(days)]
        more = dict.fromkeys(dates[days - restated :], 7)
        cases = [f"{date},{1_000 + 9 * i + more.get(date, 0)},{i}" for i, date in enumerate(dates)]
        rows = [f"{date},US,{1_000 + 9 * i},{i},{i}" for i, date in enumerate(dates)]
        self.publisher.files["nyt"] = "\n".join(["date,cases,deaths", *cases]).encode()
        self.publisher.files["jhu"] = "\n".join(
            ["Date,Country,Confirmed,Recovered,Deaths", *rows, ""]
        ).encode()

    def run(self, name: str, pending: int) -> Iterator[Figure]:
        """One run to its end: seconds, calls of AWS, megabytes sent."""
        self.cloud.clock.advance_to(self.moment)
        calls, sent = self.cloud.emulator.calls.total(), self.bytes
        took = elapsed(
            lambda: (self.cloud.run(self.moment), self.cloud.settle(until=self.moment + ONE_DAY / 2))
        )
        (last,) = self.cloud.ledger.runs(1)
        assert (last.state, len(last.pending)) == (COMPLETED, pending), last.reasons or last.state  # noqa: S101
        self.moment += ONE_DAY
        yield Figure(name, took, "s")
        yield Figure(f"{name}, calls", self.cloud.emulator.calls.total() - calls, "calls")
        yield Figure(f"{name}, sent", (self.bytes - sent) / MEGABYTE, "MB")


def figures() -> Iterator[Figure]:
    for days in SIZES:
        with ExitStack() as stack:
            grown = Grown(stack, days)
            grown.publish(days)
            yield from grown.run(f"first load of {days:,} days", days)
            grown.publish(days + 1, 6)
            yield from grown.run(f"usual day at {days:,} days", 6)
            if days == SIZES[0]:
                for events in _entries(ENTRIES):
                    _keep(grown.cloud, events)
                grown.publish(days + 2)  # one new, six as they were first
                yield from grown.run(f"usual day at {ENTRIES:,} entries in the log", 7)
    with ExitStack() as stack:
        cloud = Grown(stack, SIZES[0]).cloud
        batches = [payload(events) for events in _entries(REPLAYED)]
        yield Figure(
            f"replay of {REPLAYED:,} entries into an empty stack", elapsed(lambda: _feed(cloud, batches)), "s"
        )
        yield Figure("the same again, into a full one", elapsed(lambda: _feed(cloud, batches)), "s")


def _entries(count: int) -> Iterator[list[DayEvent]]:
    """So many events, a batch at a time: each date again and again with another value."""
    dates = [FIRST + dt.timedelta(days=number) for number in range(BATCH)]
    for number in range(-(-count // BATCH)):
        when = dt.datetime(1970, 6, 1, tzinfo=dt.UTC) + number * dt.timedelta(minutes=1)
        name = f"{when:%Y-%m-%dT%H:%M:%S}.000Z#benchmark"
        size = min(BATCH, count - number * BATCH)
        yield [
            DayEvent(Day(date, Counts(number + 1, 0, 0)), version(when), None, name, "benchmark", FILES)
            for date in dates[:size]
        ]


def _keep(cloud: LocalCloud, events: list[DayEvent]) -> None:
    """Put an object into the log, past the consumer."""
    body = b"".join(encode_unchecked(event) + b"\n" for event in events)
    cloud.emulator.put_object(cloud.stack.exports["archive_bucket"], log_name(events), body)


def _feed(cloud: LocalCloud, batches: list[bytes]) -> None:
    for batch in batches:
        answer = cloud.runtime.invoke(cloud.stack.exports["consumer"], batch)
        assert json.loads(answer.response) == {"batchItemFailures": []}, answer.response  # noqa: S101
