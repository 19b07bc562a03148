"""When the schedule brings the next figures. Pure."""

import datetime as dt
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# What infra/dashboard.py writes: the schedule's expression, and its time zone where it has one.
DAILY = re.compile(r"cron\((?P<minute>\d+) (?P<hour>\d+) (?:\* \* \?|\? \* \*) \*\)(?: (?P<zone>\S+))?")
RATE = re.compile(r"rate\((?P<number>\d+) (?P<unit>minute|hour|day)s?\)(?: \S+)?")


def next_run(schedule: str, last: dt.datetime | None) -> dt.datetime | None:
    """The first time after the last run that the schedule names; None where none was made, or where the
    schedule is neither a time of each day nor a rate."""
    if last is None:
        return None
    if rate := RATE.fullmatch(schedule):
        return last + dt.timedelta(**{f"{rate['unit']}s": int(rate["number"])})
    daily = DAILY.fullmatch(schedule)
    if not daily:
        return None
    try:
        local = last.astimezone(ZoneInfo(daily["zone"] or "UTC"))
        expected = local.replace(
            hour=int(daily["hour"]), minute=int(daily["minute"]), second=0, microsecond=0
        )
    except (ZoneInfoNotFoundError, ValueError):
        return None
    return (expected if expected > local else expected + dt.timedelta(days=1)).astimezone(dt.UTC)
