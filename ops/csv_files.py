"""The record as CSV: each day as it stands, and every entry ever made."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from schemas.moment import written
from schemas.tables import Row


def days(rows: Iterable[Row]) -> str:
    """``date,cases,deaths,recovered``; recovered is empty where it is not reported."""
    header = ["date", "cases", "deaths", "recovered"]
    return _text(header, ([row.day.date, *_counts(row)] for row in rows))


def revisions(rows: Iterable[Row]) -> str:
    """Every entry, in the order in which they were made; ``kind`` is recorded or revised."""
    header = ["recorded_at", "date", "cases", "deaths", "recovered", "kind"]
    ordered = sorted(rows, key=lambda row: (row.version, row.day.date))
    return _text(
        header, ([written(row.recorded_at), row.day.date, *_counts(row), _kind(row)] for row in ordered)
    )


def _text(header: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(header)
    table.writerows(lines)
    return file.getvalue()


def _kind(row: Row) -> str:
    return "recorded" if row.revision == 1 else "revised"


def _counts(row: Row) -> list[int | str]:
    counts = row.day.counts
    return [counts.cases, counts.deaths, "" if counts.recovered is None else counts.recovered]
