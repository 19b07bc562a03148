"""Lambda's Runtime API for one process: it asks for its next request, and answers it.

Each process has its own port: awslambdaric can't report a failed import to an address that has a path.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from local.aws.loopback import LoopbackServer

API = "/2018-06-01/runtime/"


class Requests(Protocol):
    def next(self) -> tuple[dict[str, str], bytes] | None:
        """The next request's headers and payload, when there is one; None when the process is to end."""
        ...

    def answer(self, path: str, body: bytes) -> bool:
        """False for an answer to what wasn't asked."""
        ...


class RuntimeApi(LoopbackServer, ThreadingHTTPServer):
    def __init__(self, requests: Requests) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests = requests
        self.address = f"127.0.0.1:{self.server_port}"
        self._stopped = False

    def serve(self) -> None:
        while not self._stopped:
            self.handle_request()

    def stop(self) -> None:
        self._stopped = True
        socket.create_connection(("127.0.0.1", self.server_port)).close()  # ends the wait in handle_request

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # which a killed process leaves
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet
    disable_nagle_algorithm = True
    server: RuntimeApi  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_GET(self) -> None:
        if self.path != API + "invocation/next":
            self._reply(404)
            return
        request = self.server.requests.next()
        if request is None:
            self.close_connection = True
            return
        headers, payload = request
        self._reply(200, payload, headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._reply(202 if self.server.requests.answer(self.path.removeprefix(API), body) else 400, b"{}")

    def _reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """No line for each request."""
