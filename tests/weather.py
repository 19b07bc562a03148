"""What the handlers' calls meet in the model: a failure, an operation throttled, records put in any order."""

import json
import random
from typing import Any

import faults
from botocore.awsrequest import AWSResponse
from faults import Call, Case, Fault, refusal, wire
from in_process import Send, response
from system import System

OPERATIONS = (
    "BatchGetItem",
    "GetItem",
    "Publish",
    "PutObject",
    "PutRecords",
    "Query",
    "TransactWriteItems",
    "UpdateItem",
    "WriteRecords",
)
TAKEN = 0.8  # of the records of a put, where it is taken in part


class NextFault(Fault):
    """The number-th call from now fails, whichever it is."""

    def __call__(self, handler: str, operation: str, request: Any, send: Send) -> AWSResponse:
        if not self.fired and self._wire.calls - self._before == self._call.number:
            self._call = Call(self._call.number, handler, operation)
        return super().__call__(handler, operation, request, send)

    @property
    def told_twice(self) -> bool:
        return bool(self.fired) and faults.told_twice(Case("", self._call, self._way))


class Weather:
    """Intercepts the wire. ``copies``: whether something may have been sent and not marked as sent."""

    def __init__(self, daybook: System) -> None:
        self._daybook = daybook
        self._fault: NextFault | None = None
        self._throttled = ""
        self._order: random.Random | None = None
        self.copies = False
        wire(daybook).intercept = self._intercept

    @property
    def failing(self) -> bool:
        return self._fault is not None or self._throttled != ""

    @property
    def calm(self) -> bool:
        return not self.failing and self._order is None

    def fail(self, number: int, way: str) -> None:
        self._fault = NextFault(self._daybook, Call(number, "", ""), way)

    def throttle(self, operation: str) -> None:
        self._throttled = operation

    def shuffle(self, seed: int) -> None:
        self._order = random.Random(seed)

    def lift(self) -> None:
        self.copies = self.copies or (self._fault is not None and self._fault.told_twice)
        self._fault, self._throttled, self._order = None, "", None

    def _intercept(self, handler: str, operation: str, request: Any, send: Send) -> AWSResponse:
        if operation == self._throttled:
            self.copies = self.copies or operation == "TransactWriteItems"
            return refusal(request, 400, "ThrottlingException")
        if self._order and operation == "PutRecords":
            ordered, send = send, lambda asked: self._in_another_order(asked, ordered)  # type: ignore[misc]
        return self._fault(handler, operation, request, send) if self._fault else send(request)

    def _in_another_order(self, request: Any, send: Send) -> AWSResponse:
        """Kinesis promises no order, and may take a part only; it answers in the order of what was asked."""
        assert self._order
        asked = json.loads(request.body)
        count = len(asked["Records"])
        refused = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "planted"}
        answer = {"FailedRecordCount": count, "Records": [refused] * count}
        taken = [place for place in range(count) if self._order.random() < TAKEN]
        self._order.shuffle(taken)
        if taken:
            request.body = json.dumps(
                asked | {"Records": [asked["Records"][place] for place in taken]}
            ).encode()
            for place, outcome in zip(taken, json.loads(send(request).content)["Records"], strict=True):
                answer["Records"][place] = outcome
            answer["FailedRecordCount"] -= len(taken)
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        return response(request.url, 200, json.dumps(answer).encode(), headers)
