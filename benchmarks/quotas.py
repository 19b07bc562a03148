"""The stream and its mapping under AWS's quotas, on a virtual clock: predicted, and what happens.

The writer is the fetcher's own, the mapping the local cloud's. Kinesis here takes 1,000 records and 1 MiB a
second and shard and refuses the rest; an invocation lasts as long as its calls would on AWS.
"""

import datetime as dt
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any
from unittest import mock
from zlib import crc32

from benchmarks.measure import Figure
from benchmarks.regions import START, made_up
from functions.consumer import MAX_DAYS
from functions.stream import MAX_RECORDS_PER_PUT, Stream
from local.clock import Clock
from local.definitions import LocalMapping
from local.mapping import POLL_SECONDS
from local.mapping import Mapping as EventSourceMapping

# Kinesis Data Streams, "Quotas and limits": a shard's writes a second; reads of it a second.
RECORDS_A_SECOND = 1_000
BYTES_A_SECOND = 2**20
READS_A_SECOND = 5
# Not quotas: what a call within a region is taken to last, and the consumer's own time as measured here.
PUT_SECONDS = 0.02
CALL_SECONDS = 0.008
CALLS_A_CHUNK = 5  # read, archive, two tables, transaction
OWN_SECONDS = 80e-6  # an event
EVENTS_A_REGION = 6  # a usual day: one new, five restated
# The stack's mapping, without the import of Pulumi: tests/test_stack.py holds the program to these.
BATCH_SIZE = 98
BATCHING_WINDOW_SECONDS = 5
RECORD_AGE_SECONDS = 43_200
SIZES = ((1, 1), (50, 1), (3_000, 1), (3_000, 4), (10_000, 4), (20_000, 4))  # regions, shards

ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/quotas"
MAPPING = LocalMapping(
    "consumer", ARN, BATCH_SIZE, BATCHING_WINDOW_SECONDS, True, RECORD_AGE_SECONDS, -1, True, None
)


def figures() -> Iterator[Figure]:
    for regions, shards in SIZES:
        named = f"{regions:,} region{'s' * (regions > 1)}, {shards} shard{'s' * (shards > 1)}"
        happened = simulated(regions, shards)
        for what, expected, took in (
            ("written", writing(regions, shards), happened[0]),
            ("entered", predicted(regions, shards), happened[1]),
        ):
            note = f"predicted {expected:,.1f} s, simulated {took:,.1f} s"
            off = max(took / expected, expected / took)
            yield Figure(f"a day of {named}, {what} under AWS's quotas: off by", off, "×", 1.25, note)


def predicted(regions: int, shards: int) -> float:
    """Seconds from the first put to the last day acknowledged: the slower of both sides, after the window."""
    return BATCHING_WINDOW_SECONDS + max(writing(regions, shards), entering(regions, shards))


def writing(regions: int, shards: int) -> float:
    """A shard takes its first second's records at once."""
    events = regions * EVENTS_A_REGION
    refilled = events / (RECORDS_A_SECOND * shards) - 1
    return max(refilled, math.ceil(events / MAX_RECORDS_PER_PUT) * PUT_SECONDS)


def entering(regions: int, shards: int) -> float:
    """One invocation at a time a shard. A batch ends within a region, whose days are then two chunks."""
    cuts = regions * EVENTS_A_REGION / BATCH_SIZE * (1 - 1 / EVENTS_A_REGION)
    return (regions + cuts) / shards * CALLS_A_CHUNK * CALL_SECONDS + regions / shards * (
        EVENTS_A_REGION * OWN_SECONDS
    )


def simulated(regions: int, shards: int) -> tuple[float, float]:
    """Seconds until all is written, and until the last day is acknowledged, from what both sides do."""
    clock = Clock.virtual(START)
    kinesis = Kinesis(clock, [Shard(f"shardId-{number:012}") for number in range(shards)])
    with mock.patch("functions.stream.time.sleep", clock.sleep):
        Stream(kinesis, "quotas").put(made_up(regions, EVENTS_A_REGION))
    written = (clock.now() - START).total_seconds()
    return written, max(_drained(shard) for shard in kinesis.shards if shard.records)


@dataclass
class Shard:
    id: str
    records: list[dict[str, Any]] = field(default_factory=list)
    second: int = 0
    taken: int = 0
    taken_bytes: int = 0

    def takes(self, size: int, now: dt.datetime) -> bool:
        second = int(now.timestamp())
        if second != self.second:
            self.second, self.taken, self.taken_bytes = second, 0, 0
        if self.taken == RECORDS_A_SECOND or self.taken_bytes + size > BYTES_A_SECOND:
            return False
        self.taken, self.taken_bytes = self.taken + 1, self.taken_bytes + size
        return True


class Kinesis:
    """As much of a client as writer and mapping ask for. A reader sees what has arrived by its own clock."""

    def __init__(self, clock: Clock, shards: list[Shard]) -> None:
        self.shards = shards
        self._clock = clock
        self._numbers = 0
        self._read_at = clock.now()

    def put_records(self, Records: Iterable[Mapping[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: N803
        self._clock.sleep(PUT_SECONDS)
        now = self._clock.now()
        answers = [{} if self._put(record, now) else {"ErrorCode": "Throughput"} for record in Records]
        return {"FailedRecordCount": sum(map(bool, answers)), "Records": answers}

    def _put(self, record: Mapping[str, Any], now: dt.datetime) -> bool:
        shard = self.shards[crc32(record["PartitionKey"].encode()) % len(self.shards)]
        if not shard.takes(len(record["Data"]), now):
            return False
        self._numbers += 1
        number = str(self._numbers)
        shard.records.append({**record, "SequenceNumber": number, "ApproximateArrivalTimestamp": now})
        return True

    def list_shards(self, **_: Any) -> dict[str, Any]:
        span = {"SequenceNumberRange": {"StartingSequenceNumber": "0"}}
        return {"Shards": [span | {"ShardId": shard.id} for shard in self.shards]}

    def describe_stream_summary(self, **_: Any) -> dict[str, Any]:
        return {"StreamDescriptionSummary": {"RetentionPeriodHours": 168}}

    def get_shard_iterator(self, **_: Any) -> dict[str, Any]:
        return {"ShardIterator": "0"}

    def get_records(self, ShardIterator: str, Limit: int) -> dict[str, Any]:  # noqa: N803
        self._clock.advance_to(self._read_at + dt.timedelta(seconds=1 / READS_A_SECOND))
        self._read_at = now = self._clock.now()
        (shard,) = self.shards
        place = int(ShardIterator)
        found = [
            record
            for record in shard.records[place : place + Limit]
            if record["ApproximateArrivalTimestamp"] <= now
        ]
        return {"Records": found, "NextShardIterator": str(place + len(found)), "MillisBehindLatest": 0}


class Accepted:
    request_id = "simulated"
    response = b""
    error = None


def _drained(shard: Shard) -> float:
    """Seconds until a mapping that began with the writer has brought the shard's last record."""
    clock = Clock.virtual(START)

    def invoke(_: str, payload: bytes) -> Any:
        keys = [record["kinesis"]["partitionKey"] for record in json.loads(payload)["Records"]]
        count = sum(math.ceil(len(list(group)) / MAX_DAYS) for _, group in groupby(keys))
        clock.sleep(count * CALLS_A_CHUNK * CALL_SECONDS + len(keys) * OWN_SECONDS)
        return Accepted()

    mapping = EventSourceMapping(MAPPING, Kinesis(clock, [shard]), invoke, clock)
    done = 0
    while done < len(shard.records):
        done += mapping.drain().done
        if done < len(shard.records):
            clock.sleep(POLL_SECONDS)
    return (clock.now() - START).total_seconds()
