"""The record for programs: /data/days and /data/entries as CSV and JSON, and what holds for all of /data/."""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from threading import Lock

from flask import Flask, Response, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.http import http_date, is_resource_modified
from werkzeug.wrappers import Response as BaseResponse

from dashboard import json_answers, view, vintages
from dashboard.cache import Desk
from dashboard.routes import packing
from dashboard.routes.answer import CSV, JSON, Answer, document, download, not_read, problem
from dashboard.vintages import DAYS, ENTRIES, Asked, Refused
from schemas import columns
from schemas.moment import written
from schemas.text import quoted
from storage import csv_files
from storage.csv_files import Line

KINDS = {"csv": CSV, "json": JSON}
COLUMNS = {DAYS: columns.DAYS, ENTRIES: columns.ENTRIES}
DATA = "/data/"
MOST = 32_000_000  # bytes of bodies that are kept: the machine has 512 MB
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "If-None-Match, If-Modified-Since",
    "Access-Control-Expose-Headers": "ETag, Last-Modified, Link, Retry-After, X-Daybook-Trailing",
    "Access-Control-Max-Age": "86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Kept:
    """Bodies by what they are made of, the least lately used dropped first. One is made at a time, so that
    many who ask at once cost no more than one."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self._lock, self._making = Lock(), Lock()

    def get(self, tag: str, make: Callable[[], bytes]) -> bytes:
        body = self._get(tag)
        if body is not None:
            return body
        with self._making:
            body = self._get(tag)
            if body is None:
                body = make()
                self._keep(tag, body)
        return body

    def _get(self, tag: str) -> bytes | None:
        with self._lock:
            if tag in self._bodies:
                self._bodies.move_to_end(tag)
            return self._bodies.get(tag)

    def _keep(self, tag: str, body: bytes) -> None:
        with self._lock:
            self._bodies[tag] = body
            while sum(map(len, self._bodies.values())) > MOST:
                self._bodies.popitem(last=False)


def register(server: Flask, desk: Desk) -> None:
    """Serve them. Every answer is made from memory, once for each stamp."""
    kept = Kept()

    @server.get(f"{DATA}<any({', '.join(vintages.PARAMETERS)}):table>.<any(csv, json):ending>")
    def record(table: str, ending: str) -> Response:
        asked = vintages.read(request.query_string, vintages.PARAMETERS[table])
        is_of_entries = table == ENTRIES or asked.as_of is not None
        snapshot = desk.look(entries=is_of_entries)
        rows = snapshot.entries if is_of_entries else snapshot.rows
        answer = Answer.of_entries(snapshot) if is_of_entries else Answer.of_rows(snapshot)
        if rows is None or answer.read_at is None:
            return not_read()
        tag = _tag(snapshot.settings.bundle, answer, len(rows), table, ending, asked)
        # Whether an answer trails may change without another read, which only the tag tells.
        modified = None if answer.trailing else answer.read_at.replace(microsecond=0)
        headers = {"ETag": tag, "Vary": "Accept-Encoding"}
        headers |= {"Last-Modified": http_date(modified)} if modified else {}
        if not is_resource_modified(request.environ, etag=tag, last_modified=modified):
            return Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
        make = _csv if ending == "csv" else partial(_json, answer)
        plain = body = kept.get(tag, lambda: make(table, asked, vintages.lines(table, rows, asked)))
        if encoding := packing.encoding():
            headers["Content-Encoding"] = encoding
            body = kept.get(f"{tag} {encoding}", lambda: packing.ANEW[encoding](plain))
        response = download(body, KINDS[ending], answer, _name(table, asked), ending)
        response.headers.update(headers)
        return response

    @server.get(f"{DATA}latest.<any(csv, json):ending>")
    def latest(ending: str) -> BaseResponse:
        return redirect(f"{DATA}days.{ending}", HTTPStatus.PERMANENT_REDIRECT)

    @server.get(f"{DATA}revisions.<any(csv, json):ending>")
    def revisions(ending: str) -> BaseResponse:
        day = view.date(request.args.get("day"))
        query = f"?from={day}&to={day}" if day else ""
        return redirect(f"{DATA}entries.{ending}{query}", HTTPStatus.PERMANENT_REDIRECT)

    @server.get(f"{DATA}<path:name>")
    def nothing(name: str) -> Response:
        return problem(HTTPStatus.NOT_FOUND, f"There is no {quoted(DATA + name)}.")

    @server.errorhandler(Refused)
    def refused(error: Refused) -> Response:
        return problem(HTTPStatus.BAD_REQUEST, error.detail, error.parameter)

    @server.errorhandler(HTTPException)
    def failed(error: HTTPException) -> BaseResponse | HTTPException:
        if not request.path.startswith(DATA) or error.code is None or error.code < HTTPStatus.BAD_REQUEST:
            return error
        response = problem(error.code, error.description or "")
        response.headers.extend([pair for pair in error.get_headers() if pair[0] == "Allow"])
        return response


def _tag(bundle: str, answer: Answer, count: int, *asked: object) -> str:
    """A weak tag: the same for answers that say the same, whenever they were read."""
    made_of = (bundle, answer.stamp, count, answer.trailing, answer.synthetic, *asked)
    return f'W/"{sha256(repr(made_of).encode()).hexdigest()[:20]}"'


def _csv(table: str, _asked: Asked, lines: Iterable[Line]) -> bytes:
    return csv_files.text(COLUMNS[table], lines).encode()


def _json(answer: Answer, table: str, asked: Asked, lines: Iterable[Line]) -> bytes:
    names = [column.name for column in COLUMNS[table]]
    objects = [dict(zip(names, line, strict=True)) for line in lines]
    content: dict[str, object] = {table: objects}
    if table == DAYS:
        content["as_of"] = None if asked.as_of is None else written(asked.as_of)
        content["through"] = objects[-1][columns.DATE.name] if objects else None
    return document(json_answers.RECORD[table], answer, content).encode()


def _name(table: str, asked: Asked) -> str:
    return table if asked.as_of is None else f"{table}-as-of-{asked.as_of.date()}"
