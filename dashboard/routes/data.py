"""What can be taken home: CSV, JSON, and a zip of both.

A text that a spreadsheet would take for a formula gets an apostrophe before it.
"""

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Self

from flask import Flask, Response, request
from marshmallow import Schema

from dashboard import json_answers, text, view
from dashboard.cache import Desk, Snapshot
from dashboard.routes import origin
from dashboard.series import SERIES, Restated, Seen, rounded
from dashboard.view import View
from schemas.day import REGION
from schemas.figures import FIGURES
from schemas.moment import written
from storage.tables import Row, ranked

CSV, JSON = "text/csv; charset=utf-8", "application/json"
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


def register(server: Flask, desk: Desk) -> None:
    """Serve every file that can be taken home."""

    @server.get("/data/latest.csv")
    def latest_csv() -> Response:
        snapshot = desk.look()
        rows = record_rows(snapshot.rows or ())
        return _csv(Answer.of_rows(snapshot), rows, "record")

    @server.get("/data/latest.json")
    def latest_json() -> Response:
        snapshot = desk.look()
        rows = snapshot.rows or ()
        newest = rows[-1].day.date.isoformat() if rows else None
        content = {"through": newest, "days": [entry(row) for row in rows]}
        return _json(json_answers.LATEST, Answer.of_rows(snapshot), content, "record")

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
            return _nothing_read()
        stem = text.stem(seen)
        files = {
            f"{text.named(stem, synthetic=answer.synthetic)}.csv": csv_text(shown_rows(seen)),
            "metadata.json": _document(json_answers.METADATA, answer, about(seen, origin.root())),
        }
        return _download(zipped(files), "application/zip", answer, stem, "zip")

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

    @server.get("/data/revisions.csv")
    def revisions_csv() -> Response:
        answer, entries, name = _entries(desk)
        return _csv(answer, revision_rows(entries), name)

    @server.get("/data/revisions.json")
    def revisions_json() -> Response:
        answer, entries, name = _entries(desk)
        return _json(json_answers.REVISIONS, answer, {"entries": revisions(entries)}, name)


@dataclass(frozen=True)
class Answer:
    """What an answer is made of: when that was read (None: never), whether some of it may be missing, and
    whether it is made up."""

    read_at: dt.datetime | None
    trailing: bool
    synthetic: bool

    @classmethod
    def of_rows(cls, snapshot: Snapshot) -> Self:
        trailing = snapshot.trailing or snapshot.waiting or bool(snapshot.problems)
        return cls(snapshot.read_at, trailing, snapshot.settings.synthetic)

    @classmethod
    def of_entries(cls, snapshot: Snapshot) -> Self:
        trailing = snapshot.entries_trailing or snapshot.waiting or bool(snapshot.problems)
        return cls(snapshot.entries_read_at, trailing, snapshot.settings.synthetic)

    def __and__(self, other: Self) -> Self:
        """The same of an answer that is made of both."""
        read_at = min(self.read_at, other.read_at) if self.read_at and other.read_at else None
        return replace(self, read_at=read_at, trailing=self.trailing or other.trailing)


def _seen(desk: Desk) -> tuple[Answer, Seen]:
    asked = view.read(request.query_string.decode("ascii", "replace"))
    of_entries = asked.asof is not None or asked.known is not None
    snapshot = desk.look(entries=of_entries)
    answer = Answer.of_rows(snapshot)
    if of_entries:
        answer &= Answer.of_entries(snapshot)
    return answer, snapshot.seen(asked)


def _entries(desk: Desk) -> tuple[Answer, Sequence[Row], str]:
    """Every entry of a day, of all days where none is named; and what the file is called."""
    date = view.date(request.args.get("day"))
    snapshot = desk.look(entries=True)
    entries, name = snapshot.entries or (), "revisions"
    if date is not None:
        entries, name = [row for row in entries if row.day.date == date], f"revisions-{date}"
    return Answer.of_entries(snapshot), entries, name


def _csv(answer: Answer, rows: list[list[Cell]], name: str) -> Response:
    if answer.read_at is None:
        return _nothing_read()
    return _download(csv_text(rows), CSV, answer, name, "csv")


def _json(schema: Schema, answer: Answer, content: Mapping[str, object], name: str) -> Response:
    if answer.read_at is None:
        return _nothing_read()
    return _download(_document(schema, answer, content), JSON, answer, name, "json")


def _document(schema: Schema, answer: Answer, content: Mapping[str, object]) -> str:
    """JSON with what must go wherever the figures go."""
    about = {
        "credit": [text.CREDIT_NYT, text.CREDIT_JHU],
        "synthetic": answer.synthetic,
        "trailing": answer.trailing,
        "read_at": None if answer.read_at is None else written(answer.read_at),
    }
    return json.dumps(schema.dump({**about, **content}), ensure_ascii=False, separators=(",", ":"))


def _download(content: str | bytes, kind: str, answer: Answer, name: str, ending: str) -> Response:
    file = f"{text.named(name, synthetic=answer.synthetic)}.{ending}"
    response = Response(content, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    response.headers["X-Daybook-Trailing"] = "true" if answer.trailing else "false"
    return response


def _nothing_read() -> Response:
    sentence = (
        "The figures that this is made of have not been read yet: they are still on their way, or the store "
        "or the ledger is out of reach. Try again in a minute.\n"
    )
    response = Response(sentence, HTTPStatus.SERVICE_UNAVAILABLE, content_type="text/plain; charset=utf-8")
    response.headers["Retry-After"] = str(int(dt.timedelta(minutes=1).total_seconds()))
    return response
