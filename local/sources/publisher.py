"""The sources on loopback: whatever is published at the moment, under an address of its own, with ETags."""

import hashlib
import threading
from collections.abc import MutableMapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from local.aws.loopback import LoopbackServer


class _Server(LoopbackServer, ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up in the middle has seen enough."""


class Publisher:
    """Serves ``files`` by name, a path as it is at each request; what is not there answers 404. Change it at
    any time."""

    def __init__(self) -> None:
        self.files: MutableMapping[str, Any] = {}  # bytes, or a Path
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                found = publisher.content(self.path.removeprefix("/"))
                if found is None:
                    self.send_error(404)
                    return
                etag = f'"{hashlib.sha256(found).hexdigest()}"'
                unchanged = self.headers.get("If-None-Match") == etag
                self.send_response(304 if unchanged else 200)
                self.send_header("ETag", etag)
                self.send_header("Content-Length", "0" if unchanged else str(len(found)))
                self.end_headers()
                if not unchanged:
                    self.wfile.write(found)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def content(self, name: str) -> bytes | None:
        """What is served under this name now."""
        file = self.files.get(name)
        if not isinstance(file, Path):
            return file
        try:
            return file.read_bytes()
        except OSError:
            return None

    def address(self, name: str) -> str:
        """Where a file of this name is, once it is published."""
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def config(self) -> dict[str, str]:
        """The stack's configuration that leads to here."""
        return {
            "nyt_url": self.address("nyt"),
            "jhu_url": self.address("jhu"),
            "allowed_hosts": '["127.0.0.1"]',
            "insecure_hosts": '["127.0.0.1"]',
        }

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
