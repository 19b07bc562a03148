"""Every call of every handler, failing in every way, in every situation: the cases, and how one is played.

SQLite's way: record the calls of a run that goes well, then let the Nth fail, for every N.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from in_process import Died, InProcessCloud, Send, response
from invariants import Watch, hold
from system import START, System

DAY = dt.timedelta(days=1)
ONE_ATTEMPT = {"reply lost", "throttled once"}  # botocore's next attempt goes through
LASTING = {"throttled for ever", "access denied"}
TOOK_EFFECT = {"dies after", "reply lost", "timed out"}
WAYS = (
    "refused",
    "dies after",
    "reply lost",
    "throttled once",
    "throttled for ever",
    "5xx",
    "timed out",
    "access denied",
)


@dataclass(frozen=True)
class Call:
    """The number-th call of the handlers in a situation, from 1."""

    number: int
    handler: str
    operation: str


@dataclass(frozen=True)
class Case:
    situation: str
    call: Call
    way: str

    def __str__(self) -> str:
        of = self.call
        return f"{self.situation}, {of.handler}, call {of.number} {of.operation}: {self.way}"


class Recorder:
    """Writes down each call and lets it through."""

    def __init__(self, daybook: System) -> None:
        self._wire = wire(daybook)
        self._before = self._wire.calls
        self.calls: list[Call] = []

    def __call__(self, handler: str, operation: str, request: Any, send: Send) -> AWSResponse:
        number = self._wire.calls - self._before
        if not self.calls or self.calls[-1].number != number:
            self.calls.append(Call(number, handler, operation))
        return send(request)


class Fault:
    """Lets one call fail in one way; a lasting fault is also that of all later calls of this kind."""

    def __init__(self, daybook: System, call: Call, way: str) -> None:
        self._wire = wire(daybook)
        self._before = self._wire.calls
        self._call, self._way = call, way
        self.fired = 0

    def __call__(self, handler: str, operation: str, request: Any, send: Send) -> AWSResponse:
        number = self._wire.calls - self._before
        if number < self._call.number or (handler, operation) != (self._call.handler, self._call.operation):
            assert number != self._call.number, f"call {number} is {handler}'s {operation}, not as recorded"
            return send(request)
        if number > self._call.number and self._way not in LASTING:
            return send(request)
        self.fired += 1
        if self.fired > 1 and self._way in ONE_ATTEMPT:
            return send(request)
        if self._way in TOOK_EFFECT:
            send(request)
        return self._fail(request)

    def _fail(self, request: Any) -> AWSResponse:
        match self._way:
            case "dies after":
                raise Died
            case "reply lost":
                raise ConnectionClosedError(endpoint_url=request.url)
            case "timed out":
                raise ReadTimeoutError(endpoint_url=request.url)
            case "refused":
                return refusal(request, 400, "ExpiredTokenException")
            case "throttled once" | "throttled for ever":
                return refusal(request, 400, "ThrottlingException")
            case "5xx":
                return refusal(request, 500, "InternalServerError")
            case "access denied":
                return refusal(request, 400, "AccessDeniedException")
        raise AssertionError(self._way)


def refusal(request: Any, status: int, code: str, **more: Any) -> AWSResponse:
    """An error in the form of the service that was asked."""
    if "X-Amz-Target" in request.headers:
        body = json.dumps({"__type": code, "message": f"planted: {code}", **more}).encode()
        return response(request.url, status, body, {"Content-Type": "application/x-amz-json-1.0"})
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>planted: {code}</Message></Error>"
    if "Action=" in str(request.body):
        error = f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"
    return response(request.url, status, error.encode(), {"Content-Type": "text/xml"})


def wire(daybook: System) -> Any:
    assert isinstance(daybook.cloud, InProcessCloud)
    return daybook.cloud.wire


# Situations: what comes before, and what happens while a call fails.


def cases(dates: int, **restated: int) -> dict[str, int]:
    """Six dates or more from 1 March 2020, ten cases more each day; ``d3=31`` restates the third."""
    found = {f"2020-03-{number:02}": number * 10 for number in range(1, dates + 1)}
    return found | {f"2020-03-{int(name[1:]):02}": count for name, count in restated.items()}


def first_load(daybook: System) -> None:
    daybook.publish(cases(6))
    go(daybook)


def daily_increment(daybook: System) -> None:
    daybook.publish(cases(7))
    go(daybook)


def restated_days(daybook: System) -> None:
    daybook.publish(cases(7, d2=21, d5=52))
    go(daybook)


def recovery_after_a_failed_run(daybook: System) -> None:
    """The source is away, the reporter tells of it; a day later all is well."""
    files = daybook.publisher.files
    daybook.publish(cases(8, d3=31))
    away = files.pop("jhu")
    go(daybook)
    files["jhu"] = away
    go(daybook)


def recovery_after_a_batch_given_up(daybook: System) -> None:
    """The store takes nothing for longer than the mapping retries; a day later all is well."""
    daybook.publish(cases(8, d3=31))
    with daybook.on_call(
        "WriteRecords", lambda: daybook.cloud.clock.sleep(3.5 * 3600) or "ThrottlingException"
    ):
        go(daybook)
    go(daybook)


def a_report_left_unsent(daybook: System) -> None:
    """Nobody could be told of the day before; now the rest is sent with what is new."""
    daybook.publish(cases(8, d3=31))
    go(daybook)


def nothing(_daybook: System) -> None:
    """The ledger is empty."""


def loaded(daybook: System) -> None:
    first_load(daybook)


def loaded_and_not_told(daybook: System) -> None:
    first_load(daybook)
    daybook.publish(cases(7))

    def denied(_handler: str, operation: str, request: Any, send: Send) -> AWSResponse:
        return refusal(request, 403, "AuthorizationError") if operation == "Publish" else send(request)

    wire(daybook).intercept = denied
    go(daybook)
    wire(daybook).intercept = None


SITUATIONS: dict[str, tuple[Callable[[System], None], Callable[[System], None]]] = {
    "first load": (nothing, first_load),
    "daily increment": (loaded, daily_increment),
    "restated days": (loaded, restated_days),
    "recovery after a failed run": (loaded, recovery_after_a_failed_run),
    "recovery after a batch given up": (loaded, recovery_after_a_batch_given_up),
    "a report left unsent": (loaded_and_not_told, a_report_left_unsent),
}


def go(daybook: System) -> None:
    """The run of the next day and all that comes of it; it need not have been stored."""
    cloud = daybook.cloud
    cloud.clock.advance_to(daybook.moment)
    cloud.run(daybook.moment)
    daybook.moment += DAY
    cloud.settle(until=daybook.moment - dt.timedelta(minutes=1))


@contextmanager
def fresh(daybook: System, before: Callable[[System], None] = nothing) -> Iterator[Watch]:
    """A cloud to which ``before`` has happened, once for all who ask; watched after each invocation."""
    cloud = daybook.cloud
    assert isinstance(cloud, InProcessCloud)
    if before not in cloud.reached:
        cloud.again()
        daybook.moment = START
        daybook.publisher.files.clear()
        watch = _watched(daybook)
        before(daybook)
        cloud.reached[before] = cloud.kept(), daybook.moment, dict(daybook.publisher.files), watch.seen
    kept, moment, files, seen = cloud.reached[before]
    cloud.again(kept)
    daybook.moment = moment
    daybook.publisher.files.clear()
    daybook.publisher.files.update(files)
    watch = _watched(daybook)
    watch.seen = seen
    yield watch


def _watched(daybook: System) -> Watch:
    watch = Watch(daybook)
    daybook.cloud.runtime.after.append(watch.look)  # type: ignore[attr-defined]
    return watch


def recorded(daybook: System, situation: str) -> list[Call]:
    """The handlers' calls where nothing fails."""
    before, during = SITUATIONS[situation]
    with fresh(daybook, before) as watch:
        wire(daybook).intercept = recorder = Recorder(daybook)
        during(daybook)
        wire(daybook).intercept = None
        watch.pending_has_a_reason()
        go(daybook)
        hold(watch)
    return recorder.calls


def play(daybook: System, case: Case) -> None:
    """The situation with its fault; then the fault is lifted, one more run is made, and all must hold."""
    before, during = SITUATIONS[case.situation]
    with fresh(daybook, before) as watch:
        wire(daybook).intercept = fault = Fault(daybook, case.call, case.way)
        during(daybook)
        assert fault.fired, "the fault was never met"
        wire(daybook).intercept = None
        watch.pending_has_a_reason()
        go(daybook)
        hold(watch, copies=told_twice(case))


def told_twice(case: Case) -> bool:
    """Whether the sender may have sent and not marked: only then may there be a second copy."""
    if case.call.operation == "Publish":
        return case.way in TOOK_EFFECT
    return case.call.operation == "TransactWriteItems" and case.way not in ONE_ATTEMPT
