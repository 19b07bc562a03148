"""The local cloud with its handlers in this process, so that a case takes tenths of a second.

The stack, the handlers, the event source mapping, the queue of asynchronous invocations, moto and the
Timestream are those of ``local/``. What differs: no process is started for a handler, no request goes over
a socket, and every wait passes on the virtual clock.
"""

import contextlib
import copy
import datetime as dt
import gc
import io
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from urllib.parse import unquote
from uuid import UUID

import boto3
import botocore.endpoint
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import EndpointConnectionError
from moto.dynamodb.models import dynamodb_backends
from moto.kinesis.models import kinesis_backends
from moto.s3.models import s3_backends
from system import START, System

import functions.stream
import local.cloud
import local.mapping_shard
from functions import consumer, fetcher, reporter
from local.clock import Clock
from local.cloud import LocalCloud
from local.emulator import REGION
from local.lambda_queue import LambdaQueue
from local.lambda_runtime import Invocation, _trace_id
from local.mapping import Mapping
from local.publisher import Publisher
from local.timestream_store import Table

ACCOUNT = "123456789012"
HANDLERS = {"fetcher": fetcher, "consumer": consumer, "reporter": reporter}
# A fault that lasts is waited out for twelve hours. AWS doesn't say how long the waits grow; longer ones
# make fewer attempts of it.
MAX_BACKOFF_SECONDS = 4 * 3600

Send = Callable[[Any], AWSResponse]


class Died(BaseException):
    """The process is gone in this moment; no handler can catch it."""


class Wire:
    """Every call of a handler passes here: ``intercept(handler, operation, request, send)`` answers it."""

    def __init__(self) -> None:
        self.cloud: LocalCloud | None = None
        self.handler = ""  # which is running; none: the call is the test's own
        self.calls = 0  # of the handlers; the attempts at one call share its number
        self.asked: list[str] = []  # what PutRecords was asked to put, in that order, in base64
        self.intercept: Callable[[str, str, Any, Send], AWSResponse | None] | None = None
        session = boto3.session.Session(
            aws_access_key_id="local",
            aws_secret_access_key="local",  # an emulator looks at no signature
            region_name=REGION,
        )
        session.events.register("before-call", self._count)
        on: Any = session.events  # its types know no handler that answers
        on.register("before-send", self._send)
        self.session = session

    def client(self, service: Any, **settings: Any) -> Any:
        assert self.cloud
        return self.session.client(service, endpoint_url=self.cloud.emulator.endpoint, **settings)

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
        """Hand the request to the emulator's own WSGI application."""
        assert self.cloud
        if not request.url.startswith(self.cloud.emulator.endpoint):
            raise EndpointConnectionError(endpoint_url=request.url)
        path, _, query = request.url.removeprefix(self.cloud.emulator.endpoint).partition("?")
        body: Any = request.body or b""
        body = body.read() if hasattr(body, "read") else body
        body = body.encode() if isinstance(body, str) else body
        headers = {
            name.upper().replace("-", "_"): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        environ = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": _unquoted(path or "/"),
            "RAW_URI": path or "/",
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": headers.get("CONTENT_TYPE", ""),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": self.cloud.emulator.endpoint.rpartition(":")[2],
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
        environ.setdefault("HTTP_HOST", self.cloud.emulator.endpoint.removeprefix("http://"))
        return self._answered(request.url, environ)

    def _answered(self, url: str, environ: dict[str, Any]) -> AWSResponse:
        assert self.cloud
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
            started.extend((status, headers))

        body = b"".join(self.cloud.emulator._server.app(environ, start))
        return response(url, int(started[0][:3]), body, dict(started[1]))


def response(url: str, status: int, body: bytes, headers: dict[str, str] | None = None) -> AWSResponse:
    known = HeadersDict(headers or {})
    return AWSResponse(url, status, known, _Body(body))  # type: ignore[arg-type]


class _Body(io.BytesIO):
    def stream(self, amount: int = 1 << 16, **_: Any) -> Iterator[bytes]:
        while part := self.read(amount):
            yield part


def _unquoted(path: str) -> str:
    return unquote(path, "latin-1")


class InProcessRuntime:
    """Takes the place of LambdaRuntime: invokes the handlers of this checkout, one at a time."""

    def __init__(
        self,
        endpoint: str,
        clock: Clock,
        functions: Any = (),
        invoke_configs: Any = (),
        on_failure: Any = None,
        log: Any = None,
    ) -> None:
        self.clock, self._log = clock, log
        self._endpoint = endpoint
        self._functions = {function.name: function for function in functions}
        self._configs, self._on_failure = invoke_configs, on_failure
        self.wire: Wire | None = None
        self.after: list[Callable[[str, Invocation], None]] = []  # called after each invocation
        self.lines: list[str] = []
        self.reset()

    def reset(self) -> None:
        """Nothing queued, no process alive."""
        self._queue = LambdaQueue(self.invoke, self.clock, self._configs, self._on_failure)
        self.lines.clear()
        for module in HANDLERS.values():
            module.parts.cache_clear()

    def warm(self, name: str) -> None:
        """There is nothing to warm."""

    def invoke(
        self, name: str, payload: bytes, request_id: str | None = None, arrived: dt.datetime | None = None
    ) -> Invocation:
        assert self.wire
        function = self._functions[name]
        kind = function.handler.rpartition(".")[0].rpartition(".")[2].rpartition("/")[2]
        module = HANDLERS[kind]
        started = self.clock.now()
        request_id = request_id or str(UUID(int=len(self.lines) + 1))
        outside = self.wire.handler
        variables = {**function.environment, "_X_AMZN_TRACE_ID": _trace_id(request_id, arrived or started)}
        said = io.StringIO()
        self.wire.handler = kind
        try:
            with patch.dict(os.environ, variables), contextlib.redirect_stdout(said):
                answer = module.handler(json.loads(payload), SimpleNamespace(aws_request_id=request_id))
            body, error = json.dumps(answer).encode(), None
        except Died:
            module.parts.cache_clear()  # the next invocation gets a fresh process
            body, error = _failure("Runtime.ExitError", "Runtime exited without providing a reason")
        except Exception as problem:
            body, error = _failure(type(problem).__name__, str(problem))
        finally:
            self.wire.handler = outside
        self.lines += said.getvalue().splitlines()
        invocation = Invocation(request_id, function.arn, body, error, started, 0.0, False)
        for look in self.after:
            look(kind, invocation)
        return invocation

    def invoke_async(self, name: str, payload: bytes, request_id: str | None = None) -> str:
        self._serial = getattr(self, "_serial", 0) + 1
        request_id = request_id or str(UUID(int=self._serial))
        self._queue.put(name, payload, request_id)
        return request_id

    def drain(self, until: dt.datetime | None = None) -> int:
        return self._queue.drain(until)

    @property
    def next_moment(self) -> dt.datetime | None:
        return self._queue.next_moment

    def close(self) -> None:
        self.reset()


def _failure(kind: str, message: str) -> tuple[bytes, str]:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled"


@dataclass(frozen=True)
class Kept:
    """A cloud at rest, with nothing under way. What it holds is shared with no cloud."""

    moment: dt.datetime
    items: dict[str, Any]  # of DynamoDB, by table
    objects: dict[str, list[tuple[str, Any]]]  # of S3, by bucket
    records: list[dict[int, Any]]  # of Kinesis, by shard
    rows: list[tuple[dict[Any, Any], list[Any]]]  # of Timestream, by table: newest, and not yet seen
    shards: list[dict[str, dict[str, Any]]]  # how far each mapping has come
    publications: list[Any]
    asked: list[str]
    serial: int


class InProcessCloud(LocalCloud):
    """``again`` empties it for the next case, ``again(kept)`` takes it back to what it was: either is quicker
    than another one."""

    def __init__(self, clock: Clock, config: dict[str, str], wire: Wire) -> None:
        self.wire = wire
        self._clients: dict[str, Any] = {}
        self.reached: dict[Any, Any] = {}  # what its tests have kept
        wire.cloud = self
        super().__init__(clock, config)
        self.runtime.wire = wire  # type: ignore[attr-defined]

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.wire.client(service)
        return self._clients[service]

    def again(self, kept: Kept | None = None) -> None:
        kept = kept or Kept(START, {}, {}, [], [], [], [], [], 0)
        self.clock._moment = kept.moment
        emulator = self.emulator
        emulator.publications[:] = kept.publications
        emulator.before.clear()
        emulator.calls.clear()
        for name, table in _tables().items():
            table.items.clear()
            table.items.update(copy.deepcopy(kept.items.get(name, {})))
        for name, bucket in _buckets().items():
            for key in list(bucket.keys):
                del bucket.keys[key]
            for key, found in kept.objects.get(name, []):
                bucket.keys[key] = found
        for shard, records in zip_longest(_shards(), kept.records):
            shard.records.clear()
            shard.records.update(records or {})
        for table, (entries, pending) in zip_longest(self._timestream(), kept.rows, fillvalue=({}, [])):
            assert isinstance(table, Table)
            table.connection.execute(f"DELETE FROM {table.rows}")
            table.entries = dict(entries)
            unseen = {number for _, number, _ in pending}
            seen = [(START, *entry) for entry in entries.values() if entry[0] not in unseen]
            table.pending = [*seen, *pending]
        self.wire.intercept, self.wire.handler, self.wire.calls = None, "", 0
        self.wire.asked[:] = kept.asked
        runtime: Any = self.runtime
        runtime.reset()
        runtime.after.clear()
        runtime._serial = kept.serial
        self.mappings = self.fresh_mappings()
        for mapping, shards in zip(self.mappings, kept.shards, strict=False):
            mapping._discover()
            for name, state in shards.items():
                vars(mapping._shards[name]).update(_copied(state))

    def kept(self) -> Kept:
        """As it is now. Raises AssertionError where something is still under way."""
        assert self.runtime.next_moment is None
        assert not any(mapping.pending for mapping in self.mappings)
        return Kept(
            moment=self.clock.now(),
            items={name: copy.deepcopy(dict(table.items)) for name, table in _tables().items()},
            objects={name: list(bucket.keys.items()) for name, bucket in _buckets().items()},
            records=[dict(shard.records) for shard in _shards()],
            rows=[(dict(table.entries), list(table.pending)) for table in self._timestream()],
            shards=[
                {name: _copied(vars(shard)) for name, shard in mapping._shards.items()}
                for mapping in self.mappings
            ],
            publications=list(self.emulator.publications),
            asked=list(self.wire.asked),
            serial=getattr(self.runtime, "_serial", 0),
        )

    def _timestream(self) -> list[Table]:
        return list(self.emulator.timestream._tables.values())

    def fresh_mappings(self) -> list[Mapping]:
        """As after a restart of the service: each shard is read from its oldest record."""
        return [
            Mapping(mapping, self.client("kinesis"), self.runtime.invoke, self.clock, self._publish)
            for mapping in self.stack.mappings
        ]


def _tables() -> dict[str, Any]:
    return dynamodb_backends[ACCOUNT][REGION].tables


def _buckets() -> dict[str, Any]:
    return s3_backends[ACCOUNT]["aws"].buckets


def _shards() -> list[Any]:
    return [
        shard
        for stream in kinesis_backends[ACCOUNT][REGION].streams.values()
        for shard in stream.shards.values()
    ]


def _copied(shard: dict[str, Any]) -> dict[str, Any]:
    """How far a mapping has come in a shard; what it works with is another's."""
    return {
        name: copy.copy(value)
        for name, value in shard.items()
        if name not in {"_around", "_config", "parents"}
    }


@contextmanager
def in_process(**config: str) -> Iterator[System]:
    """A System whose cloud is in this process, with these settings beside the publisher's."""
    wire, clock = Wire(), Clock.virtual(START)
    waits = SimpleNamespace(sleep=clock.sleep)
    gc.set_threshold(100_000)  # by default, looking for garbage in a cloud is an eighth of the time
    with (
        Publisher() as publisher,
        patch.object(local.cloud, "LambdaRuntime", InProcessRuntime),
        patch.object(boto3, "client", wire.client),
        patch.object(botocore.endpoint, "time", waits),
        patch.object(functions.stream, "time", waits),
        patch.object(local.mapping_shard, "MAX_BACKOFF_SECONDS", MAX_BACKOFF_SECONDS),
        InProcessCloud(clock, publisher.config() | config, wire) as cloud,
    ):
        yield System(cloud, publisher)
