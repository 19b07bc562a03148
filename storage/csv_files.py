"""The record as CSV: each day as it stands, and every entry ever made."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from schemas import columns
from schemas.columns import Column
from schemas.day import REGION
from schemas.moment import EPOCH, at, written
from storage.tables import Row

Line = Sequence[str | int | None]

DATE = attrgetter("day.date")
COUNTS = attrgetter(*(column.name for column in columns.COUNTS))
A_DAY = 86_400_000  # milliseconds, as versions are


def days(rows: Iterable[Row]) -> str:
    """Each day as it stands, under ``columns.DAYS``."""
    return text(columns.DAYS, day_lines(rows))


def revisions(rows: Iterable[Row]) -> str:
    """Every entry, under ``columns.ENTRIES``, by date and then in the order in which they were made."""
    return text(columns.ENTRIES, entry_lines(rows))


def text(header: Iterable[Column], lines: Iterable[Line]) -> str:
    """CSV; what is not reported is an empty cell."""
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(column.name for column in header)
    table.writerows(lines)
    return file.getvalue()


def day_lines(rows: Iterable[Row]) -> Iterator[Line]:
    """A row's cells under ``columns.DAYS``."""
    for row in rows:
        yield (row.day.date.isoformat(), REGION, *COUNTS(row.day.counts), written(at(row.version)))


def entry_lines(entries: Iterable[Row]) -> Iterator[Line]:
    """An entry's cells under ``columns.ENTRIES``. The entries are all those of their dates, by date and then
    by version, as the tables give them."""
    entered = Entered()
    for date, rows in groupby(entries, DATE):
        text, number = date.isoformat(), date.toordinal() - EPOCH.toordinal()
        for revision, row in enumerate(rows, 1):
            day, moment = entered[row.version]
            yield (text, REGION, *COUNTS(row.day.counts), revision, day - number, moment)


class Entered(dict[int, tuple[int, str]]):
    """The day that a version lies in, counted from the epoch, and the version as a text. A run enters many
    dates at one moment, which is written once."""

    def __missing__(self, version: int) -> tuple[int, str]:
        self[version] = version // A_DAY, written(at(version))
        return self[version]
