"""What a fault of the sources must come to, and what the fetcher really makes of it.

Forty good days, of which 35 are acknowledged; ``decided`` makes a new run of two files and says what came of
them.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from builders import first_figures

from functions.errors import SourceRefused
from functions.new_run import Known, believed
from functions.transform import transform
from schemas.figures import Counts
from schemas.ledger import OPEN, Acknowledged, Head, Run

TAKEN = "taken"
WARNED = "taken with warnings"
MALFORMED = "malformed"
UNBELIEVABLE = "unbelievable"
UNAVAILABLE = "unavailable"

FIRST = dt.date(2020, 2, 1)
DAYS, STORED = 40, 35
MOMENT = dt.datetime.combine(FIRST + dt.timedelta(days=DAYS), dt.time(12), dt.UTC)

Figures = dict[dt.date, Counts]


def date(day: int) -> dt.date:
    """The date of a day of the record, counted from 1."""
    return FIRST + dt.timedelta(days=day - 1)


def counts(day: int) -> Counts:
    """Figures that rise as an epidemic's do, and are nobody's."""
    cases = 100 * day**2 + 1_000
    return Counts(cases, cases // 50, 60 * max(day - 9, 0) ** 2)


GOOD: Figures = {date(day): counts(day) for day in range(1, DAYS + 1)}
NEW: Figures = {date(day): counts(day) for day in range(STORED + 1, DAYS + 1)}
NYT_HEADER, JHU_HEADER = "date,cases,deaths", "Date,Country,Confirmed,Recovered,Deaths"


def nyt_file(days: Figures = GOOD) -> bytes:
    return text([NYT_HEADER, *(f"{day},{found.cases},{found.deaths}" for day, found in days.items())])


def jhu_file(days: Figures = GOOD) -> bytes:
    """In the order of its countries, so that there are lines before the U.S.'s and after."""
    us = [f"{day},US,{found.cases},{found.recovered},{found.deaths}" for day, found in days.items()]
    return text([JHU_HEADER, *others(days, "Atlantis"), *us, *others(days, '"Utopia, North"')])


def others(days: Figures, name: str) -> list[str]:
    return [f"{day},{name},7,0,1" for day in days]


def text(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


FILES = {"nyt": nyt_file(), "jhu": jhu_file()}


@dataclass(frozen=True)
class Decision:
    """What a run would do: its outcome, what people are told of it, and what it would enter."""

    outcome: str
    words: tuple[str, ...] = ()
    pending: Figures = field(default_factory=dict)


def decided(files: Mapping[str, bytes]) -> Decision:
    """What the fetcher makes of these files where the first 35 days are acknowledged."""
    run = Run(time=MOMENT, request="request-1", trigger="schedule", state=OPEN)
    known = Known(Head(last_acknowledged=date(STORED)), _acknowledged(), ())
    try:
        published = transform(files, MOMENT.date())
    except SourceRefused as refusal:
        return Decision(MALFORMED, tuple(map(str, refusal.reasons)))
    try:
        run = believed(run, known, published, ())
    except SourceRefused as refusal:
        return Decision(UNBELIEVABLE, tuple(map(str, refusal.reasons)))
    days = {day.date: first_figures(day.counts) for day in published.days}
    words = tuple(warning.text for warning in run.warnings)
    return Decision(WARNED if words else TAKEN, words, {date: days[date] for date in run.pending})


def _acknowledged() -> dict[dt.date, Acknowledged]:
    return {
        day.date: Acknowledged(day.date, day.counts, 1, 1, 1, f"US/{day.date}", "r", MOMENT)
        for day in transform(FILES, MOMENT.date()).days[:STORED]
    }
