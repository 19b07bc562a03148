"""What a chart shows, to be taken home: CSV, JSON, and a zip of both.

A text that a spreadsheet would take for a formula gets an apostrophe before it.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence

from flask import Flask, Response, request
from marshmallow import Schema

from dashboard import json_answers, text, view
from dashboard.cache import Desk
from dashboard.routes import origin
from dashboard.routes.answer import CSV, JSON, Answer, document, download, not_read
from dashboard.series import SERIES, Restated, Seen, rounded
from dashboard.view import View
from schemas.moment import written

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | float | None


def csv_text(rows: Iterable[Sequence[Cell]]) -> str:
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
            *(rounded(side.figures[name][place], name, seen.view) for side in sides for name in SERIES),
        ]
        for place, date in enumerate(seen.now.dates)
    ]
    return [["date", *units(seen)], *rows]


def units(seen: Seen) -> dict[str, str]:
    """Each figure's column with its unit."""
    names = {name if name != "fatality" else "fatality_percent": name for name in SERIES}
    sides = ("",) if seen.then is None else ("", "_today")
    return {column + side: text.unit(name, seen.view) for side in sides for column, name in names.items()}


def about(seen: Seen, root: str) -> dict[str, object]:
    """What a file of shown figures holds, and where below ``root`` it comes from."""
    query = seen.view.query()
    return {
        "title": text.title(seen.view),
        "page": f"{root}{query}",
        "address": f"{root}data/shown.csv{query}",
        "query": query,
        "as_of": None if seen.view.asof is None else seen.view.asof.isoformat(),
        "known": None if seen.view.known is None else written(seen.view.known),
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


def restated_rows(restated: Iterable[Restated], view: View) -> list[list[Cell]]:
    """Figures restated later, with their header."""
    header: list[Cell] = ["date", "series", "then", "now", "unit", "entered_at"]
    rows: list[list[Cell]] = [
        [
            change.date.isoformat(),
            change.series,
            change.then,
            change.now,
            text.unit(change.series, view),
            written(change.entered_at),
        ]
        for change in restated
    ]
    return [header, *rows]


def register(server: Flask, desk: Desk) -> None:
    """Serve every file that can be taken home."""

    @server.get("/data/shown.csv")
    def shown_csv() -> Response:
        answer, seen = _seen(desk)
        response = _csv(answer, shown_rows(seen), text.stem(seen))
        about = f"/data/metadata.json{seen.view.query()}"
        response.headers["Link"] = f'<{about}>; rel="describedby"; type="application/json"'
        return response

    @server.get("/data/metadata.json")
    def metadata_json() -> Response:
        answer, seen = _seen(desk)
        return _json(json_answers.METADATA, answer, about(seen, origin.root()), text.stem(seen, "metadata"))

    @server.get("/data/shown.zip")
    def shown_zip() -> Response:
        answer, seen = _seen(desk)
        if answer.read_at is None:
            return not_read()
        stem = text.stem(seen)
        files = {
            f"{text.named(stem, synthetic=answer.synthetic)}.csv": csv_text(shown_rows(seen)),
            "metadata.json": document(json_answers.METADATA, answer, about(seen, origin.root())),
        }
        return download(zipped(files), "application/zip", answer, stem, "zip")

    @server.get("/data/shown.json")
    def shown_json() -> Response:
        answer, seen = _seen(desk)
        names, *rows = shown_rows(seen)
        days = [dict(zip(map(str, names), row, strict=True)) for row in rows]
        return _json(json_answers.SHOWN, answer, about(seen, origin.root()) | {"days": days}, text.stem(seen))

    @server.get("/data/restated.csv")
    def restated_csv() -> Response:
        answer, seen = _seen(desk)
        rows = restated_rows(seen.restated, seen.view)
        return _csv(answer, rows, text.stem(seen, "restated"))


def _seen(desk: Desk) -> tuple[Answer, Seen]:
    asked = view.read(request.query_string.decode("ascii", "replace"))
    of_entries = asked.asof is not None or asked.known is not None
    snapshot = desk.look(entries=of_entries)
    answer = Answer.of_rows(snapshot)
    if of_entries:
        answer &= Answer.of_entries(snapshot)
    return answer, snapshot.seen(asked)


def _csv(answer: Answer, rows: list[list[Cell]], name: str) -> Response:
    if answer.read_at is None:
        return not_read()
    return download(csv_text(rows), CSV, answer, name, "csv")


def _json(schema: Schema, answer: Answer, content: Mapping[str, object], name: str) -> Response:
    if answer.read_at is None:
        return not_read()
    return download(document(schema, answer, content), JSON, answer, name, "json")
