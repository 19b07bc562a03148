"""What asks for a run: its time, its trigger, its id. Handlers read no clock; time comes from here."""

import datetime as dt
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from functions import history
from functions.errors import RequestRefused
from schemas.ledger import BACKFILL
from schemas.moment import moment

EVENT_AGE = dt.timedelta(hours=1)  # how long Lambda retries a request
MAX_AHEAD = dt.timedelta(minutes=5)
TRIGGER = re.compile(r"[A-Za-z0-9_-]{1,40}")
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True)
class Request:
    """``time`` is the scheduled moment, or the one at which the request arrived; a backfill's is noon of the
    date that it names."""

    id: str
    time: dt.datetime
    arrived: dt.datetime
    trigger: str

    @property
    def is_backfill(self) -> bool:
        return self.trigger == BACKFILL


def read(event: Mapping[str, Any], request_id: str, answered: dt.datetime | None) -> Request:
    """The request. ``answered`` is when the ledger answered, by its own clock: that is when the request
    arrived.

    Raises RequestRefused for a time that is none, or more than five minutes ahead; and where there is no time
    at all.
    """
    trigger = event.get("trigger", "manual")
    if not isinstance(trigger, str) or not TRIGGER.fullmatch(trigger):
        raise RequestRefused(f"trigger is {trigger!r}, and should be a word")
    if trigger == BACKFILL:
        return _backfill(event, answered)
    time = scheduled(event)
    arrived = answered or time
    time = time or arrived
    if arrived is None or time is None:
        raise RequestRefused("neither the request nor the ledger's answer has a time")
    if time - arrived > MAX_AHEAD:
        raise RequestRefused(f"scheduled for {time}, which is more than {MAX_AHEAD} after {arrived}")
    return Request(request_id, time, arrived, trigger)


def _backfill(event: Mapping[str, Any], answered: dt.datetime | None) -> Request:
    date = backfilled(event)
    time = history.moment_of(date)
    if answered is None:
        raise RequestRefused("the ledger's answer has no time")
    return Request(history.request_id(date), time, answered, BACKFILL)


def backfilled(event: Mapping[str, Any]) -> dt.date:
    """The date that a backfill's request names. Raises RequestRefused where the request has another form."""
    text = event.get("date")
    if isinstance(text, str) and DATE.fullmatch(text):
        with suppress(ValueError):
            date = dt.date.fromisoformat(text)
            if event == history.request(date):
                return date
    raise RequestRefused(
        'a backfill is asked for by {"version": 1, "trigger": "backfill", "date": "2020-10-19"}'
    )


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
