"""What can be taken home: CSV and JSON. Pure.

A text that a spreadsheet would take for a formula gets an apostrophe before it.
"""

import csv
import datetime as dt
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dashboard import words
from dashboard.series import SERIES, Figure, Restated, Shown
from schemas.day import REGION
from schemas.figures import FIGURES
from schemas.moment import written
from storage.tables import Row, ranked

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | None


def text_of(rows: Iterable[Sequence[Cell]]) -> str:
    """CSV of a header and rows; what isn't known is an empty cell."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows([harmless(cell) for cell in row] for row in rows)
    return file.getvalue()


def harmless(cell: Cell) -> Cell:
    """Texts only: a number may begin with a minus."""
    return "'" + cell if isinstance(cell, str) and cell.startswith(DANGEROUS) else cell


def columns(then: Shown | None) -> list[str]:
    """The columns of what a chart shows."""
    names = [name if name != "fatality" else "fatality_percent" for name in SERIES]
    return ["date", *names, *(f"{name}_today" for name in names if then is not None)]


def shown_rows(now: Shown, then: Shown | None) -> list[tuple[dt.date, list[Figure]]]:
    """What a chart shows, a row a date, oldest first; beside the record as it stood, today's."""
    sides = [_by_date(now)] if then is None else [_by_date(then), _by_date(now)]
    nothing: list[Figure] = [None] * len(SERIES)
    return [
        (date, [value for side in sides for value in side.get(date, nothing)])
        for date in sorted(set().union(*sides))
    ]


def _by_date(shown: Shown) -> dict[dt.date, list[Figure]]:
    return {date: [shown.figures[name][place] for name in SERIES] for place, date in enumerate(shown.dates)}


def record_rows(rows: Iterable[Row]) -> list[list[Cell]]:
    """Each day as it stands, with a header."""
    return _with_header(["date", "region", *_figures(), "recorded_at"], map(entry, rows))


def revision_rows(entries: Iterable[Row]) -> list[list[Cell]]:
    """Every entry with its revision, with a header."""
    header = ["date", "region", *_figures(), "revision", "recorded_at"]
    return _with_header(header, revisions(entries))


def _figures() -> list[str]:
    return [figure.name for figure in FIGURES]


def _with_header(header: Sequence[str], found: Iterable[Mapping[str, Cell]]) -> list[list[Cell]]:
    return [[*header], *([values[name] for name in header] for values in found)]


def restated_rows(restated: Iterable[Restated]) -> list[list[Cell]]:
    """Figures restated later, with their header."""
    header: list[Cell] = ["date", "series", "then", "now", "entered_at"]
    return [
        header,
        *([one.date.isoformat(), one.series, one.then, one.now, written(one.entered_at)] for one in restated),
    ]


def entry(row: Row) -> dict[str, Any]:
    """An entry as JSON has it; a figure is null where it is not reported."""
    return {
        "date": row.day.date.isoformat(),
        "region": REGION,
        **row.day.counts.values,
        "recorded_at": written(row.recorded_at),
    }


def revisions(entries: Iterable[Row]) -> list[dict[str, Any]]:
    """Entries as JSON has them, each with its rank by version among its date's entries."""
    return [entry(row) | {"revision": revision} for revision, row in ranked(entries)]


def document(
    content: Mapping[str, object], synthetic: bool, trailing: bool, read_at: dt.datetime | None
) -> str:
    """JSON with what must be said wherever the figures go."""
    about = {
        "credit": [words.CREDIT_NYT, words.CREDIT_JHU],
        "synthetic": synthetic,
        "trailing": trailing,
        "read_at": None if read_at is None else written(read_at),
    }
    return json.dumps({**about, **content}, ensure_ascii=False, separators=(",", ":"))
