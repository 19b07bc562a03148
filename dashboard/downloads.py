"""What can be taken home: CSV, JSON, and a zip of both; and what each file is called. Pure.

A text that a spreadsheet would take for a formula gets an apostrophe before it.
"""

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from marshmallow import Schema

from dashboard import words
from dashboard.choice import PER_100K, Choice
from dashboard.record import Seen
from dashboard.series import SERIES, Restated, rounded
from dashboard.settings import Settings
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


def shown_rows(seen: Seen) -> list[list[Cell]]:
    """What a chart shows with its header, a row a date, oldest first; beside the record as it stood,
    today's. Each figure is rounded as the page writes it."""
    sides = [side for side in (seen.then, seen.now) if side is not None]
    rows: list[list[Cell]] = [
        [
            date.isoformat(),
            *(rounded(side.figures[name][place], name, seen.choice) for side in sides for name in SERIES),
        ]
        for place, date in enumerate(seen.now.dates)
    ]
    return [["date", *units(seen)], *rows]


def units(seen: Seen) -> dict[str, str]:
    """Each figure's column with its unit."""
    names = {name if name != "fatality" else "fatality_percent": name for name in SERIES}
    sides = ("",) if seen.then is None else ("", "_today")
    return {column + side: words.unit(name, seen.choice) for side in sides for column, name in names.items()}


def about(seen: Seen) -> dict[str, object]:
    """What a file of shown figures holds, and where on this page's host it comes from."""
    query = seen.choice.query()
    return {
        "title": words.title(seen.choice),
        "page": f"/{query}",
        "address": f"/data/shown.csv{query}",
        "query": query,
        "as_of": None if seen.choice.asof is None else seen.choice.asof.isoformat(),
        "through": seen.shown_rows[-1].day.date.isoformat() if seen.shown_rows else None,
        "units": units(seen),
    }


def zipped(files: Mapping[str, str]) -> bytes:
    """Texts by their names as one zip, the same bytes for the same texts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in files.items():
            bundle.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def stem(seen: Seen, settings: Settings, what: str = "") -> str:
    """``daybook-new-per100k-2020-09-01-to-2020-12-29-as-of-2021-01-02``: a name from what was chosen."""
    choice, dates = seen.choice, seen.now.dates
    return "-".join(
        filter(
            None,
            [
                named(settings, what),
                choice.show,
                PER_100K if choice.per == PER_100K else "",
                f"{dates[0]}-to-{dates[-1]}" if dates else "",
                f"as-of-{choice.asof}" if choice.asof else "",
            ],
        )
    )


def named(settings: Settings, what: str) -> str:
    """What a download is called; that it is made up goes with it."""
    return "-".join(filter(None, ["daybook", "synthetic" if settings.synthetic else "", what]))


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


def restated_rows(restated: Iterable[Restated], choice: Choice) -> list[list[Cell]]:
    """Figures restated later, with their header."""
    header: list[Cell] = ["date", "series", "then", "now", "unit", "entered_at"]
    rows: list[list[Cell]] = [
        [
            change.date.isoformat(),
            change.series,
            change.then,
            change.now,
            words.unit(change.series, choice),
            written(change.entered_at),
        ]
        for change in restated
    ]
    return [header, *rows]


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
    schema: Schema,
    content: Mapping[str, object],
    synthetic: bool,
    trailing: bool,
    read_at: dt.datetime | None,
) -> str:
    """JSON with what must be said wherever the figures go."""
    about = {
        "credit": [words.CREDIT_NYT, words.CREDIT_JHU],
        "synthetic": synthetic,
        "trailing": trailing,
        "read_at": None if read_at is None else written(read_at),
    }
    return json.dumps(schema.dump({**about, **content}), ensure_ascii=False, separators=(",", ":"))
