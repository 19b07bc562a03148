"""Days, entries, runs, events and files for tests, in one line each."""

import datetime as dt
from collections.abc import Iterable

from schemas.day import Day
from schemas.event import DayEvent
from schemas.figures import Counts
from schemas.ledger import OPEN, Acknowledged, Run

NOON = dt.datetime(2020, 3, 10, 12, tzinfo=dt.UTC)
FIRST = dt.date(2020, 3, 1)
FILES = {"nyt": "a" * 64, "jhu": "b" * 64}


def date(number: int) -> dt.date:
    """The number-th date, from 1."""
    return FIRST + dt.timedelta(days=number - 1)


def counts(cases: int, deaths: int = 0, recovered: int | None = 0) -> Counts:
    return Counts(cases, deaths, recovered)


def first_figures(counts: Counts) -> Counts:
    """The counts without the figures that came later: what a test of the others compares."""
    return Counts(counts.cases, counts.deaths, counts.recovered)


def day(number: int, cases: int, deaths: int = 0, recovered: int | None = 0) -> Day:
    return Day(date(number), counts(cases, deaths, recovered))


def entry(number: int, cases: int, version: int = 1, entries: int = 1, **more: object) -> Acknowledged:
    values = counts(cases)
    known = {
        "date": date(number),
        "counts": values,
        "version": version,
        "seen": version,
        "entries": entries,
        "event": f"US/{date(number)}/{version}/{values.digest}",
        "run": "r",
        "acknowledged_at": NOON,
    }
    return Acknowledged(**(known | more))  # type: ignore[arg-type]


def entries(*found: Acknowledged) -> dict[dt.date, Acknowledged]:
    return {item.date: item for item in found}


def event(number: int, cases: int, version: int = 1, previous: int | None = None, run: str = "r") -> DayEvent:
    before = None if previous is None else counts(previous)
    return DayEvent(day(number, cases), version, before, run, "test", FILES)


def run(pending: Iterable[int] = (), **more: object) -> Run:
    known = {"time": NOON, "request": "request-1", "trigger": "schedule", "state": OPEN}
    return Run(**(known | {"pending": tuple(map(date, pending))} | more))  # type: ignore[arg-type]


def nyt(*rows: str) -> bytes:
    """The New York Times' file with these rows."""
    return "\n".join(["date,cases,deaths", *rows]).encode()


def jhu(*rows: str) -> bytes:
    """The Johns Hopkins file (countries aggregated) with these U.S. rows among others'.

    A row is ``2020-03-01,7``: date and recovered.
    """
    lines = ["Date,Country,Confirmed,Recovered,Deaths", "2020-03-01,Andorra,1,0,0"]
    for row in rows:
        first, _, recovered = row.partition(",")
        lines.append(f"{first},US,100,{recovered},5")
    return "\n".join([*lines, '2020-03-01,"Korea, South",9,1,0', ""]).encode()
