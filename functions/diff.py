"""The one rule: a day is pending until the ledger acknowledges exactly the values published for it."""

import datetime as dt
from collections.abc import Iterable, Mapping

from schemas.day import Day
from schemas.event import DayEvent
from schemas.moment import version
from schemas.run import Acknowledged, Run


def diff(days: Iterable[Day], acknowledged: Mapping[dt.date, Acknowledged]) -> list[Day]:
    """The pending days, oldest first; empty when there is nothing to do."""
    return sorted(
        (day for day in days if _digest(acknowledged.get(day.date)) != day.counts.digest),
        key=lambda day: day.date,
    )


def _digest(entry: Acknowledged | None) -> str | None:
    return None if entry is None else entry.digest


def unacknowledged(
    days: Iterable[Day], pending: Iterable[Day], acknowledged: Mapping[dt.date, Acknowledged]
) -> dict[dt.date, dt.date | None]:
    """Each pending date that was never acknowledged, with the published date before it (None: none is)."""
    dates = [day.date for day in days]
    before = dict(zip(dates, [None, *dates], strict=False))
    return {day.date: before[day.date] for day in pending if day.date not in acknowledged}


def events(
    pending: Iterable[Day], acknowledged: Mapping[dt.date, Acknowledged], run: Run, stack: str
) -> list[DayEvent]:
    """One event a pending day. Its version is the run's time, or one more than the day's last version."""
    name, now = run.name, version(run.time)
    return [
        DayEvent(
            day=day,
            version=max(now, entry.version + 1) if entry else now,
            revision=entry.revision + 1 if entry else 1,
            previous=entry.counts if entry else None,
            run=name,
            stack=stack,
            files=run.files,
        )
        for day in pending
        for entry in [acknowledged.get(day.date)]
    ]
