"""``replay``: what there is to replay, batch by batch, and the feeding of it to the consumer."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from marshmallow import ValidationError

from ops.asked import Bound
from ops.errors import AWS, Problem
from ops.output import as_json, counting, facts, say
from ops.replay import archived, invocation, log_names, payload
from ops.target import Target
from schemas.event import about, decode
from schemas.moment import at, version, written

MAX_TRIES = 3  # of a batch that the consumer gives back
RECORDS_PER_INVOCATION = 98  # as the mapping delivers them
PAGE = 1_000  # records a GetRecords; a shard answers at most 2 MB a second


@dataclass(frozen=True)
class Batch:
    """One invocation: how many records, of which dates, and where to go on after it."""

    records: int
    dates: frozenset[dt.date]
    body: bytes
    until: str


def replay(
    target: Target, source: str, bounds: tuple[Bound | None, Bound | None], dry: bool
) -> tuple[int, int]:
    """Feed what lies between the bounds to the consumer; how many records that were, and how many of them
    the store refused for good."""
    if source == "stream":
        batches, total = from_stream(target, *bounds), 0
    else:
        batches = from_archive(target, *bounds)
        total = len(log_names(target.client("s3"), target.facts["archive_bucket"]))
    if dry:
        return sum(batch.records for batch in batches), 0
    return feed(target, batches, total)


def tell(target: Target, replayed: int, refused: int, dry: bool, as_data: bool) -> None:
    """What was replayed, and where that leaves the ledger."""
    head = target.ledger.head()
    found = {
        "replayed": replayed,
        "refused": refused,
        "dry_run": dry,
        "days": len(target.ledger.days()),
        "last_acknowledged": head.last_acknowledged and head.last_acknowledged.isoformat(),
        "stamp": head.stamp,
    }
    if as_data:
        as_json(found)
    else:
        facts(
            {
                "Would be replayed" if dry else "Replayed": f"{replayed:,} events",
                **({"Refused for good": f"{refused:,} of them: see the logs"} if refused else {}),
                "Days acknowledged": found["days"],
                "Last acknowledged date": found["last_acknowledged"],
            }
        )


def from_archive(target: Target, first: Bound | None, last: Bound | None) -> Iterator[Batch]:
    """The log's entries between two moments, one object a batch."""
    low, high = (version(first.start) if first else 0), (version(last.end) if last else None)
    for events in archived(target.client("s3"), target.facts["archive_bucket"]):
        chosen = [
            event for event in events if low <= event.version and (high is None or event.version <= high)
        ]
        dates = frozenset(event.day.date for event in chosen)
        until = written(at(chosen[-1].version)) if chosen else ""
        yield Batch(len(chosen), dates, payload(chosen) if chosen else b"", until)


def from_stream(target: Target, first: Bound | None, last: Bound | None) -> Iterator[Batch]:
    """What the stream retains between two moments of arrival or two sequence numbers."""
    kinesis, stream = target.client("kinesis"), target.facts["stream"]
    for shard in kinesis.list_shards(StreamName=stream)["Shards"]:
        start: dict[str, object] = {"ShardIteratorType": "TRIM_HORIZON"}
        if first and first.sequence:
            start = {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": first.sequence}
        elif first:
            start = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": first.start}
        iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard["ShardId"], **start)[
            "ShardIterator"
        ]
        while iterator:
            answer = kinesis.get_records(ShardIterator=iterator, Limit=PAGE)
            records = [record for record in answer["Records"] if not last or last.reaches(record)]
            for place in range(0, len(records), RECORDS_PER_INVOCATION):
                part = records[place : place + RECORDS_PER_INVOCATION]
                body = invocation(
                    (one["SequenceNumber"], one["ApproximateArrivalTimestamp"].timestamp(), one["Data"])
                    for one in part
                )
                dates = frozenset(date for one in part if (date := about(one["Data"]).date))
                yield Batch(len(part), dates, body, part[-1]["SequenceNumber"])
            beyond = len(records) < len(answer["Records"])
            if beyond or (not answer["Records"] and not answer.get("MillisBehindLatest")):
                break
            iterator = answer.get("NextShardIterator")


def feed(target: Target, batches: Iterable[Batch], total: int) -> tuple[int, int]:
    """Invoke the consumer for one batch after another; how many records, and how many of them were refused
    for good. Raises Problem where it fails."""
    done, refused, reached = 0, 0, ""
    try:
        with counting("Replaying", total) as move:
            for batch in batches:
                if batch.records:
                    refused += _enter(target, batch, reached)
                    done, reached = done + batch.records, batch.until
                move(1)
    except KeyboardInterrupt:
        say(f"\n{done:,} events were replayed. To go on: the same again" + _resume(reached))
        raise
    except ValidationError as error:
        raise Problem(
            f"An object of the log can't be read: {error}",
            f"{done:,} events were replayed before it.",
            "`python -m ops verify` names the object; an earlier version of it is kept in the bucket.",
            AWS,
        ) from error
    return done, refused


def _enter(target: Target, batch: Batch, reached: str) -> int:
    said: object = None
    for _ in range(MAX_TRIES):
        answer = target.invoke("consumer", batch.body)
        said = answer.response
        if answer.error is None and not answer.response["batchItemFailures"]:
            return answer.response["refused"]
        if answer.error is not None:
            break
    raise Problem(
        f"The consumer didn't take a batch of {batch.records} events up to {batch.until}: {str(said)[:500]}",
        "What was replayed before it stands; replaying it again changes nothing.",
        "See `python -m ops logs`; then the same again" + _resume(reached),
        AWS,
    )


def _resume(reached: str) -> str:
    return f", with --from {reached}" if reached else "."


def readable(target: Target) -> int:
    """How many events the log holds. Raises Problem where an object of it can't be read."""
    s3, bucket = target.client("s3"), target.facts["archive_bucket"]
    count = 0
    for name in log_names(s3, bucket):
        try:
            count += len(
                [decode(line) for line in s3.get_object(Bucket=bucket, Key=name)["Body"].read().splitlines()]
            )
        except ValidationError as error:
            raise Problem(
                f"{name} in the log can't be read: {error}",
                "Nothing was changed.",
                "Bring an earlier version of the object back; the bucket keeps them.",
                AWS,
            ) from error
    return count
