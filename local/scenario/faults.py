"""What fails on the wire, and who acts just before a call."""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ReadTimeoutError

from local.clock import Clock
from local.in_process import Died, Send, response
from local.scenario.calls import Call, Request, Stack
from local.scenario.form import During, Fault, Step

TIMEOUT_SECONDS = 10  # how long a client waits for an answer that does not come
# What each service says, by its name in a signature; those that are not named say what the first does.
ERRORS: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "refused": {
        "dynamodb": (400, "ValidationException"),
        "kinesis": (400, "InvalidArgumentException"),
        "lambda": (400, "InvalidParameterValueException"),
        "s3": (400, "InvalidRequest"),
        "sns": (400, "InvalidParameter"),
    },
    "throttled": {
        "dynamodb": (400, "ThrottlingException"),
        "kinesis": (400, "ProvisionedThroughputExceededException"),
        "lambda": (429, "TooManyRequestsException"),
        "s3": (503, "SlowDown"),
        "sns": (400, "Throttling"),
    },
    "denied": {
        "dynamodb": (400, "AccessDeniedException"),
        "lambda": (403, "AccessDeniedException"),
        "s3": (403, "AccessDenied"),
        "sns": (403, "AuthorizationError"),
    },
    "5xx": {
        "dynamodb": (500, "InternalServerError"),
        "kinesis": (500, "InternalFailure"),
        "lambda": (500, "ServiceException"),
        "s3": (500, "InternalError"),
        "sns": (500, "InternalError"),
        "timestream": (500, "InternalServerException"),
    },
}


@dataclass(eq=False)
class _Counted:
    """A fault, or an act of another, with the calls that it has met."""

    of: Fault | During
    met: int = 0
    until: dt.datetime | None = None

    def is_due(self, now: dt.datetime) -> bool:
        """Whether the call that was met just now is one of those that are meant."""
        lasting = self.of.lasting if isinstance(self.of, Fault) else 1
        if self.met < self.of.nth:
            return False
        if isinstance(lasting, int):
            return self.met < self.of.nth + lasting
        if lasting is None:
            return True
        self.until = self.until or now + lasting
        return now < self.until


class Faults:
    """Intercepts the wire. ``act(steps)`` is what another does just before a call."""

    def __init__(self, stack: Stack, clock: Clock, act: Callable[[tuple[Step, ...]], None]) -> None:
        self._stack, self._clock, self._act = stack, clock, act
        self._standing: list[_Counted] = []
        self.copies = False  # whether something may have been sent and not marked as sent

    def begin(self, faults: Iterable[Fault | During]) -> None:
        """Count from now on."""
        self._standing += [_Counted(fault) for fault in faults]

    def mend(self, call: Call) -> None:
        """Lift the faults of this call."""
        self._standing = [
            standing
            for standing in self._standing
            if isinstance(standing.of, During) or standing.of.call != call
        ]

    def lift(self) -> list[str]:
        """End all of it; the calls that were waited for and never made."""
        missed = [
            f"{standing.of.call}, call {standing.of.nth}"
            for standing in self._standing
            if standing.met < standing.of.nth
        ]
        self._standing.clear()
        return missed

    def __call__(self, handler: str, operation: str, request: Any, send: Send) -> AWSResponse | None:
        about = Request.of(handler, operation, request)
        due: list[_Counted] = []
        for standing in list(self._standing):
            if standing.of.call.matches(about, self._stack) and about.holds(standing.of.where):
                standing.met += 1
                due += [standing] if standing.is_due(self._clock.now()) else []
        for standing in due:
            if isinstance(standing.of, During):
                self._act(standing.of.steps)
        left = [standing.of for standing in due if standing in self._standing]  # another may have mended some
        failing = next((fault for fault in left if isinstance(fault, Fault)), None)
        if failing is None:
            return send(request)
        self.copies = self.copies or _is_sent_and_not_marked(about, failing.how)
        return self._fail(failing.how, about.service, request, send)

    def _fail(self, how: str, service: str, request: Any, send: Send) -> AWSResponse | None:
        if how == "dies before":
            raise Died
        if how == "dies after":
            send(request)
            raise Died
        if how == "unanswered":
            send(request)
            self._clock.sleep(TIMEOUT_SECONDS)
            raise ReadTimeoutError(endpoint_url=request.url)
        known = ERRORS[how]
        return refusal(request, *known.get(service, known["dynamodb"]))


def _is_sent_and_not_marked(about: Request, how: str) -> bool:
    if about.operation == "Publish":
        return how in ("unanswered", "dies after")
    return about.operation == "TransactWriteItems" and "DELETE unsent" in about.body


def refusal(request: Any, status: int, code: str) -> AWSResponse:
    """An error in the form of the service that was asked."""
    if "X-Amz-Target" in request.headers:
        body = json.dumps({"__type": code, "message": f"planted: {code}"}).encode()
        return response(request.url, status, body, {"Content-Type": "application/x-amz-json-1.0"})
    if "/2015-03-31/" in request.url:  # Lambda's
        body = json.dumps({"Type": "User", "Message": f"planted: {code}"}).encode()
        return response(request.url, status, body, {"x-amzn-ErrorType": code})
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>planted: {code}</Message></Error>"
    if "Action=" in str(request.body):
        error = f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"
    return response(request.url, status, error.encode(), {"Content-Type": "text/xml"})
