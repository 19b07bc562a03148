"""How a figure comes to its last value: how often, how late and by how much it is restated. Pure.

The measures are those of ``revision_summary`` of the R package epiprocess, but that days are counted from a
figure's first appearance, and not from the date that it is about.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.answers import Answer, answers
from storage.tables import Row

NEAR = 0.001  # of the last value: within it a figure has settled


@dataclass(frozen=True)
class Settling:
    """One figure over all days whose first appearance the record saw. Each tuple is in order of size."""

    days: int
    restated: int  # days whose figure changed
    near_at_first: int  # days whose first figure lies within NEAR of the last
    lags: tuple[int, ...]  # of each change, in days from the figure's first appearance
    settled: tuple[int, ...]  # of each day: days until its figure lies within NEAR of the last, and stays
    off: tuple[float, ...]  # of each day: how far the first figure lies from the last, as a part of that
    late: int  # days that first appeared in the last LATE days of the record


LATE = 14


def settling(entries: Sequence[Row], name: str, show: str) -> Settling:
    """How a series settles. Of a day that is older than the record only a late figure is known: it is left
    out."""
    moments = [row.recorded_at for row in entries]
    begin = min(moments).date() if moments else dt.date.max
    watched = {
        date: [answer for answer in given if answer.value is not None]
        for date, given in answers(entries, name, show).items()
        if date >= begin
    }
    return summary(watched, max(moments, default=None))


def summary(watched: Mapping[dt.date, Sequence[Answer]], until: dt.datetime | None) -> Settling:
    """The measures over these days' answers, none of which is None."""
    off = [_off(given[0], given[-1]) for given in watched.values()]
    return Settling(
        days=len(watched),
        restated=sum(len(given) > 1 for given in watched.values()),
        near_at_first=sum(part <= NEAR for part in off),
        lags=tuple(sorted(_lag(given, answer) for given in watched.values() for answer in given[1:])),
        settled=tuple(sorted(map(_settled, watched.values()))),
        off=tuple(sorted(off)),
        late=sum(until is not None and (until - given[0].moment).days < LATE for given in watched.values()),
    )


def share(values: Sequence[float], part: float) -> float:
    """The least of the values, in order of size, that this part of all of them doesn't exceed."""
    return values[max(0, math.ceil(part * len(values)) - 1)]


def _lag(given: Sequence[Answer], answer: Answer) -> int:
    return (answer.moment.date() - given[0].moment.date()).days


def _off(answer: Answer, last: Answer) -> float:
    value, end = answer.value or 0, last.value or 0
    if value == end:
        return 0
    return abs(value - end) / abs(end) if end else math.inf


def _settled(given: Sequence[Answer]) -> int:
    settled = given[-1]
    for answer in reversed(given):
        if _off(answer, given[-1]) > NEAR:
            break
        settled = answer
    return _lag(given, settled)
