"""EventBridge Scheduler: when a schedule fires, with what payload, and the loop that waits for it.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as wall_time
from itertools import product
from zoneinfo import ZoneInfo

from infra.schedule_expression import problem_with
from local.clock import Clock
from local.definitions import LocalSchedule

AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
CRON = re.compile(r"cron\((.*)\)")
FIELDS = {
    "minutes": range(60),
    "hours": range(24),
    "day of month": range(1, 32),
    "month": range(1, 13),
    "day of week": range(1, 8),  # from Sunday on
    "year": range(1970, 2200),
}
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
NUMBERS = {name: number for names in (MONTHS, DAYS) for number, name in enumerate(names, 1)}
CRON_ONLY_ON_AWS = re.compile(r"[LW#]")
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
    found = CRON.fullmatch(expression)
    assert found  # noqa: S101 problem_with has seen to it
    return _next_cron(found[1].upper(), zone, after)


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


def _next_cron(text: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    fields = dict(zip(FIELDS, text.split(), strict=True))
    for name in ("day of month", "day of week"):
        # The names of days and months hold none of the letters that a field may end with.
        if CRON_ONLY_ON_AWS.search(re.sub("[A-Z]{3}", "", fields[name])):
            raise ExpressionNotSupported(f"cron({text}): {fields[name]} (L, W, #) runs only on AWS")
    values = {name: _values(name, field) for name, field in fields.items()}
    times = [wall_time(*hour_minute) for hour_minute in product(values["hours"], values["minutes"])]
    for day in _days(values, after.astimezone(zone).date()):
        moments = (_utc(datetime.combine(day, time), zone) for time in times)
        if later := [moment for moment in moments if moment is not None and moment > after]:
            return min(later)
    return None


def _days(values: dict[str, list[int]], first: date) -> Iterator[date]:
    for year in values["year"]:
        for month in values["month"]:
            if (year, month) < (first.year, first.month):
                continue
            for number in values["day of month"]:
                try:
                    day = date(year, month, number)
                except ValueError:  # the 31st of June
                    continue
                if day >= first and day.isoweekday() % 7 + 1 in values["day of week"]:  # 1 is Sunday
                    yield day


def _values(name: str, text: str) -> list[int]:
    low, high = FIELDS[name][0], FIELDS[name][-1]
    values: set[int] = set()
    for part in text.split(","):
        span, stepped, step = part.partition("/")
        if span in {"*", "?"}:
            first, last = low, high
        else:
            ends = [NUMBERS.get(end) or int(end) for end in span.split("-")]
            first = ends[0]
            last = ends[1] if len(ends) > 1 else high if stepped else first
        values.update(range(first, last + 1, int(step or 1)))
    return sorted(values)


def _utc(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """None for a time that the zone's clocks leave out; of two, the earlier."""
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == wall else None
