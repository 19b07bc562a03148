"""The wire of the in-process cloud: a client's call is handed to the emulator's WSGI application."""

import io
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import EndpointConnectionError

from local.aws.sessions import session

if TYPE_CHECKING:
    from local.in_process.cloud import InProcessCloud

Send = Callable[[Any], AWSResponse]
Intercept = Callable[[str, str, Any, Send], AWSResponse | None]


class Died(BaseException):
    """The process is gone in this moment; no handler can catch it."""


class Wire:
    """Every call passes here. ``intercept(handler, operation, request, send)`` answers those of a handler."""

    def __init__(self) -> None:
        self.cloud: InProcessCloud | None = None
        self.handler = ""  # which is running; none: the call is not the stack's
        self.calls = 0  # of the handlers; the attempts at one call share its number
        self.asked: list[str] = []  # what PutRecords was asked to put, in that order, in base64
        self.intercept: Intercept | None = None
        self.session = session()
        on: Any = self.session.events  # its types know no handler that answers
        on.register("before-call", self._count)
        on.register("before-send", self._send)

    def client(self, service: Any, **settings: Any) -> Any:
        return self.session.client(service, endpoint_url=self._endpoint, **settings)

    @property
    def _endpoint(self) -> str:
        if self.cloud is None:
            raise RuntimeError("the wire leads to no cloud yet")
        return self.cloud.emulator.endpoint

    def _count(self, **_: Any) -> None:
        self.calls += 1 if self.handler else 0

    def _send(self, request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        if operation == "PutRecords":
            self.asked += [record["Data"] for record in json.loads(request.body)["Records"]]
        if self.handler and self.intercept:
            return self.intercept(self.handler, operation, request, self._carry)
        return self._carry(request)

    def _carry(self, request: Any) -> AWSResponse:
        """The answer of the emulator."""
        endpoint = self._endpoint
        if self.cloud is None or not request.url.startswith(endpoint):
            raise EndpointConnectionError(endpoint_url=request.url)
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            started.extend((status, headers))

        body = b"".join(self.cloud.emulator.application(_environ(request, endpoint), start))
        return response(request.url, int(started[0][:3]), body, dict(started[1]))


def response(url: str, status: int, body: bytes, headers: dict[str, str] | None = None) -> AWSResponse:
    """An answer as botocore takes it."""
    known = HeadersDict(headers or {})
    return AWSResponse(url, status, known, _Body(body))  # type: ignore[arg-type]


class _Body(io.BytesIO):
    def stream(self, amount: int = 1 << 16, **_: Any) -> Iterator[bytes]:
        while part := self.read(amount):
            yield part


def _environ(request: Any, endpoint: str) -> dict[str, Any]:
    """The request in WSGI's form."""
    path, _, query = request.url.removeprefix(endpoint).partition("?")
    body: Any = request.body or b""
    body = body.read() if hasattr(body, "read") else body
    body = body.encode() if isinstance(body, str) else body
    headers = {
        name.upper().replace("-", "_"): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    environ = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote(path or "/", "latin-1"),
        "RAW_URI": path or "/",
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": headers.get("CONTENT_TYPE", ""),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": endpoint.rpartition(":")[2],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "werkzeug.request": None,
    }
    environ |= {f"HTTP_{name}": value for name, value in headers.items() if name != "CONTENT_LENGTH"}
    environ.setdefault("HTTP_HOST", endpoint.removeprefix("http://"))
    return environ
