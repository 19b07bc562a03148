"""What is served beside the page: data, status, health, and plotly; and the headers of everything."""

import json
import re
from http import HTTPStatus
from pathlib import Path

import brotli
from dash import Dash
from flask import Flask, Response, request

from dashboard import health, json_answers, pages
from dashboard.cache import Desk
from dashboard.pages import embed
from dashboard.routes import packing, vintages
from dashboard.routes.again import Given
from dashboard.routes.packing import JSON

STYLES = ("daybook.css",)
ASSETS = Path(__file__).resolve().parent.parent / "assets"
PLOTLY = "plotly-basic-4.1.1.min.js"  # plotly's basic bundle; the version is that inside the plotly package
PLOTLY_URL = f"/plotly/{PLOTLY}"
PACKED_PLOTLY = ASSETS / f"{PLOTLY}.br"  # by brotli's eleventh quality, which takes seconds
SCRIPT = re.compile(r'<script src="([^"]+)"')
A_YEAR = 31_536_000

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
    given = Given(desk)
    server.before_request(given.find)

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
        return given.keep(packing.packed(response))


def _state(server: Flask, desk: Desk) -> None:
    @server.get("/status.json")
    def status_json() -> Response:
        return Response(json.dumps(json_answers.STATUS.dump(health.document(desk.look()))), content_type=JSON)

    @server.get("/healthz")
    def healthz() -> Response:
        # Of this process only: to replace it would not bring back a store that is out of reach.
        return Response("ok\n", content_type="text/plain")


def plotly_script() -> bytes:
    """plotly's script, unpacked."""
    return brotli.decompress(PACKED_PLOTLY.read_bytes())


def _plotly(server: Flask) -> None:
    by_brotli = PACKED_PLOTLY.read_bytes()

    @server.get(PLOTLY_URL)
    def plotly() -> Response:
        accepted = packing.encoding()
        script = by_brotli if accepted == "br" else plotly_script()
        response = Response(packing.once(script, "gzip") if accepted == "gzip" else script)
        response.content_type = "text/javascript"
        if accepted:
            response.headers["Content-Encoding"] = accepted
        response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
        response.vary.add("Accept-Encoding")
        return response


def warm(server: Flask) -> None:
    """Pack every script once. Nothing is read for it."""
    page = server.test_client().get("/no-page").text  # a page would read the record
    packing.warm(server, SCRIPT.findall(page))
