"""What asks for a run: its time, its trigger, its id. Handlers read no clock; time comes from here."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from functions.errors import RequestRefused
from schemas.moment import moment

EVENT_AGE = dt.timedelta(hours=1)  # how long Lambda retries a request
MAX_AHEAD = dt.timedelta(minutes=5)
TRIGGER = re.compile(r"[A-Za-z0-9_-]{1,40}")


@dataclass(frozen=True)
class Request:
    """``time`` is the scheduled moment, or the one at which the request arrived."""

    id: str
    time: dt.datetime
    arrived: dt.datetime
    trigger: str


def read(event: Mapping[str, Any], request_id: str, answered: dt.datetime | None) -> Request:
    """The request. ``answered`` is when the ledger answered, by its own clock: that is when the request
    arrived.

    Raises RequestRefused for a time that is none, or more than five minutes ahead; and where there is no time
    at all.
    """
    trigger = event.get("trigger", "manual")
    if not isinstance(trigger, str) or not TRIGGER.fullmatch(trigger):
        raise RequestRefused(f"trigger is {trigger!r}, and should be a word")
    time = scheduled(event)
    arrived = answered or time
    time = time or arrived
    if arrived is None or time is None:
        raise RequestRefused("neither the request nor the ledger's answer has a time")
    if time - arrived > MAX_AHEAD:
        raise RequestRefused(f"scheduled for {time}, which is more than {MAX_AHEAD} after {arrived}")
    return Request(request_id, time, arrived, trigger)


def scheduled(event: Mapping[str, Any]) -> dt.datetime | None:
    """The scheduled moment; None where the event has none. Raises RequestRefused where it is no moment."""
    text = event.get("scheduled_at")
    if text is None:
        return None
    try:
        return moment(text)
    except (TypeError, ValueError, OverflowError) as error:
        raise RequestRefused(
            f"scheduled_at is {text!r}, and should be an ISO 8601 moment with its zone"
        ) from error
