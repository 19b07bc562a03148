"""The record as CSV: each day as it stands, and every entry ever made."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from schemas.figures import FIGURES
from schemas.moment import written
from storage.tables import Row, ranked


def days(rows: Iterable[Row]) -> str:
    """Date and figures; a figure is empty where it is not reported."""
    header = ["date", *_figures()]
    return _text(header, ([row.day.date, *_counts(row)] for row in rows))


def revisions(rows: Iterable[Row]) -> str:
    """Every entry, in the order in which they were made; ``kind`` is recorded or revised."""
    header = ["recorded_at", "date", *_figures(), "kind"]
    ordered = sorted(ranked(rows), key=lambda entry: (entry[1].version, entry[1].day.date))
    return _text(
        header,
        ([written(row.recorded_at), row.day.date, *_counts(row), _kind(rank)] for rank, row in ordered),
    )


def _text(header: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    file = io.StringIO()
    table = csv.writer(file, lineterminator="\n")
    table.writerow(header)
    table.writerows(lines)
    return file.getvalue()


def _kind(revision: int) -> str:
    return "recorded" if revision == 1 else "revised"


def _figures() -> list[str]:
    return [figure.name for figure in FIGURES]


def _counts(row: Row) -> list[int | str]:
    return ["" if value is None else value for value in row.day.counts.values.values()]
