"""The sources' public history: which commit each of them published when, and what the run of a date reads.

The list travels in the fetcher's package. A request names a date, never an address.
"""

import bisect
import csv
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from functions.errors import RequestRefused
from schemas.figures import SOURCES
from schemas.ledger import BACKFILL
from schemas.moment import written
from schemas.text import ONE_DAY

LIST = Path(__file__).with_name("history.csv")
NOON = dt.time(12)


@dataclass(frozen=True)
class Commits:
    """One source's commits, oldest first: the moments of publication, and each file's place below the base
    address."""

    moments: tuple[dt.datetime, ...]
    places: tuple[str, ...]

    def at(self, moment: dt.datetime) -> str | None:
        """The place of the newest file published by then; None before the first."""
        place = bisect.bisect_right(self.moments, moment)
        return self.places[place - 1] if place else None


def commits() -> Mapping[str, Commits]:
    """Each source's commits. Raises RequestRefused where the package lacks the list."""
    try:
        with LIST.open(newline="", encoding="utf-8") as file:
            rows = sorted(csv.DictReader(file), key=lambda row: row["published_at"])
    except OSError as error:
        raise RequestRefused(
            f"the list of the public history is missing from this package: {error}"
        ) from error
    return {source: _commits(row for row in rows if row["source"] == source) for source in SOURCES}


def _commits(rows: Iterable[Mapping[str, str]]) -> Commits:
    found = [
        (dt.datetime.fromisoformat(row["published_at"]), f"{row['repository']}/{row['commit']}/{row['path']}")
        for row in rows
    ]
    moments, places = zip(*found, strict=True)
    return Commits(moments, places)


def dates() -> list[dt.date]:
    """The dates of the history's runs: from the first noon at which both sources had published, to the first
    one after the last commit."""
    known = commits().values()
    first = max(_next_noon(each.moments[0]) for each in known)
    last = max(_next_noon(each.moments[-1]) for each in known)
    return [first + number * ONE_DAY for number in range((last - first).days + 1)]


def addresses(date: dt.date, base: str) -> dict[str, str]:
    """Source → URL of what was the newest file at noon of a listed date."""
    places = {source: each.at(moment_of(date)) for source, each in commits().items()}
    return {source: f"{base.rstrip('/')}/{place}" for source, place in places.items()}


def moment_of(date: dt.date) -> dt.datetime:
    """The time of a date's run: noon, UTC."""
    return dt.datetime.combine(date, NOON, dt.UTC)


def request(date: dt.date) -> dict[str, object]:
    """What asks the fetcher for the run of a date."""
    return {"version": 1, "trigger": BACKFILL, "date": date.isoformat()}


def request_id(date: dt.date) -> str:
    return f"{BACKFILL}/{date}"


def run_name(date: dt.date) -> str:
    """What the run of a date is called in the ledger. It has one name, however often it is asked for."""
    return f"{written(moment_of(date))}#{request_id(date)}"


def _next_noon(moment: dt.datetime) -> dt.date:
    return moment.date() if moment <= moment_of(moment.date()) else moment.date() + ONE_DAY
