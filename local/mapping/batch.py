"""Which of a stream's records a function is given at once, and what its answer means for them: pure."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping as MappingType
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from local.stack.definitions import LocalMapping

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024  # Lambda's quota for a synchronous invocation
WHOLE_BATCH = -1
RECORD_AGE_EXCEEDED = "RecordAgeExceeded"
_FRAME = len('{"Records": []}')
_COMMA = len(", ")


@dataclass(frozen=True)
class StreamRecord:
    """`text` is the record in Lambda's shape, as JSON."""

    sequence_number: str
    arrived: datetime
    text: str = field(repr=False)


@dataclass(frozen=True)
class Batch:
    """Consecutive records of one shard, oldest first. What was counted before a split counts for both halves;
    what is left after a partial success begins anew."""

    records: tuple[StreamRecord, ...]
    not_before: datetime
    retries: int = 0
    invocations: int = 0
    request_id: str = ""  # of the last invocation
    error: str | None = None  # of the last invocation; None also where it named its failed items itself

    def payload(self) -> bytes:
        return f'{{"Records": [{", ".join(record.text for record in self.records)}]}}'.encode()

    def split(self, at: int) -> tuple[Batch, Batch]:
        return replace(self, records=self.records[:at]), replace(self, records=self.records[at:])


def shape(record: MappingType[str, Any], shard_id: str, mapping: LocalMapping) -> StreamRecord:
    """From GetRecords' form to the one in a function's event."""
    _, _, _, region, account, _ = mapping.stream_arn.split(":", 5)
    arrived = record["ApproximateArrivalTimestamp"].astimezone(UTC)
    number = record["SequenceNumber"]
    event = {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": number,
            "data": base64.b64encode(record["Data"]).decode(),
            "approximateArrivalTimestamp": round(arrived.timestamp(), 3),
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{account}:role/{mapping.function_name}",
        "awsRegion": region,
        "eventSourceARN": mapping.stream_arn,
    }
    return StreamRecord(number, arrived, json.dumps(event))


def fitting(records: Sequence[StreamRecord], batch_size: int) -> int:
    """How many of the first records make one batch: at least one, within its size and the payload's quota."""
    size = _FRAME
    for count, record in enumerate(records[:batch_size]):
        size += len(record.text) + _COMMA
        if count and size > MAX_PAYLOAD_BYTES:
            return count
    return min(len(records), batch_size)


def first_failed(response: bytes, batch: Batch) -> int | None:
    """Where in the batch a function that reports its failed items wants to begin again.

    None when all went well, WHOLE_BATCH when an item isn't known. By the Lambda developer guide, "Configuring
    partial batch response with Kinesis Data Streams and Lambda"; that an empty text is a success, by AWS's
    answers as LocalStack recorded them in November 2025. What becomes of an answer of another form is said
    nowhere: here that is a failure too.
    """
    try:
        answer = json.loads(response or b"null")
    except ValueError:
        return WHOLE_BATCH
    if answer is None or answer == "":
        return None
    failures = answer.get("batchItemFailures") if isinstance(answer, dict) else ""
    if failures is None or failures == []:
        return None
    if not isinstance(failures, list):
        return WHOLE_BATCH
    places = {int(record.sequence_number): place for place, record in enumerate(batch.records)}
    return min(_place(item, places) for item in failures)


def _place(item: Any, places: MappingType[int, int]) -> int:
    number = item.get("itemIdentifier") if isinstance(item, dict) else None
    if not isinstance(number, str) or not number.isdecimal():
        return WHOLE_BATCH
    return places.get(int(number), WHOLE_BATCH)


def failure_message(
    batch: Batch, mapping: LocalMapping, shard_id: str, condition: str, now: datetime
) -> dict[str, Any]:
    """The on-failure destination's message, which says only where the records lie.

    As AWS's messages that LocalStack recorded in November 2025: none about the age of records has a
    `responseContext`, a batch that the function was never given counts as invoked once and has a request's id
    all the same, and `functionError` is null when the function named its failed items itself.
    """
    _, _, _, region, account, _ = mapping.stream_arn.split(":", 5)
    message: dict[str, Any] = {
        "requestContext": {
            "requestId": batch.request_id or str(uuid.uuid4()),
            "functionArn": f"arn:aws:lambda:{region}:{account}:function:{mapping.function_name}",
            "condition": condition,
            "approximateInvokeCount": max(batch.invocations, 1),
        },
        "version": "1.0",
        "timestamp": _text(now),
        "KinesisBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": batch.records[0].sequence_number,
            "endSequenceNumber": batch.records[-1].sequence_number,
            "approximateArrivalOfFirstRecord": _text(batch.records[0].arrived),
            "approximateArrivalOfLastRecord": _text(batch.records[-1].arrived),
            "batchSize": len(batch.records),
            "streamArn": mapping.stream_arn,
        },
    }
    if condition != RECORD_AGE_EXCEEDED:
        message["responseContext"] = {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": batch.error,
        }
    return message


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
