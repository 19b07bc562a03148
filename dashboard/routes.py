"""What is served beside the page: data, status, health, and plotly; and the headers of everything."""

import datetime as dt
import gzip
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Self

from dash import Dash
from flask import Flask, Response, request
from marshmallow import Schema

from dashboard import answers, choice, downloads, record, status_document
from dashboard.latest import Latest, history
from dashboard.pages import HOME, STATUS, Pages

ASSETS = Path(__file__).with_name("assets")
PLOTLY = "plotly-basic-4.1.1.min.js"  # plotly's basic bundle; the version is that inside the plotly package
PLOTLY_URL = f"/plotly/{PLOTLY}"
SCRIPT = re.compile(r'<script src="([^"]+)"')
A_YEAR = 31_536_000

CSV, JSON = "text/csv; charset=utf-8", "application/json"
COMPRESSED = ("text/", "application/json", "application/javascript")
WORTH_COMPRESSING = 1_000  # bytes

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Dash's and plotly's scripts make style elements as they go, so styles can't be named by hash; scripts are.
POLICY = (
    "default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def register(app: Dash, pages: Pages) -> None:
    server: Flask = app.server
    _data(server, pages)
    _state(server, pages)
    _plotly(server)
    policy = POLICY.format(hashes=" ".join(app.csp_hashes()))

    @server.after_request
    def finished(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers["Content-Security-Policy"] = policy
        if request.path not in (HOME, STATUS) and request.endpoint == "/<path:path>":
            response.status_code = HTTPStatus.NOT_FOUND  # the page itself says so to people
        if "max-age" not in response.headers.get("Cache-Control", ""):
            response.headers["Cache-Control"] = "no-cache"
        return _compressed(response)


def _data(server: Flask, pages: Pages) -> None:
    settings = pages.settings

    @server.get("/data/latest.csv")
    def latest_csv() -> Response:
        latest = pages.desk.look()
        rows = downloads.record_rows(latest.rows or ())
        return _csv(Answer.of_rows(latest), rows, downloads.named(settings, "record"))

    @server.get("/data/latest.json")
    def latest_json() -> Response:
        latest = pages.desk.look()
        rows = latest.rows or ()
        newest = rows[-1].day.date.isoformat() if rows else None
        content = {"through": newest, "days": [downloads.entry(row) for row in rows]}
        return _json(
            answers.LATEST, Answer.of_rows(latest), pages, content, downloads.named(settings, "record")
        )

    @server.get("/data/shown.csv")
    def shown_csv() -> Response:
        answer, seen = _seen(pages)
        response = _csv(answer, downloads.shown_rows(seen), downloads.stem(seen, settings))
        about = f"/data/metadata.json{seen.choice.query()}"
        response.headers["Link"] = f'<{about}>; rel="describedby"; type="application/json"'
        return response

    @server.get("/data/metadata.json")
    def metadata_json() -> Response:
        answer, seen = _seen(pages)
        return _json(
            answers.METADATA, answer, pages, downloads.about(seen), downloads.stem(seen, settings, "metadata")
        )

    @server.get("/data/shown.zip")
    def shown_zip() -> Response:
        answer, seen = _seen(pages)
        if answer.read_at is None:
            return _nothing_read()
        stem = downloads.stem(seen, settings)
        files = {
            f"{stem}.csv": downloads.text_of(downloads.shown_rows(seen)),
            "metadata.json": _document(answers.METADATA, answer, pages, downloads.about(seen)),
        }
        return _download(downloads.zipped(files), "application/zip", answer, f"{stem}.zip")

    @server.get("/data/shown.json")
    def shown_json() -> Response:
        answer, seen = _seen(pages)
        names, *rows = downloads.shown_rows(seen)
        days = [dict(zip(map(str, names), row, strict=True)) for row in rows]
        content = downloads.about(seen) | {"days": days}
        return _json(answers.SHOWN, answer, pages, content, downloads.stem(seen, settings))

    @server.get("/data/restated.csv")
    def restated_csv() -> Response:
        answer, seen = _seen(pages)
        rows = downloads.restated_rows(seen.restated, seen.choice)
        return _csv(answer, rows, downloads.stem(seen, settings, "restated"))

    @server.get("/data/revisions.csv")
    def revisions_csv() -> Response:
        answer, entries, name = _entries(pages)
        return _csv(answer, downloads.revision_rows(entries), name)

    @server.get("/data/revisions.json")
    def revisions_json() -> Response:
        answer, entries, name = _entries(pages)
        return _json(answers.REVISIONS, answer, pages, {"entries": downloads.revisions(entries)}, name)


def _state(server: Flask, pages: Pages) -> None:
    @server.get("/status.json")
    def status_json() -> Response:
        latest = pages.desk.look()
        content = status_document.document(latest, pages.assess(latest))
        return Response(
            json.dumps(answers.STATUS.dump(content | {"stack": pages.settings.stack})), content_type=JSON
        )

    @server.get("/healthz")
    def healthz() -> Response:
        # Of this process only: to replace it would not bring back a store that is out of reach.
        return Response("ok\n", content_type="text/plain")


def _plotly(server: Flask) -> None:
    packed = (ASSETS / f"{PLOTLY}.gz").read_bytes()

    @server.get(PLOTLY_URL)
    def plotly() -> Response:
        accepted = "gzip" in request.accept_encodings
        response = Response(packed if accepted else gzip.decompress(packed), content_type="text/javascript")
        if accepted:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
        response.vary.add("Accept-Encoding")
        return response


@dataclass(frozen=True)
class Answer:
    """What an answer is made of: when that was read (None: never), and whether some of it may be missing."""

    read_at: dt.datetime | None
    trailing: bool

    @classmethod
    def of_rows(cls, latest: Latest) -> Self:
        return cls(latest.read_at, latest.trailing or latest.waiting or bool(latest.problems))

    @classmethod
    def of_entries(cls, latest: Latest) -> Self:
        trailing = latest.entries_trailing or latest.waiting or bool(latest.problems)
        return cls(latest.entries_read_at, trailing)

    def __and__(self, other: Self) -> Self:
        """The same of an answer that is made of both."""
        read_at = min(self.read_at, other.read_at) if self.read_at and other.read_at else None
        return replace(self, read_at=read_at, trailing=self.trailing or other.trailing)


def _seen(pages: Pages) -> tuple[Answer, record.Seen]:
    asked = choice.read(request.query_string.decode("ascii", "replace"))
    latest = pages.desk.look(entries=asked.asof is not None)
    answer = Answer.of_rows(latest)
    if asked.asof is not None:
        answer &= Answer.of_entries(latest)
    return answer, record.see(latest, asked)


def _entries(pages: Pages) -> tuple[Answer, Sequence[downloads.Row], str]:
    """Every entry of a day, of all days where none is named; and what the file is called."""
    asked = choice.read(request.query_string.decode("ascii", "replace"))
    latest = pages.desk.look(entries=True)
    entries, name = latest.entries or (), "revisions"
    if asked.day is not None:
        entries, name = history(entries, asked.day), f"revisions-{asked.day}"
    return Answer.of_entries(latest), entries, downloads.named(pages.settings, name)


def _csv(answer: Answer, rows: list[list[downloads.Cell]], name: str) -> Response:
    if answer.read_at is None:
        return _nothing_read()
    return _download(downloads.text_of(rows), CSV, answer, f"{name}.csv")


def _json(schema: Schema, answer: Answer, pages: Pages, content: Mapping[str, object], name: str) -> Response:
    if answer.read_at is None:
        return _nothing_read()
    return _download(_document(schema, answer, pages, content), JSON, answer, f"{name}.json")


def _document(schema: Schema, answer: Answer, pages: Pages, content: Mapping[str, object]) -> str:
    return downloads.document(schema, content, pages.settings.synthetic, answer.trailing, answer.read_at)


def _download(content: str | bytes, kind: str, answer: Answer, name: str) -> Response:
    response = Response(content, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Daybook-Trailing"] = "true" if answer.trailing else "false"
    return response


def _nothing_read() -> Response:
    text = (
        "The figures that this is made of have not been read yet: they are still on their way, or the store "
        "or the ledger is out of reach. Try again in a minute.\n"
    )
    response = Response(text, HTTPStatus.SERVICE_UNAVAILABLE, content_type="text/plain; charset=utf-8")
    response.headers["Retry-After"] = str(int(dt.timedelta(minutes=1).total_seconds()))
    return response


def _compressed(response: Response) -> Response:
    kind = response.content_type or ""
    if (
        "gzip" not in request.accept_encodings
        or "Content-Encoding" in response.headers
        or not kind.startswith(COMPRESSED)
        or response.status_code == HTTPStatus.NOT_MODIFIED
    ):
        return response
    response.direct_passthrough = False  # the style sheet and our script come as files
    body = response.get_data()
    if len(body) < WORTH_COMPRESSING:
        return response
    # Scripts come again and again, in the same words; what is drawn doesn't.
    lasting = "javascript" in kind or "css" in kind
    response.set_data(_packed(body) if lasting else gzip.compress(body, 5, mtime=0))
    response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response


def warm(server: Flask) -> None:
    """Compress every script once, before the first visitor waits for it. Nothing is read for it."""
    client = server.test_client()
    gzipped = {"Accept-Encoding": "gzip"}
    page = client.get(HOME).text
    for address in SCRIPT.findall(page):
        client.get(address, headers=gzipped).close()


@lru_cache(maxsize=32)
def _packed(body: bytes) -> bytes:
    return gzip.compress(body, 9, mtime=0)
