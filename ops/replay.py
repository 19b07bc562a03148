"""Replay: events out of the log, to the consumer again, in Lambda's own shape."""

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

from functions.archive import EVENTS
from functions.stream import REPLAY
from schemas.event import DayEvent, decode, encode


def archived(s3: Any, bucket: str) -> Iterator[list[DayEvent]]:
    """The log's objects in the order of their first version, each with its events in theirs."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=EVENTS)
    names = [found["Key"] for page in pages for found in page.get("Contents", [])]
    for name in sorted(names, key=first_version):
        lines = s3.get_object(Bucket=bucket, Key=name)["Body"].read().splitlines()
        yield sorted(map(decode, lines), key=lambda event: (event.version, event.day.date))


def first_version(name: str) -> tuple[int, str]:
    """What an object's name says of where it belongs."""
    return int(name.removeprefix(EVENTS).partition("-")[0]), name


def payload(events: Sequence[DayEvent]) -> bytes:
    """An invocation of the consumer that says it is a replay; an event's arrival is its entry."""
    records = [
        {
            "eventSource": REPLAY,
            "kinesis": {
                "sequenceNumber": event.id,
                "partitionKey": event.day.region,
                "approximateArrivalTimestamp": event.version / 1000,
                "data": base64.b64encode(encode(event)).decode(),
            },
        }
        for event in events
    ]
    return json.dumps({"Records": records}).encode()
