"""Replay: events out of the log or the stream, to the consumer again, in Lambda's own shape."""

import base64
import json
from collections.abc import Iterable, Sequence

from schemas.event import DayEvent, encode

# How a record comes that an operator feeds: out of the log, where it is an entry; or out of the stream again,
# where it is decided like any other.
REPLAY, REDELIVERY = "daybook:replay", "daybook:redelivery"


def payload(events: Sequence[DayEvent]) -> bytes:
    """An invocation of the consumer with events of the log; an event's arrival is its entry."""
    return invocation(REPLAY, ((event.id, event.version / 1000, encode(event)) for event in events))


def invocation(source: str, records: Iterable[tuple[str, float, bytes]]) -> bytes:
    """The same of records: sequence number, arrival in epoch seconds, bytes."""
    items = [
        {
            "eventSource": source,
            "kinesis": {
                "sequenceNumber": sequence,
                "approximateArrivalTimestamp": arrival,
                "data": base64.b64encode(data).decode(),
            },
        }
        for sequence, arrival, data in records
    ]
    return json.dumps({"Records": items}).encode()
