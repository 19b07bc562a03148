"""The local cloud from the schedule to the last row: seconds, and the calls that the functions make."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from benchmarks.inputs import FIRST, look_alikes
from benchmarks.measure import Figure, elapsed
from local.clock import Clock
from local.cloud import LocalCloud
from local.sources.publisher import Publisher
from schemas.ledger import COMPLETED, Run

DAYS = 816  # until the Johns Hopkins file ends
ONE_DAY = dt.timedelta(days=1)
# Lambda's own: it reads the stream, and whoever runs a function isn't asked for that.
MAPPING = {"GetRecords", "GetShardIterator", "ListShards", "DescribeStreamSummary"}


def figures() -> Iterator[Figure]:
    begin = dt.datetime.combine(FIRST + dt.timedelta(days=DAYS), dt.time(12), dt.UTC)
    with Publisher() as publisher, LocalCloud(Clock.virtual(begin), publisher.config()) as cloud:
        moment = begin

        def publish(days: int, restated: int) -> None:
            publisher.files["nyt"], publisher.files["jhu"] = look_alikes(days, restated)

        def run(pending: int) -> tuple[float, Counter[str]]:
            nonlocal moment
            cloud.clock.advance_to(moment)
            before = Counter(cloud.emulator.calls)
            took = elapsed(lambda: (cloud.run(moment), cloud.settle(until=moment + ONE_DAY / 2)))
            made = {
                name: count for name, count in (cloud.emulator.calls - before).items() if name not in MAPPING
            }
            last: Run = cloud.ledger.runs(1)[0]
            assert (last.state, len(last.pending)) == (COMPLETED, pending), last  # noqa: S101
            moment += ONE_DAY
            return took, Counter(made)

        publish(DAYS, 0)
        took, calls = run(DAYS)
        yield Figure(f"first load of {DAYS} days, fetched to drained, functions started", took, "s", 3)
        yield Figure(f"first load of {DAYS} days, AWS calls", calls.total(), "calls", 60, _said(calls))
        _, calls = run(0)
        yield Figure(
            "a day with nothing new, files unchanged, AWS calls", calls.total(), "calls", 6, _said(calls)
        )
        publish(DAYS + 1, 6)  # one new, five restated
        _, calls = run(6)
        yield Figure("a usual day, AWS calls", calls.total(), "calls", 16, _said(calls))


def _said(calls: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in calls.most_common())
