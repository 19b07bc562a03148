"""A headless browser, and a server whose application can be changed, killed and brought back."""

import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PLACES = ("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",)


def executable() -> str | None:
    """An installed Chromium, Chrome or Edge."""
    return next(filter(None, map(shutil.which, (*NAMES, *PLACES))), None)


@contextmanager
def started() -> Iterator[Any]:
    """The browser, a playwright `Browser`; the test is skipped, and says so, where there is none."""
    path = executable()
    if path is None:
        pytest.skip("NO BROWSER: install Chromium, Chrome or Edge, or nothing of what people see is tested")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.0"  # no connection outlives its answer: a killed server is dead at once

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


class Stage:
    """Serves ``application`` on loopback, whichever it is at the moment."""

    def __init__(self) -> None:
        self.application: Any = None
        self.requests: list[str] = []
        self.port = 0
        self.rise()

    def rise(self) -> None:
        """Begin to serve; after ``fall``, at the same address."""
        self._server = make_server("127.0.0.1", self.port, self._serve, threaded=True, request_handler=Quiet)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def fall(self) -> None:
        """Die: nothing listens any more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _serve(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.requests.append(environ["PATH_INFO"])
        return self.application(environ, start_response)
