"""ALFRED's form: a value a series, date and real-time period.

A period has both its dates (UTC). An entry that is replaced on the day on which it was made ends before it
begins: no date saw it last, and a filter by a date passes it over. An entry begins a period of every series,
which ``recorded_at`` names, even where it has the value that was there before.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from pathlib import Path

from ops.data_package import Table
from schemas import columns
from schemas.columns import Column
from schemas.moment import ONE_DAY, written
from storage import csv_files
from storage.tables import Row

SERIES_ID = Column("series_id", "string", "The region and the figure")
DATE = columns.DATE
STARTS = Column("realtime_start", "date", "The first date on which the value was the last one known, UTC")
ENDS = Column("realtime_end", "date", "The last such date; 9999-12-31 where it still is")
VALUE = Column("value", "integer", "The figure to date", "cumulative persons", nullable=True)
COLUMNS = (SERIES_ID, DATE, STARTS, ENDS, VALUE, columns.RECORDED_AT)
NOT_REPORTED = "."
FOR_EVER = dt.date(9999, 12, 31)


def write(folder: Path, entries: Sequence[Row]) -> list[Table]:
    path = folder / "observations.csv"
    path.write_text(csv_files.text(COLUMNS, _lines(entries)), encoding="utf-8")
    description = "A value a series, date and real-time period"
    key = [SERIES_ID, DATE, columns.RECORDED_AT]
    return [Table(path.name, description, COLUMNS, key, NOT_REPORTED)]


def _lines(entries: Sequence[Row]) -> Iterator[csv_files.Line]:
    for place, column in enumerate(columns.COUNTS):
        series = f"US_{column.name}".upper()
        for date, rows in groupby(entries, csv_files.DATE):
            given = list(rows)
            for row, later in zip_longest(given, given[1:]):
                ends = later.recorded_at.date() - ONE_DAY if later else FOR_EVER
                value = csv_files.COUNTS(row.day.counts)[place]
                yield (
                    series,
                    date.isoformat(),
                    row.recorded_at.date().isoformat(),
                    ends.isoformat(),
                    NOT_REPORTED if value is None else value,
                    written(row.recorded_at),
                )
