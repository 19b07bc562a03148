"""Replay: events out of the log or the stream, to the consumer again, in Lambda's own shape."""

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

from functions.archive import EVENTS
from functions.stream import REPLAY
from schemas.event import DayEvent, decode, encode


def archived(s3: Any, bucket: str) -> Iterator[list[DayEvent]]:
    """The log's objects in the order of their first version, each with its events in theirs."""
    for name in log_names(s3, bucket):
        lines = s3.get_object(Bucket=bucket, Key=name)["Body"].read().splitlines()
        yield sorted(map(decode, lines), key=lambda event: (event.version, event.day.date))


def log_names(s3: Any, bucket: str) -> list[str]:
    """What the log's objects are called, in the order of their first version."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=EVENTS)
    return sorted((found["Key"] for page in pages for found in page.get("Contents", [])), key=first_version)


def first_version(name: str) -> tuple[int, str]:
    """What an object's name says of where it belongs."""
    return int(name.removeprefix(EVENTS).partition("-")[0]), name


def payload(events: Sequence[DayEvent]) -> bytes:
    """An invocation of the consumer that says it is a replay; an event's arrival is its entry."""
    return invocation((event.id, event.version / 1000, encode(event)) for event in events)


def invocation(records: Iterator[tuple[str, float, bytes]]) -> bytes:
    """The same of records as they lie in the stream: sequence number, arrival in epoch seconds, bytes."""
    found = [
        {
            "eventSource": REPLAY,
            "kinesis": {
                "sequenceNumber": sequence,
                "approximateArrivalTimestamp": arrival,
                "data": base64.b64encode(data).decode(),
            },
        }
        for sequence, arrival, data in records
    ]
    return json.dumps({"Records": found}).encode()
