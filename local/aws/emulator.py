"""AWS on loopback: moto's server with Timestream replaced, on the local cloud's clock.

Clients need nothing but `Emulator.environment()`; nothing here leaves the machine.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import timedelta
from email.utils import format_datetime
from io import BytesIO
from types import TracebackType
from typing import Any
from unittest import mock
from urllib.parse import parse_qs
from uuid import uuid4

from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.logs.models import logs_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import ThreadedWSGIServer

from local.aws.loopback import LoopbackServer
from local.aws.patches import patches
from local.aws.publication import Publication
from local.aws.sessions import NO_FILES, NO_PROXY, PROFILES, REGION, session
from local.clock import Clock
from local.timestream.query import Queries
from local.timestream.records import ServiceError
from local.timestream.service import Timestream

TIMESTREAM_TARGET = "Timestream_20181101."
REJECTED_RECORDS_STATUS = 419  # seen in the service's own answers

STOP_SECONDS = 0.02  # how long stop() may wait for the server's loop
LOG_STREAM = "local"
MAX_LOG_LINES = 10_000  # of each function

_one_at_a_time = threading.Lock()
InvokeFunction = Callable[[str, bytes, bool], tuple[bytes, str | None]]
Application = Callable[..., Iterable[bytes]]  # WSGI's
Before = Callable[[], str | None]  # gives the error to answer with; None: the call goes on


class Emulator:
    """One at a time in a process.

    `invoke_function(name, payload, asynchronous)` gives the response, and "Unhandled" where it failed.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        invoke_function: InvokeFunction | None = None,
        magnetic_visible_after: timedelta = timedelta(0),
        empty_first_page: bool = False,
    ) -> None:
        if not _one_at_a_time.acquire(blocking=False):
            raise RuntimeError("an emulator is already running in this process: moto's state is global")
        with ExitStack() as ends:  # an interrupt in between undoes what was patched
            ends.callback(_one_at_a_time.release)
            self.clock = clock or Clock.real()
            self.invoke_function = invoke_function
            self.timestream = Timestream(self.clock, self.put_object, magnetic_visible_after)
            ends.callback(self.timestream.close)
            self.queries = Queries(self.timestream, empty_first_page)
            self.publications: list[Publication] = []
            self.before: dict[str, Before] = {}  # by operation: what comes before each of its calls
            self.calls: Counter[str] = Counter()  # by operation
            self._lock = threading.RLock()
            self._listeners: list[Callable[[Publication], None]] = []
            self._recorders: list[Callable[[str, dict[str, Any]], None]] = []
            self.shard_of: dict[int, str] = {}  # by sequence number
            # moto makes sessions in many places, and each would read the user's profile: getmoto/moto#5469.
            ends.enter_context(mock.patch.dict(os.environ, NO_FILES))
            for name in PROFILES:
                os.environ.pop(name, None)  # put back with the others
            for owner, name, replacement in patches(self):
                ends.enter_context(mock.patch.object(owner, name, replacement))
            BackendDict.reset()
            reset_model_data()
            self.application = self._serve(DomainDispatcherApplication(create_backend_app))
            server = _Server("127.0.0.1", 0, self.application, _Handler)
            ends.callback(server.server_close)
            self.endpoint = self.timestream.endpoint = f"http://127.0.0.1:{server.port}"
            thread = threading.Thread(target=server.serve_forever, args=(STOP_SECONDS,), daemon=True)
            thread.start()
            ends.callback(thread.join)
            ends.callback(server.shutdown)
            self._ends = ends.pop_all()

    def stop(self) -> None:
        self._ends.close()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def on_publish(self, listener: Callable[[Publication], None]) -> None:
        """Called for every message published to a topic, in the request's thread, before it is answered."""
        self._listeners.append(listener)

    def take(self, publication: Publication) -> None:
        """Keep a message, and tell the listeners."""
        self.publications.append(publication)
        for listener in self._listeners:
            listener(publication)

    def on_call(self, recorder: Callable[[str, dict[str, Any]], None]) -> None:
        """Called with the operation and the WSGI request of every call, before it is answered."""
        self._recorders.append(recorder)

    def environment(self) -> dict[str, str]:
        """All that a client in another process needs, and what keeps it from looking elsewhere."""
        return NO_FILES | {
            "no_proxy": NO_PROXY,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def log(self, function: str, line: str) -> None:
        """A line of a function's log, at the real time: whoever reads it asks for the last ten minutes."""
        group = f"/aws/lambda/{function}"
        moment = int(time.time() * 1000)
        with self._lock:
            logs = logs_backends[DEFAULT_ACCOUNT_ID][REGION]
            if group not in logs.groups:
                logs.create_log_group(group, {})
                logs.create_log_stream(group, LOG_STREAM)
            stream = logs.groups[group].streams[LOG_STREAM]
            stream.put_log_events([{"timestamp": moment, "message": line}])
            del stream.events[:-MAX_LOG_LINES]

    def client(self, service: Any, **settings: Any) -> Any:
        """A boto3 client of the emulator, whatever this process's environment and profiles say."""
        config = Config(proxies={}).merge(settings.pop("config", Config()))
        return session().client(service, endpoint_url=self.endpoint, config=config, **settings)

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Put an object without a request."""
        with self._lock:
            s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(bucket, key, body)

    def _serve(self, moto_app: DomainDispatcherApplication) -> Application:
        """Timestream by the stand-in, the rest by moto: one request after another, as moto isn't thread-safe.

        Lambda and SNS run hooks that may call other services, and stay outside the lock.
        """

        def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            def start_response(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
                """An answer bears the time of this clock."""
                dated = [(name, value) for name, value in headers if name.lower() != "date"]
                dated.append(("Date", format_datetime(self.clock.now(), usegmt=True)))
                return start(status, dated, *rest)

            asked = operation(environ)
            self.calls[asked] += 1
            for recorder in self._recorders:
                recorder(asked, environ)
            if before := self.before.get(asked):
                error = before()
                if error is not None:
                    start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.0")])
                    return [json.dumps({"__type": error, "message": error}).encode()]
            if environ.get("HTTP_X_AMZ_TARGET", "").startswith(TIMESTREAM_TARGET):
                return self._serve_timestream(environ, start_response)
            authorization = environ.get("HTTP_AUTHORIZATION", "")
            if "/lambda/aws4_request" in authorization or "/sns/aws4_request" in authorization:
                return moto_app(environ, start_response)
            with self._lock:
                return list(moto_app(environ, start_response))

        return app

    def _serve_timestream(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        action = environ["HTTP_X_AMZ_TARGET"].removeprefix(TIMESTREAM_TARGET)
        request = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
        status = "200 OK"
        try:
            answer = (
                self.queries.query(request) if action == "Query" else self.timestream.handle(action, request)
            )
        except ServiceError as error:
            rejected = error.code == "RejectedRecordsException"
            status = f"{REJECTED_RECORDS_STATUS if rejected else 400} {error.code}"
            answer = {"__type": f"com.amazonaws.timestream.v20181101#{error.code}", "Message": error.message}
            answer |= error.extra
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))]
        start_response(status, [*headers, ("x-amzn-RequestId", uuid4().hex.upper())])
        return [body]


def operation(environ: dict[str, Any]) -> str:
    """What a request asks for: WriteRecords, TransactWriteItems, Publish, PutObject …"""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return target.rpartition(".")[2]
    if "/s3/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
        return f"{environ['REQUEST_METHOD'].capitalize()}Object"
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    return parse_qs(body.decode("latin-1")).get("Action", [""])[0]


class _Server(LoopbackServer, ThreadedWSGIServer):
    """A thread for each connection."""


class _Handler(MotoRequestHandler):
    def send_response(self, code: int, message: str | None = None) -> None:
        """The status alone: http.server would add the machine's own date."""
        self.send_response_only(code, message)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """No line for each request."""
