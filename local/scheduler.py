"""EventBridge Scheduler: when a schedule fires, with what payload, and the loop that waits for it.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import time as wall_time
from itertools import product
from zoneinfo import ZoneInfo

from infra.schedule_expression import RATE, OnlyOnAws, cron_values, firing_days, problem_with
from local.clock import Clock
from local.stack.definitions import LocalSchedule

AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
ARN = "arn:aws:scheduler:us-east-1:123456789012:schedule/default/"
# The wait is taken in parts: a laptop that slept in between wakes to another time of day.
LONGEST_WAIT_SECONDS = 30

_log = logging.getLogger(__name__)


class ExpressionNotSupported(ValueError):
    """A schedule expression that is wrong, or that only AWS can run."""


def next_time(
    expression: str, timezone: str, after: datetime, created: datetime | None = None
) -> datetime | None:
    """The first firing later than `after`, in UTC; None when there will be none.

    A rate counts from `created`, or else from `after`. When the zone's clocks change, a time that they leave
    out isn't fired, and one that comes twice is fired the first time only. Raises ExpressionNotSupported.
    """
    zone = ZoneInfo(timezone)
    if found := AT.fullmatch(expression):
        moment = _utc(datetime.fromisoformat(found[1]), zone)
        return moment if moment is not None and moment > after else None
    if problem := problem_with(expression):
        raise ExpressionNotSupported(f"{expression}: {problem}")
    if found := RATE.fullmatch(expression):
        every = timedelta(**{f"{found[2]}s": int(found[1])})
        start = created or after
        return start + every * max(1, (after - start) // every + 1)
    return _next_cron(expression, zone, after)


def fire(schedule: LocalSchedule, moment: datetime, attempt: int = 1) -> bytes:
    """What the target gets. The execution's id follows from the schedule and the moment."""
    scheduled = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    arn = ARN + schedule.name
    execution = hashlib.sha256(f"{arn} {scheduled} {attempt}".encode()).hexdigest()[:16]
    values = {
        "schedule-arn": arn,
        "scheduled-time": scheduled,
        "execution-id": execution,
        "attempt-number": str(attempt),
    }
    text = schedule.input or _default_input(execution, scheduled, arn)
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text.encode()


def run(
    schedule: LocalSchedule,
    invoke_async: Callable[[str, bytes], object],
    clock: Clock,
    stop_event: threading.Event,
) -> None:
    """Fires in real time until `stop_event`, or until there is nothing more to fire.

    Times that passed while nobody was there are not made up for.
    """
    created = clock.now()
    while moment := next_time(schedule.expression, schedule.timezone, clock.now(), created):
        while (wait := (moment - clock.now()).total_seconds()) > 0:
            if stop_event.wait(min(wait, LONGEST_WAIT_SECONDS)):
                return
        if stop_event.is_set():
            return
        try:
            invoke_async(schedule.target_function, fire(schedule, moment))
        except Exception:
            _log.exception("firing %s", schedule.name)


def _default_input(execution: str, scheduled: str, arn: str) -> str:
    """What a target without an input of its own is sent."""
    _, _, _, region, account, _ = arn.split(":", 5)
    event = {
        "version": "0",
        "id": execution,
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": account,
        "time": scheduled,
        "region": region,
        "resources": [arn],
        "detail": "{}",
    }
    return json.dumps(event)


def _next_cron(expression: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    try:
        values = cron_values(expression)
    except OnlyOnAws as error:
        raise ExpressionNotSupported(str(error)) from error
    times = [wall_time(*hour_minute) for hour_minute in product(values["hours"], values["minutes"])]
    for day in firing_days(values, after.astimezone(zone).date()):
        moments = (_utc(datetime.combine(day, time), zone) for time in times)
        if later := [moment for moment in moments if moment is not None and moment > after]:
            return min(later)
    return None


def _utc(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """None for a time that the zone's clocks leave out; of two, the earlier."""
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == wall else None
