"""What the stream still holds, to the consumer again: it follows those records that the log holds. The others
were never entered, and a run that owes them sends them.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from schemas.event import about
from schemas.ledger import MAX_DAYS
from storage.aws import asking, code
from storage.errors import NoSuchRecord
from storage.replay import REDELIVERY, Batch, invocation

PAGE = 1_000  # records a GetRecords; a shard answers at most 2 MB a second
Bound = dt.datetime | str  # a moment of arrival, or the sequence number of a record
FOREIGN = "InvalidArgumentException"  # a sequence number of another shard, or of no record at all


def from_stream(client: Any, stream: str, first: Bound | None, last: Bound | None) -> Iterator[Batch]:
    """What the stream retains between two bounds, both inclusive, shard by shard. Raises Unreachable, and
    NoSuchRecord for a sequence number that no shard knows."""
    known = False
    for shard in _shards(client, stream):
        iterators = [_iterator(client, stream, shard, bound) for bound in (first, last) if _is_number(bound)]
        if None in iterators:
            continue
        known = True
        iterator = _iterator(client, stream, shard, first)
        while iterator:
            page = _page(client, iterator)
            records = [record for record in page["Records"] if _reaches(last, record)]
            yield from _batches(records)
            if len(records) < len(page["Records"]) or _is_end(page):
                break
            iterator = page.get("NextShardIterator")
    if not known:
        raise NoSuchRecord(f"no shard of {stream} holds a record with that sequence number")


def _is_number(bound: Bound | None) -> bool:
    return isinstance(bound, str)


@asking("stream")
def _shards(client: Any, stream: str) -> list[str]:
    pages = client.get_paginator("list_shards").paginate(StreamName=stream)
    return [shard["ShardId"] for page in pages for shard in page["Shards"]]


@asking("stream")
def _iterator(client: Any, stream: str, shard: str, first: Bound | None) -> str | None:
    """Where the shard is read from; None where the sequence number is none of its own."""
    match first:
        case None:
            start: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        case str():
            start = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": first}
        case _:
            start = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": first}
    try:
        return client.get_shard_iterator(StreamName=stream, ShardId=shard, **start)["ShardIterator"]
    except ClientError as error:
        if isinstance(first, str) and code(error) == FOREIGN:
            return None
        raise


@asking("stream")
def _page(client: Any, iterator: str) -> Any:
    return client.get_records(ShardIterator=iterator, Limit=PAGE)


def _is_end(page: Any) -> bool:
    return not page["Records"] and not page.get("MillisBehindLatest")


def _reaches(last: Bound | None, record: Any) -> bool:
    """Whether the record lies before this bound, or at it."""
    match last:
        case None:
            return True
        case str():
            return int(record["SequenceNumber"]) <= int(last)
    return record["ApproximateArrivalTimestamp"] <= last


def _batches(records: Sequence[Any]) -> Iterator[Batch]:
    for place in range(0, len(records), MAX_DAYS):
        part = records[place : place + MAX_DAYS]
        body = invocation(
            REDELIVERY,
            (
                (record["SequenceNumber"], record["ApproximateArrivalTimestamp"].timestamp(), record["Data"])
                for record in part
            ),
        )
        dates = frozenset(date for record in part if (date := about(record["Data"]).date))
        yield Batch(len(part), dates, body, part[-1]["SequenceNumber"])
