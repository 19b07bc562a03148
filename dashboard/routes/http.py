"""What is served beside the page: data, status, health, and plotly; and the headers of everything."""

import gzip
import json
import re
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path

from dash import Dash
from flask import Flask, Response, request

from dashboard import health, json_answers, pages
from dashboard.cache import Desk
from dashboard.pages import embed
from dashboard.routes import vintages

STYLES = ("daybook.css", "history.css")
ASSETS = Path(__file__).resolve().parent.parent / "assets"
PLOTLY = "plotly-basic-4.1.1.min.js"  # plotly's basic bundle; the version is that inside the plotly package
PLOTLY_URL = f"/plotly/{PLOTLY}"
SCRIPT = re.compile(r'<script src="([^"]+)"')
A_YEAR = 31_536_000

JSON = "application/json"
COMPRESSED = ("text/", JSON, "application/javascript")
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

# What may be framed, by anybody, has no script.
UNFRAMED = {"X-Frame-Options", "Cross-Origin-Resource-Policy"}
FRAMED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self' 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors *",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def register(app: Dash, desk: Desk) -> None:
    """Serve what is no page and no data, and put headers on everything."""
    server: Flask = app.server
    _state(server, desk)
    _plotly(server)
    policy = POLICY.format(hashes=" ".join(app.csp_hashes()))

    @server.after_request
    def finished(response: Response) -> Response:
        headers = HEADERS | {"Content-Security-Policy": policy}
        if request.path == embed.PATH:
            headers = {name: value for name, value in HEADERS.items() if name not in UNFRAMED} | FRAMED
        if request.path.startswith(vintages.DATA):
            headers |= vintages.OPEN
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        if pages.at(request.path) is None and request.endpoint == "/<path:path>":
            response.status_code = HTTPStatus.NOT_FOUND  # the page itself says so to people
        if "max-age" not in response.headers.get("Cache-Control", ""):
            response.headers["Cache-Control"] = "no-cache"
        return _compressed(response)


def _state(server: Flask, desk: Desk) -> None:
    @server.get("/status.json")
    def status_json() -> Response:
        return Response(json.dumps(json_answers.STATUS.dump(health.document(desk.look()))), content_type=JSON)

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
    page = client.get("/no-page").text  # a page would read the record
    for address in SCRIPT.findall(page):
        client.get(address, headers=gzipped).close()


@lru_cache(maxsize=32)
def _packed(body: bytes) -> bytes:
    return gzip.compress(body, 9, mtime=0)
