"""The one rule: a day is pending until the ledger acknowledges exactly the values published for it."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

from schemas.day import Day
from schemas.event import DayEvent
from schemas.ledger import Acknowledged, Run


def diff(
    days: Iterable[Day], acknowledged: Mapping[dt.date, Acknowledged], owed: Collection[dt.date] = ()
) -> list[Day]:
    """The pending days, oldest first: those whose values are not acknowledged, and those that older runs owe,
    whatever their values, because the older run's event may still come."""
    return sorted(
        (day for day in days if day.date in owed or not _holds(acknowledged.get(day.date), day)),
        key=lambda day: day.date,
    )


def _holds(acknowledged: Acknowledged | None, day: Day) -> bool:
    return acknowledged is not None and acknowledged.counts == day.counts


def unacknowledged(
    days: Iterable[Day], pending: Iterable[Day], acknowledged: Mapping[dt.date, Acknowledged]
) -> dict[dt.date, dt.date | None]:
    """Each pending date that was never acknowledged, with the published date before it (None: none is)."""
    dates = [day.date for day in days]
    before = dict(zip(dates, [None, *dates], strict=False))
    return {day.date: before[day.date] for day in pending if day.date not in acknowledged}


def reached(days: Iterable[Day], acknowledged: Mapping[dt.date, Acknowledged]) -> dt.date | None:
    """The newest published date such that it and every earlier one were acknowledged at least once; None
    where the first was not. ``days`` are the published ones, oldest first."""
    last = None
    for day in days:
        if day.date not in acknowledged:
            break
        last = day.date
    return last


def events(
    pending: Iterable[Day], acknowledged: Mapping[dt.date, Acknowledged], run: Run, stack: str
) -> list[DayEvent]:
    """One event a pending day, with the run's version and the values that it replaces."""
    name, version = run.name, run.version
    return [
        DayEvent(
            day=day,
            version=version,
            previous=known.counts if known else None,
            run=name,
            stack=stack,
            files=run.files,
        )
        for day in pending
        for known in [acknowledged.get(day.date)]
    ]
