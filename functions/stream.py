"""The stream, in Kinesis: events out, records in."""

import base64
import datetime as dt
import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError
from marshmallow import ValidationError

from functions.errors import StreamBusy
from schemas.day import REGION
from schemas.event import DayEvent, decode, encode
from storage.aws import code
from storage.replay import REDELIVERY, REPLAY

MAX_RECORDS_PER_PUT = 500  # Kinesis PutRecords; our records stay far under its 5 MiB
MAX_ATTEMPTS = 5
FIRST_WAIT = 0.1  # seconds; doubled each time, with jitter
OPERATORS = (REPLAY, REDELIVERY)
GONE = ("InvalidArgumentException", "ResourceNotFoundException")


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

        Raises StreamBusy when some are still refused after five attempts; those behind them aren't tried.
        """
        remaining = iter([{"Data": encode(event), "PartitionKey": REGION} for event in events])
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
        raise StreamBusy(f"{len(batch)} records still refused by {self._name} after {MAX_ATTEMPTS} attempts")


@dataclass(frozen=True)
class Delivery:
    """The records of an invocation in their order; ``source`` is the stream, or one of OPERATORS."""

    records: list[Record]
    source: str

    @property
    def is_live(self) -> bool:
        """Whether the event source mapping delivers: only then are people told."""
        return self.source not in OPERATORS

    @property
    def newest_arrival(self) -> dt.datetime:
        """The time of the invocation, as far as the consumer knows one."""
        return max(record.arrival for record in self.records)


def delivered(event: Mapping[str, Any]) -> Delivery:
    """What an invocation brings."""
    records = []
    for item in event["Records"]:
        kinesis = item["kinesis"]
        arrival = dt.datetime.fromtimestamp(float(kinesis["approximateArrivalTimestamp"]), dt.UTC)
        records.append(_record(kinesis["sequenceNumber"], arrival, base64.b64decode(kinesis["data"])))
    return Delivery(records, event["Records"][0]["eventSource"])


def read_range(client: Any, stream: str, shard: str, first: str, last: str) -> list[Record] | None:
    """The records of a shard from one sequence number to another; None where they are gone."""
    place = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": first}
    try:
        iterator = client.get_shard_iterator(StreamARN=stream, ShardId=shard, **place)["ShardIterator"]
    except ClientError as error:
        if code(error) in GONE:
            return None
        raise
    found: list[Record] = []
    while iterator:
        reply = client.get_records(ShardIterator=iterator, StreamARN=stream)
        for record in reply["Records"]:
            if int(record["SequenceNumber"]) > int(last):
                return found or None
            arrival = record["ApproximateArrivalTimestamp"].astimezone(dt.UTC)
            found.append(_record(record["SequenceNumber"], arrival, record["Data"]))
        if not reply["Records"] and not reply.get("MillisBehindLatest"):
            break
        if found and found[-1].sequence == last:
            break
        iterator = reply.get("NextShardIterator")
    return found or None


def _record(sequence: str, arrival: dt.datetime, payload: bytes) -> Record:
    try:
        event = decode(payload)
    except ValidationError as error:
        return Record(sequence, arrival, payload, None, str(error.normalized_messages()))
    return Record(sequence, arrival, payload, event, None)


def chunks(records: Sequence[Record], size: int) -> Iterator[list[Record]]:
    """The records in their order, cut where the run changes, a date comes again or ``size`` is reached; one
    that is no event stands alone."""
    chunk: list[Record] = []
    dates: set[dt.date] = set()
    for record in records:
        event, last = record.event, chunk[-1].event if chunk else None
        same = event and last and event.run == last.run
        if chunk and not (same and event and event.day.date not in dates and len(chunk) < size):
            yield chunk
            chunk, dates = [], set()
        chunk.append(record)
        if event:
            dates.add(event.day.date)
    if chunk:
        yield chunk
