"""The Lambda service of the local cloud: handlers in processes of their own, which end with this one."""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from local.clock import Clock
from local.lambdas.event_queue import LambdaQueue, OnFailure
from local.lambdas.process import CLIENT, LambdaProcess, Outcome, Request
from local.stack.definitions import LocalFunction, LocalInvokeConfig

CONCURRENCY = 4  # processes a function; a further invocation waits, where AWS would throttle it
TAIL_LINES = 200

Log = Callable[[str, str, str], None]


class FunctionNotFound(Exception):
    """There is no function of that name: deploy it first."""


@dataclass(frozen=True)
class Invocation:
    """`error` is "Unhandled" for whatever went wrong in the function, and `response` then says what."""

    request_id: str
    function_arn: str
    response: bytes
    error: str | None
    started: datetime  # on the clock
    seconds: float  # real ones
    cold: bool  # a process was started for it


class LambdaRuntime:
    """`log(function, request id, line)` gets each line as a handler prints it, from several threads."""

    def __init__(
        self,
        endpoint: str,
        clock: Clock,
        functions: Iterable[LocalFunction] = (),
        invoke_configs: Iterable[LocalInvokeConfig] = (),
        on_failure: OnFailure | None = None,
        log: Log | None = None,
        concurrency: int = CONCURRENCY,
        client: str = CLIENT,
    ) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._log = log
        self._concurrency = concurrency
        self._client = client
        self._lock = threading.Lock()
        self._pools: dict[str, _Pool] = {}
        self._tails: dict[str, deque[str]] = {}
        for function in functions:
            self.deploy(function)
        self._queue = LambdaQueue(self.invoke, clock, invoke_configs, on_failure)
        atexit.register(self.close)

    def deploy(self, function: LocalFunction) -> None:
        """A function of the same name is replaced, and its processes end."""
        tail = self._tails.setdefault(function.name, deque(maxlen=TAIL_LINES))

        def on_line(request_id: str, line: str) -> None:
            tail.append(line)
            if self._log:
                self._log(function.name, request_id, line)

        def start() -> LambdaProcess:
            return LambdaProcess(function, self._endpoint, on_line, self._client)

        with self._lock:
            old = self._pools.get(function.name)
            self._pools[function.name] = _Pool(function, start, self._concurrency)
        if old:
            old.close()

    def warm(self, name: str) -> None:
        """Starts a process of the function, which imports while others do something else."""
        self._pools[name].warm()

    def invoke(
        self, name: str, payload: bytes, request_id: str | None = None, arrived: datetime | None = None
    ) -> Invocation:
        """Waits for the answer. `arrived`, now unless said, is what the handler's trace id tells it."""
        pool = self._pools.get(name)
        if pool is None:
            raise FunctionNotFound(f"{name}; there are {', '.join(sorted(self._pools)) or 'none'}")
        request_id = request_id or str(uuid4())
        started = self._clock.now()
        request = Request(request_id, payload, trace_id(request_id, arrived or started))
        clocked = time.perf_counter()
        outcome, cold = pool.invoke(request)
        return Invocation(
            request_id,
            pool.function.arn,
            outcome.response,
            "Unhandled" if outcome.error else None,
            started,
            time.perf_counter() - clocked,
            cold,
        )

    def invoke_async(self, name: str, payload: bytes, request_id: str | None = None) -> str:
        """Queues it and gives its request id, which its retries share, as they do its trace id."""
        if name not in self._pools:
            raise FunctionNotFound(name)
        request_id = request_id or str(uuid4())
        self._queue.put(name, payload, request_id)
        return request_id

    def drain(self, until: datetime | None = None) -> int:
        """Until nothing is queued that is due by `until`, retries included; gives the number of invocations.

        A virtual clock is moved to each retry; on the real one this waits for them.
        """
        return self._queue.drain(until)

    @property
    def next_moment(self) -> datetime | None:
        """When the next queued invocation falls due; None when nothing is queued."""
        return self._queue.next_moment

    def tail(self, name: str) -> list[str]:
        """The last lines that the function printed."""
        return list(self._tails.get(name, ()))

    def processes(self, name: str) -> list[int]:
        """The ids of the function's processes, busy and idle."""
        return self._pools[name].processes()

    def close(self) -> None:
        """Ends every process, in whatever it is doing. Nothing can be invoked afterwards."""
        atexit.unregister(self.close)
        self._queue.stop()
        # All are killed before any is waited for; without threads, as none can be started at the exit.
        pools = list(self._pools.values())
        for end in (_Pool.kill, _Pool.close):
            for pool in pools:
                end(pool)
        self._queue.join()

    def __enter__(self) -> LambdaRuntime:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class _Pool:
    """One function's processes: as many as are busy at once, up to a number."""

    def __init__(self, function: LocalFunction, start: Callable[[], LambdaProcess], size: int) -> None:
        self.function = function
        self._start = start
        self._places = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[LambdaProcess] = []
        self._busy: set[LambdaProcess] = set()
        self._closed = False

    def warm(self) -> None:
        with self._lock:
            self._idle.append(self._start())

    def invoke(self, request: Request) -> tuple[Outcome, bool]:
        with self._places:
            while True:
                with self._process() as (process, cold):
                    outcome = process.invoke(request)
                    if not outcome.reported:
                        process.close()  # the next invocation gets a fresh one
                # An idle process that ended just now never saw the request; a fresh one's end is its answer.
                if outcome.taken or cold:
                    return outcome, cold

    def processes(self) -> list[int]:
        with self._lock:
            return [process.pid for process in (*self._busy, *self._idle) if process.alive]

    def kill(self) -> None:
        with self._lock:
            self._closed = True
            for process in (*self._busy, *self._idle):
                process.kill()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            processes = [*self._busy, *self._idle]
            self._idle.clear()
        for process in processes:
            process.close()

    @contextlib.contextmanager
    def _process(self) -> Iterator[tuple[LambdaProcess, bool]]:
        """A process, and whether it was started for this. The warmest first, as in Lambda."""
        with self._lock:
            if self._closed:
                raise RuntimeError(f"{self.function.name} is closed")
            dead = [process for process in self._idle if not process.alive]
            self._idle = [process for process in self._idle if process not in dead]
            cold = not self._idle
            process = self._start() if cold else self._idle.pop()
            self._busy.add(process)
        for ended in dead:
            ended.close()
        answered = False
        try:
            yield process, cold
            answered = True
        finally:
            with self._lock:
                self._busy.discard(process)
                keep = answered and process.alive and not self._closed
                if keep:
                    self._idle.append(process)
            if not keep:
                process.close()


def trace_id(request_id: str, arrived: datetime) -> str:
    """AWS's form: the root begins with the moment, in seconds. A handler may tell the time by it."""
    try:
        digits = UUID(request_id).hex
    except ValueError:
        digits = uuid4().hex
    return f"Root=1-{int(arrived.timestamp()):08x}-{digits[:24]};Parent={digits[-16:]};Sampled=0"
