"""One handler process, which has one invocation at a time."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from functions.outward import VARIABLES
from local.aws.sessions import NO_FILES, NO_PROXY
from local.lambdas.runtime_api import RuntimeApi
from local.stack.definitions import LocalFunction

CLIENT = "awslambdaric" if importlib.util.find_spec("awslambdaric") else "plain"
# Lambda allows 10 s and then begins again within the time-out; a first import from a cold disk takes longer.
INIT_SECONDS = 60
END_SECONDS = 5
MEMORY_MEGABYTES = 512  # what handlers are told; nothing is limited


@dataclass(frozen=True)
class Request:
    request_id: str
    payload: bytes
    trace_id: str


@dataclass(frozen=True)
class Outcome:
    """`reported`: by the handler itself. A process is of no more use after an error that it didn't report."""

    response: bytes
    error: bool = False
    reported: bool = True
    taken: bool = True  # False: the process ended before it took the request, which may go to another


class LambdaProcess:
    """`on_line(request id, line)` gets what the handler prints, soon after it is printed."""

    def __init__(
        self,
        function: LocalFunction,
        endpoint: str,
        on_line: Callable[[str, str], None],
        client: str = CLIENT,
    ) -> None:
        self._function = function
        self._on_line = on_line
        self._request: Request | None = None
        self._inbox: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._outbox: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._closing = threading.Lock()
        self._closed = False
        self._server = RuntimeApi(self)
        program = str(Path(__file__).with_name("runtime_client.py"))
        self._process = subprocess.Popen(  # noqa: S603
            [function.python, "-P", program, function.handler, client],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=function.code,
            env=environment(function, endpoint, self._server.address),
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (self._server.serve, self._read_lines, self._await_end)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def invoke(self, request: Request) -> Outcome:
        """Waits for the handler, at most as long as the function's time-out."""
        self._inbox.put(request)
        seconds, taken = INIT_SECONDS, False
        try:
            kind, body = self._outbox.get(timeout=seconds)
            if kind == "taken":
                seconds, taken = self._function.timeout, True
                kind, body = self._outbox.get(timeout=seconds)
        except queue.Empty:
            message = f"Task timed out after {seconds:.2f} seconds"
            kind, body = "late", _failure(request, "Sandbox.Timedout", message)
        if kind == "ended":
            body = _failure(request, "Runtime.ExitError", _exit_reason(self._process.returncode))
        if kind == "late" or (kind == "ended" and taken):
            self._on_line(request.request_id, json.loads(body)["errorMessage"])
        return Outcome(body, kind != "response", kind in {"response", "error"}, taken or kind != "ended")

    def close(self) -> None:
        """Ends the process, and all that it started, whatever it is doing. A second call does nothing."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._end()

    def _end(self) -> None:
        self.kill()
        self._process.wait(END_SECONDS)
        assert self._process.stdin  # noqa: S101
        self._process.stdin.close()
        self._inbox.put(None)
        self._server.stop()
        for thread in self._threads:
            thread.join(END_SECONDS)
        self._server.server_close()

    def kill(self) -> None:
        """Kills the process with what it started; `close` also waits for its end.

        One that has ended is left alone: its number may be another's by now.
        """
        if self.alive:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: EPERM of one just ended
                os.killpg(self.pid, signal.SIGKILL)

    def _read_lines(self) -> None:
        assert self._process.stdout  # noqa: S101
        with self._process.stdout as stream:
            for raw in stream:
                # awslambdaric ends a stack trace's lines with \r and indents them with no-break spaces.
                for line in raw.decode(errors="replace").replace("\xa0", " ").splitlines():
                    self._on_line(self._request.request_id if self._request else "", line)

    def _await_end(self) -> None:
        self._process.wait()
        self._outbox.put(("ended", b""))

    # What the Runtime API asks

    def next(self) -> tuple[dict[str, str], bytes] | None:
        request = self._inbox.get()
        if request is None:
            return None
        self._request = request
        self._outbox.put(("taken", b""))
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request.request_id,
            "Lambda-Runtime-Invoked-Function-Arn": self._function.arn,
            "Lambda-Runtime-Trace-Id": request.trace_id,
            # Real time, whatever the clock says: the handler counts down on its own.
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self._function.timeout) * 1000)),
        }
        return headers, request.payload

    def answer(self, path: str, body: bytes) -> bool:
        if path == "init/error":
            self._outbox.put(("init", body))
            return True
        for kind in ("response", "error"):
            if self._request and path == f"invocation/{self._request.request_id}/{kind}":
                self._outbox.put((kind, body))
                return True
        return False


def environment(function: LocalFunction, endpoint: str, runtime_api: str) -> dict[str, str]:
    """What Lambda sets, the function's own, where AWS is, and the way out; of the user's nothing else."""
    region = function.arn.split(":")[3]
    code = str(function.code)
    defaults = {
        "HOME": "/home/sbx_user1051",  # as in Lambda, where it doesn't exist either
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": code,
        "TZ": "UTC",
    }
    reserved = {
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MEGABYTES),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": function.name,  # its role's, as in Lambda: who calls can be told
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "LAMBDA_TASK_ROOT": code,
        "_HANDLER": function.handler,
    }
    return {**defaults, **way_out(), **function.environment, **reserved}


def way_out() -> dict[str, str]:
    """The proxies and certificates by which this process reaches the internet; loopback goes by none."""
    names = {name: os.environ[name] for name in VARIABLES if os.environ.get(name)}
    exempt = names.pop("no_proxy", "") or names.pop("NO_PROXY", "")
    return names | NO_FILES | {"no_proxy": f"{NO_PROXY},{exempt}" if exempt else NO_PROXY}


def _failure(request: Request, kind: str, message: str) -> bytes:
    """In the service's words, for what a handler can't report itself."""
    message = f"RequestId: {request.request_id} Error: {message}"
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _exit_reason(code: int) -> str:
    if code < 0:
        return f"Runtime exited with error: signal: {(signal.strsignal(-code) or str(-code)).lower()}"
    if code > 0:
        return f"Runtime exited with error: exit status {code}"
    return "Runtime exited without providing a reason"
