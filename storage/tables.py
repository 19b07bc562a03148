"""The tables: ``daily`` holds each day as it stands, ``revisions`` every entry ever made.

A row is a function of its event: writing it again, in any order, from anywhere, changes nothing. Two stores
can hold the tables, Timestream and DynamoDB; here is what they share, and the choice between them.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from schemas.day import Day
from schemas.event import DayEvent
from schemas.moment import at

TIMESTREAM, DYNAMODB = "timestream", "dynamodb"


@dataclass(frozen=True)
class Row:
    """An entry as the tables hold it. ``run`` names its run; only ``revisions`` has it."""

    day: Day
    version: int
    event: str
    run: str | None = None

    @property
    def recorded_at(self) -> dt.datetime:
        """The version as a moment."""
        return at(self.version)


def row(event: DayEvent) -> Row:
    """The row of an event."""
    return Row(event.day, event.version, event.id, event.run)


class Tables(Protocol):
    """The two tables of one stack. Rows come in the order of their dates, then of their entry. Every method
    raises Unreachable."""

    def write(self, rows: Sequence[Row], behind: Collection[str] = ()) -> Mapping[str, str]:
        """Write each row into both tables, no date twice; in ``daily`` a newer entry stays. ``behind`` has
        the events of which that is known, whose rows are for ``revisions`` alone. The events whose rows are
        refused for their content, with the reason; the other rows are written."""
        ...

    def daily(self) -> list[Row]:
        """Each day as it stands."""
        ...

    def entries(self, date: dt.date | None = None) -> list[Row]:
        """Every entry of a date, or of all dates, oldest entry first."""
        ...

    def as_of(self, moment: dt.datetime) -> list[Row]:
        """Each day as it was believed at that moment, inclusive."""
        ...

    def empty(self) -> None:
        """Take every row out of both tables."""
        ...


def open_tables(names: Mapping[str, str], client: Callable[[str], Any]) -> Tables:
    """The tables of the stack that these names describe: ``store``, ``daily_table``, ``revisions_table``, and
    for Timestream ``database``."""
    if names["store"] == DYNAMODB:
        from storage.dynamodb import DynamoDBTables  # noqa: PLC0415 a cold start loads one store

        return DynamoDBTables(client("dynamodb"), names["daily_table"], names["revisions_table"])
    from storage.timestream import TimestreamTables  # noqa: PLC0415

    return TimestreamTables(client, names["database"], names["daily_table"], names["revisions_table"])


def stamp(rows: Iterable[Row]) -> int:
    """The sum of each date's newest version: the head's stamp when no row is missing."""
    newest: dict[dt.date, int] = {}
    for each in rows:
        newest[each.day.date] = max(each.version, newest.get(each.day.date, 0))
    return sum(newest.values())


def ranked(entries: Iterable[Row]) -> list[tuple[int, Row]]:
    """Each entry with its revision, its rank by version among its date's entries, by date and version."""
    found: list[tuple[int, Row]] = []
    for row in sorted(entries, key=lambda row: (row.day.date, row.version)):
        same = bool(found) and found[-1][1].day.date == row.day.date
        found.append((found[-1][0] + 1 if same else 1, row))
    return found
