"""Lambda's asynchronous invocations: a queue, retries, and the message about what failed for good."""

from __future__ import annotations

import heapq
import itertools
import json
import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from local.clock import Clock
from local.stack.definitions import LocalInvokeConfig

if TYPE_CHECKING:
    from local.lambdas.runtime import Invocation

# Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation"
RETRY_WAITS = (timedelta(minutes=1), timedelta(minutes=2))
MAX_RETRIES = 2  # the default, and the most
MAX_EVENT_AGE = timedelta(hours=6)  # likewise
CONCURRENT = 4

OnFailure = Callable[[str, dict[str, Any]], None]
_log = logging.getLogger(__name__)


class Invoke(Protocol):
    def __call__(self, name: str, payload: bytes, request_id: str, arrived: datetime) -> Invocation: ...


@dataclass(order=True)
class _Event:
    due: datetime
    order: int
    function: str = field(compare=False)
    payload: bytes = field(compare=False)
    request_id: str = field(compare=False)
    queued: datetime = field(compare=False)
    attempts: int = field(default=0, compare=False)
    last: Invocation | None = field(default=None, compare=False)


class LambdaQueue:
    """`on_failure(topic ARN, message)` gets what is given up.

    On a virtual clock nothing happens but in `drain`, in order; on the real one a thread runs events as they
    fall due, some at a time.
    """

    def __init__(
        self, invoke: Invoke, clock: Clock, configs: Iterable[LocalInvokeConfig], on_failure: OnFailure | None
    ) -> None:
        self._invoke = invoke
        self._clock = clock
        self._configs = {config.function_name: config for config in configs}
        self._on_failure = on_failure
        self._events: list[_Event] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._running = 0
        self._attempts = 0
        self._closed = False
        self._thread: threading.Thread | None = None

    def put(self, function: str, payload: bytes, request_id: str) -> None:
        now = self._clock.now()
        with self._changed:
            if self._closed:
                raise RuntimeError("the queue is closed")
            if self._thread is None and not self._clock.is_virtual:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            self._push(_Event(now, next(self._order), function, payload, request_id, now))

    def forget(self, request_id: str) -> None:
        """Lose what is queued of this request: no further try, and no message about it."""
        with self._changed:
            self._events = [event for event in self._events if event.request_id != request_id]
            heapq.heapify(self._events)

    def drain(self, until: datetime | None = None) -> int:
        """Waits until nothing is queued that falls due by `until`; a virtual clock is moved to each retry.

        Gives the number of invocations made meanwhile.
        """
        if self._clock.is_virtual:
            return self._drain_virtual(until)
        with self._changed:
            before = self._attempts
            self._changed.wait_for(lambda: self._closed or not (self._running or self._due(until)))
            return self._attempts - before

    @property
    def next_moment(self) -> datetime | None:
        """When the next invocation falls due; None when nothing is queued."""
        with self._changed:
            return self._events[0].due if self._events else None

    def stop(self) -> None:
        """Nothing is begun any more. What is still queued is lost, as the queue is in memory."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def join(self) -> None:
        """After `stop`: until what is running has come to its end."""
        if self._thread:
            self._thread.join()

    def _push(self, event: _Event) -> None:
        heapq.heappush(self._events, event)
        self._changed.notify_all()

    def _due(self, moment: datetime | None) -> bool:
        return bool(self._events) and (moment is None or self._events[0].due <= moment)

    def _drain_virtual(self, until: datetime | None) -> int:
        before = self._attempts
        while True:
            with self._changed:
                if self._closed or not self._due(until):
                    return self._attempts - before
                event = heapq.heappop(self._events)
            self._clock.advance_to(event.due)
            self._attempt(event)

    def _run(self) -> None:
        with ThreadPoolExecutor(CONCURRENT) as pool:
            while True:
                with self._changed:
                    now = self._clock.now()
                    while not (self._closed or self._due(now)):
                        wait = (self._events[0].due - now).total_seconds() if self._events else None
                        self._changed.wait(wait)
                        now = self._clock.now()
                    if self._closed:
                        return
                    event = heapq.heappop(self._events)
                    self._running += 1
                pool.submit(self._attempt_in_thread, event)

    def _attempt_in_thread(self, event: _Event) -> None:
        try:
            self._attempt(event)
        except Exception:
            _log.exception("asynchronous invocation of %s", event.function)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _attempt(self, event: _Event) -> None:
        config = self._configs.get(event.function)
        max_retries = MAX_RETRIES if config is None else config.max_retries
        max_age = timedelta(seconds=config.max_event_age_seconds) if config else MAX_EVENT_AGE
        expires = event.queued + max_age
        if event.attempts and self._clock.now() >= expires:
            self._give_up(event, "EventAgeExceeded")
            return
        with self._changed:
            self._attempts += 1
        event.attempts += 1
        event.last = self._invoke(event.function, event.payload, event.request_id, event.queued)
        if event.last.error is None or self._closed:  # its process was ended, and that isn't its failure
            return
        if event.attempts > max_retries:
            self._give_up(event, "RetriesExhausted")
            return
        event.due = min(self._clock.now() + RETRY_WAITS[event.attempts - 1], expires)
        with self._changed:
            self._push(event)

    def _give_up(self, event: _Event, condition: str) -> None:
        config = self._configs.get(event.function)
        if config and config.on_failure_topic and self._on_failure and event.last:
            message = _message(event, event.last, condition, self._clock.now())
            self._on_failure(config.on_failure_topic, message)


def _message(event: _Event, last: Invocation, condition: str, now: datetime) -> dict[str, Any]:
    """The developer guide's invocation record for a failed asynchronous invocation."""
    return {
        "version": "1.0",
        "timestamp": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": f"{last.function_arn}:$LATEST",
            "condition": condition,
            "approximateInvokeCount": event.attempts,
        },
        "requestPayload": json.loads(event.payload or b"{}"),
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": last.error},
        "responsePayload": json.loads(last.response or b"null"),
    }
