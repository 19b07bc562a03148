"""Events of the record itself: its greatest restatements, its standstills, figures that ended. Pure."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dashboard import series, text
from dashboard.series import NAMES, ONE_DAY, WEEK, Milestone
from schemas.figures import FIGURES, PUBLISHERS
from schemas.text import plural
from storage.tables import Row, ranked

MOST_TURNS, MOST_STANDSTILLS = 3, 2


@dataclass(frozen=True)
class Turn:
    """A date on which many days' cases were restated: the record of the date before is worth a look.
    ``change`` is the largest of those changes."""

    before: dt.date
    on: dt.date
    days: int
    change: int

    @property
    def brief(self) -> str:
        return f"{plural(self.days, 'day')} changed, by up to {text.number(abs(self.change))}"


def turns(entries: Sequence[Row]) -> list[Turn]:
    """The dates of the greatest restatements of cases, the greatest first, none within a week of another."""
    known: dict[dt.date, int] = {}
    changes: dict[dt.date, list[int]] = defaultdict(list)
    for row in sorted(entries, key=lambda row: row.version):
        date, cases = row.day.date, row.day.counts.cases
        if date in known and cases != known[date]:
            changes[row.recorded_at.date()].append(cases - known[date])
        known[date] = cases
    dates = series.moments(entries)
    before = dict(zip(dates[1:], dates, strict=False))
    found: list[Turn] = []
    for on, differences in sorted(changes.items(), key=lambda item: -sum(map(abs, item[1]))):
        if on in before and all(abs((on - turn.on).days) >= WEEK for turn in found):
            found.append(Turn(before[on], on, len(differences), max(differences, key=abs)))
    return found[:MOST_TURNS]


def milestones(entries: Sequence[Row]) -> list[Milestone]:
    """The record's own events, oldest first; none of the epidemic."""
    events = [
        *((turn.on, f"Cases restated: {turn.brief}.") for turn in turns(entries)),
        *_standstills(entries),
        *_ends(entries),
    ]
    return [Milestone(chr(ord("a") + place), *event) for place, event in enumerate(sorted(events))]


def _standstills(entries: Sequence[Row]) -> list[tuple[dt.date, str]]:
    """The longest times, of a week and more, in which no new day was entered."""
    arrivals: dict[dt.date, int] = defaultdict(int)
    for rank, row in ranked(entries):
        arrivals[row.recorded_at.date()] += rank == 1
    dates = sorted(date for date, days in arrivals.items() if days)
    gaps = [(start, end) for start, end in pairwise(dates) if (end - start).days > WEEK]
    return [
        (
            start + ONE_DAY,
            f"No new day was entered until {text.date(end)}; then {plural(arrivals[end], 'day')} came at "
            "once.",
        )
        for start, end in sorted(gaps, key=lambda gap: gap[0] - gap[1])[:MOST_STANDSTILLS]
    ]


def _ends(entries: Sequence[Row]) -> list[tuple[dt.date, str]]:
    """Where a figure was reported for the last time, of those that the newest day has not."""
    rows = series.believed(entries, dt.datetime.max.replace(tzinfo=dt.UTC))
    ends: list[tuple[dt.date, str]] = []
    for figure in FIGURES:
        values = [(row.day.date, row.day.counts.values[figure.name]) for row in rows]
        reported = [(date, value) for date, value in values if value is not None]
        if reported and reported[-1][0] < values[-1][0]:
            last, value = reported[-1]
            ends.append(
                (
                    last + ONE_DAY,
                    f"{NAMES[figure.name]} are not reported by {PUBLISHERS[figure.source]} from here on; the "
                    f"last count is {text.number(value)}.",
                )
            )
    return ends
