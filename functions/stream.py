"""The stream, in Kinesis: events out, records in."""

import base64
import datetime as dt
import random
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from marshmallow import ValidationError

from functions.errors import StoreBusy
from schemas.day import REGION
from schemas.event import DayEvent, about, decode, encode

MAX_RECORDS_PER_PUT = 500  # Kinesis PutRecords; our records stay far under its 5 MiB
MAX_ATTEMPTS = 5
FIRST_WAIT = 0.1  # seconds; doubled each time, with jitter
REPLAY = "daybook:replay"
ANY_REGION = ("*",)


@dataclass(frozen=True)
class Record:
    """A record as delivered; ``event`` is None where its bytes are no event, and ``problem`` says why."""

    sequence: str
    arrival: dt.datetime
    payload: bytes
    event: DayEvent | None
    problem: str | None


class Stream:
    """One stream."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def put(self, events: Iterable[DayEvent]) -> int:
        """Put the events, in their order but for what Kinesis refuses at first; how many there were.

        Raises StoreBusy when some are still refused after five attempts; those behind them aren't tried.
        """
        remaining = iter([{"Data": encode(event), "PartitionKey": event.day.region} for event in events])
        count = 0
        while batch := list(islice(remaining, MAX_RECORDS_PER_PUT)):
            self._put_all(batch)
            count += len(batch)
        return count

    def _put_all(self, batch: list[dict[str, Any]]) -> None:
        for attempt in range(MAX_ATTEMPTS):
            if attempt:
                time.sleep(FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(0.5, 1))  # noqa: S311 jitter
            answer = self._client.put_records(StreamName=self._name, Records=batch)
            if not answer["FailedRecordCount"]:
                return
            batch = [
                record
                for record, outcome in zip(batch, answer["Records"], strict=True)
                if outcome.get("ErrorCode")
            ]
        raise StoreBusy(f"{len(batch)} records still refused by {self._name} after {MAX_ATTEMPTS} attempts")


def read_range(client: Any, stream: str, shard: str, first: str, last: str) -> list[Record] | None:
    """The records of a shard from one sequence number to another; None where they are gone."""
    try:
        iterator = client.get_shard_iterator(
            StreamARN=stream,
            ShardId=shard,
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            StartingSequenceNumber=first,
        )["ShardIterator"]
    except (client.exceptions.InvalidArgumentException, client.exceptions.ResourceNotFoundException):
        return None
    found: list[Record] = []
    while iterator:
        answer = client.get_records(ShardIterator=iterator, StreamARN=stream)
        for record in answer["Records"]:
            if int(record["SequenceNumber"]) > int(last):
                return found or None
            arrival = record["ApproximateArrivalTimestamp"].astimezone(dt.UTC)
            found.append(_record(record["SequenceNumber"], arrival, record["Data"]))
        if not answer["Records"] and not answer.get("MillisBehindLatest"):
            break
        if found and found[-1].sequence == last:
            break
        iterator = answer.get("NextShardIterator")
    return found or None


def delivered(event: Mapping[str, Any], regions: Collection[str]) -> tuple[list[Record], bool]:
    """The records of an invocation in their order, and whether they are replayed. One of a region that is
    none of these is no event for us; `*` stands for any."""
    records = []
    for item in event["Records"]:
        kinesis = item["kinesis"]
        arrival = dt.datetime.fromtimestamp(float(kinesis["approximateArrivalTimestamp"]), dt.UTC)
        payload = base64.b64decode(kinesis["data"])
        records.append(_record(kinesis["sequenceNumber"], arrival, payload, regions))
    return records, all(item["eventSource"] == REPLAY for item in event["Records"])


def _record(
    sequence: str, arrival: dt.datetime, payload: bytes, regions: Collection[str] = ANY_REGION
) -> Record:
    try:
        event = decode(payload)
        if event.day.region not in regions and "*" not in regions:
            raise ValidationError(f"is not {' or '.join(regions)}", "region")
    except ValidationError as error:
        return Record(sequence, arrival, payload, None, str(error.normalized_messages()))
    except OverflowError as error:  # a version that is no moment before the year 10000
        return Record(sequence, arrival, payload, None, f"version: {error}")
    return Record(sequence, arrival, payload, event, None)


def series_of(payload: bytes, regions: Collection[str]) -> str:
    """The region that accounts for a record: its own, or the United States where that is none of these."""
    region = about(payload).region
    return region if region and (region in regions or "*" in regions) else REGION


def chunks(records: Sequence[Record], size: int) -> Iterator[list[Record]]:
    """The records in their order, cut where the run or the region changes, a date comes again or ``size``
    is reached; one that is no event stands alone."""
    chunk: list[Record] = []
    dates: set[dt.date] = set()
    for record in records:
        event, last = record.event, chunk[-1].event if chunk else None
        same = event and last and (event.run, event.day.region) == (last.run, last.day.region)
        if chunk and not (same and event and event.day.date not in dates and len(chunk) < size):
            yield chunk
            chunk, dates = [], set()
        chunk.append(record)
        if event:
            dates.add(event.day.date)
    if chunk:
        yield chunk
