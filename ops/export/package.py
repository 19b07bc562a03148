"""The record as CSV, as the dashboard's addresses for programs have it."""

from collections.abc import Sequence
from pathlib import Path

from ops.data_package import Table
from schemas import columns
from storage import csv_files
from storage.tables import Row

DAYS = "Each day as it stands: the newest entry of each date"
ENTRIES = "Every entry: what was recorded first, and each correction"


def write(folder: Path, entries: Sequence[Row]) -> list[Table]:
    newest = {row.day.date: row for row in entries}
    (folder / "days.csv").write_text(csv_files.days(newest.values()), encoding="utf-8")
    (folder / "entries.csv").write_text(csv_files.revisions(entries), encoding="utf-8")
    return [
        Table("days.csv", DAYS, columns.DAYS, [columns.DATE]),
        Table("entries.csv", ENTRIES, columns.ENTRIES, [columns.DATE, columns.REVISION]),
    ]
