"""Moments: UTC, to the millisecond, written one way. A version is a moment in epoch milliseconds."""

import datetime as dt
from functools import lru_cache

MILLISECOND = dt.timedelta(milliseconds=1)
ONE_DAY = dt.timedelta(days=1)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
DATE_LENGTH = len("2020-12-31")


def moment(text: str) -> dt.datetime:
    """An ISO 8601 moment with its zone, cut to milliseconds, in UTC. Raises ValueError without a zone."""
    found = dt.datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return at(version(found))


def end_of(date: dt.date) -> dt.datetime:
    """The last millisecond of a date, UTC."""
    return dt.datetime.combine(date, dt.time(), dt.UTC) + (ONE_DAY - MILLISECOND)


def as_of(text: str) -> dt.datetime:
    """The moment that an "as of" means: in UTC unless it says another zone; a date alone is its end. Raises
    ValueError."""
    if len(text) == DATE_LENGTH:
        return end_of(dt.date.fromisoformat(text))
    when = dt.datetime.fromisoformat(text)
    try:
        return at(version(when if when.tzinfo else when.replace(tzinfo=dt.UTC)))
    except OverflowError as error:  # a zone leads out of the years that there are
        raise ValueError(f"no such moment: {text!r}") from error


@lru_cache(64)  # all events of a run say one moment
def written(when: dt.datetime) -> str:
    """``2020-09-02T12:00:00.000Z``: as text in the same order as in time."""
    return when.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def version(when: dt.datetime) -> int:
    """Epoch milliseconds."""
    return (when - EPOCH) // MILLISECOND


@lru_cache(64)
def at(version: int) -> dt.datetime:
    """The moment that a version is."""
    return EPOCH + version * MILLISECOND
