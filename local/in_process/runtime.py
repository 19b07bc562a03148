"""The Lambda service of the in-process cloud: the handlers of this checkout, one invocation at a time."""

import contextlib
import datetime as dt
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from functions import consumer, fetcher, reporter
from local.clock import Clock
from local.in_process.wire import Died
from local.lambdas.event_queue import LambdaQueue, OnFailure
from local.lambdas.runtime import Invocation, trace_id
from local.stack.definitions import LocalFunction, LocalInvokeConfig

if TYPE_CHECKING:
    from local.in_process.wire import Wire

HANDLERS: dict[str, ModuleType] = {"fetcher": fetcher, "consumer": consumer, "reporter": reporter}


class InProcessRuntime:
    """Takes the place of LambdaRuntime."""

    def __init__(
        self,
        endpoint: str,
        clock: Clock,
        functions: Iterable[LocalFunction] = (),
        invoke_configs: Iterable[LocalInvokeConfig] = (),
        on_failure: OnFailure | None = None,
        log: Any = None,
    ) -> None:
        self.clock, self._log = clock, log
        self._endpoint = endpoint
        self._functions = {function.name: function for function in functions}
        self._configs, self._on_failure = invoke_configs, on_failure
        self.wire: Wire | None = None
        self.after: list[Callable[[str, Invocation], None]] = []  # called after each invocation
        self.lines: list[str] = []
        self.serial = 0  # of the last asynchronous request
        self.reset()

    def reset(self) -> None:
        """Nothing queued, no process alive."""
        self._queue = LambdaQueue(self.invoke, self.clock, self._configs, self._on_failure)
        self.lines.clear()
        for module in HANDLERS.values():
            _end(module)

    def warm(self, name: str) -> None:
        """There is nothing to warm."""

    def invoke(
        self, name: str, payload: bytes, request_id: str | None = None, arrived: dt.datetime | None = None
    ) -> Invocation:
        """The answer of the handler, whose calls go over the wire under its name."""
        if self.wire is None:
            raise RuntimeError("there is no wire for the handlers' calls")
        function = self._functions[name]
        kind = function.handler.rpartition(".")[0].rpartition(".")[2].rpartition("/")[2]
        module = HANDLERS[kind]
        started = self.clock.now()
        request_id = request_id or str(UUID(int=len(self.lines) + 1))
        outside = self.wire.handler
        variables = {**function.environment, "_X_AMZN_TRACE_ID": trace_id(request_id, arrived or started)}
        output = io.StringIO()
        self.wire.handler = kind
        try:
            with _environment(variables), contextlib.redirect_stdout(output):
                answer = module.handler(json.loads(payload), SimpleNamespace(aws_request_id=request_id))
            body, error = json.dumps(answer).encode(), None
        except Died:
            _end(module)  # the next invocation gets a fresh process
            body, error = _failure("Runtime.ExitError", "Runtime exited without providing a reason")
        except Exception as problem:
            body, error = _failure(type(problem).__name__, str(problem))
        finally:
            self.wire.handler = outside
        self.lines += output.getvalue().splitlines()
        invocation = Invocation(request_id, function.arn, body, error, started, 0.0, False)
        for look in self.after:
            look(kind, invocation)
        return invocation

    def invoke_async(self, name: str, payload: bytes, request_id: str | None = None) -> str:
        self.serial += 1
        request_id = request_id or str(UUID(int=self.serial))
        self._queue.put(name, payload, request_id)
        return request_id

    def forget(self, request_id: str) -> None:
        """What is still queued of this request is lost."""
        self._queue.forget(request_id)

    def drain(self, until: dt.datetime | None = None) -> int:
        return self._queue.drain(until)

    @property
    def next_moment(self) -> dt.datetime | None:
        return self._queue.next_moment

    def close(self) -> None:
        self.reset()


def _end(module: ModuleType) -> None:
    """Forget what the handler's process keeps between invocations."""
    for value in vars(module).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _failure(kind: str, message: str) -> tuple[bytes, str]:
    return json.dumps({"errorType": kind, "errorMessage": message}).encode(), "Unhandled"
