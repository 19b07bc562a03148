"""The long form of Delphi's epiprocess: ``as_epi_archive`` takes the file as it is read."""

from collections.abc import Sequence
from pathlib import Path

from ops.data_package import Table
from schemas import columns
from schemas.columns import Column
from schemas.moment import written
from storage import csv_files
from storage.tables import Row

GEO_VALUE = Column("geo_value", "string", "The region, as Delphi calls the nation")
TIME_VALUE = Column("time_value", "date", columns.DATE.description)
VERSION = Column("version", "datetime", columns.RECORDED_AT.description)
COLUMNS = (GEO_VALUE, TIME_VALUE, VERSION, *columns.COUNTS)
NOT_REPORTED = "NA"


def write(folder: Path, entries: Sequence[Row]) -> list[Table]:
    path = folder / "epi_archive.csv"
    path.write_text(csv_files.text(COLUMNS, map(_line, entries)), encoding="utf-8")
    description = "Every entry; what was believed at a time is each date's newest version up to it"
    return [Table(path.name, description, COLUMNS, COLUMNS[:3], NOT_REPORTED)]


def _line(row: Row) -> csv_files.Line:
    counts = [NOT_REPORTED if value is None else value for value in csv_files.COUNTS(row.day.counts)]
    return ("us", row.day.date.isoformat(), written(row.recorded_at), *counts)
