"""The local cloud: the emulator, and around it what runs the stack's functions as Lambda would."""

import datetime as dt
import json
import tempfile
from collections.abc import Mapping as ConstantMapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from local.aws.clients import client
from local.aws.emulator import Emulator
from local.aws.publication import Publication
from local.clock import Clock
from local.lambdas.runtime import LambdaRuntime, Log
from local.mapping.mapping import Mapping
from local.scheduler import fire
from local.stack.program import Provisioned, provision
from schemas.moment import written
from storage.archive import Archive
from storage.ledger import Ledger
from storage.tables import open_tables

STACK = "local"


class LocalCloud:
    """A stack, provisioned from the Pulumi program, with its functions ready to be invoked.

    Nothing moves by itself: ``run`` fires the schedule, ``settle`` carries everything to its end.
    """

    def __init__(self, clock: Clock, config: ConstantMapping[str, str], log: Log | None = None) -> None:
        self.clock = clock
        self._also_log = log
        with ExitStack() as ends:  # whatever interrupts the making, what was begun is ended
            code = ends.enter_context(tempfile.TemporaryDirectory(prefix="daybook-"))
            self.emulator = ends.enter_context(Emulator(clock))
            self.stack: Provisioned = provision(self.emulator, Path(code), STACK, config)
            self.runtime = LambdaRuntime(
                self.emulator.endpoint,
                clock,
                self.stack.functions,
                self.stack.invoke_configs,
                on_failure=self._publish,
                log=self._log,
            )
            ends.callback(self.runtime.close)
            first = [schedule.target_function for schedule in self.stack.schedules]
            for needed in (*first, *(mapping.function_name for mapping in self.stack.mappings)):
                self.runtime.warm(needed)  # the first load waits for less
            self.mappings = [
                Mapping(mapping, self.client("kinesis"), self.runtime.invoke, clock, self._publish)
                for mapping in self.stack.mappings
            ]
            self.emulator.on_publish(self._deliver)
            self.ledger = Ledger(self.client("dynamodb"), self.stack.exports["ledger_table"])
            self.archive = Archive(self.client("s3"), self.stack.exports["archive_bucket"])
            self.tables = open_tables(self.stack.exports, self.client)
            self._ends = ends.pop_all()

    def client(self, service: str) -> Any:
        """A client of the emulator."""
        return client(service, self.emulator.endpoint)

    def run(self, moment: dt.datetime) -> str:
        """Fire the schedule for that moment; the request's id."""
        (schedule,) = self.stack.schedules
        return self.runtime.invoke_async(schedule.target_function, fire(schedule, moment))

    def settle(self, until: dt.datetime | None = None) -> None:
        """Let everything that is under way come to its end, retries and alerts included; with ``until``,
        what waits for a later moment is left waiting."""
        if not self.clock.is_virtual:
            while self._move(until):
                pass
            return
        while True:  # everything due now, and only then on to the next moment at which something is
            while self._move(self.clock.now()):
                pass
            waiting = [part.next_moment for part in (self.runtime, *self.mappings) if part.next_moment]
            if not waiting or (until is not None and min(waiting) > until):
                return
            self.clock.advance_to(min(waiting))

    def _move(self, until: dt.datetime | None) -> int:
        """How many invocations it took to do what is due."""
        count = self.runtime.drain(until)
        return count + sum(mapping.drain(until).invocations for mapping in self.mappings)

    def close(self) -> None:
        """End every process, and forget everything."""
        self._ends.close()

    def _log(self, function: str, request: str, line: str) -> None:
        """Where `daybook logs` finds it, as on AWS: with the request's id in each line of ours."""
        self.emulator.log(function, line)
        if self._also_log:
            self._also_log(function, request, line)

    def _publish(self, topic: str, message: ConstantMapping[str, Any]) -> None:
        """On-failure destinations are topics."""
        self.client("sns").publish(TopicArn=topic, Message=json.dumps(message))

    def _deliver(self, publication: Publication) -> None:
        """Hand a message to the functions that subscribe to its topic, as SNS does."""
        for subscription in self.stack.subscriptions:
            if (subscription.topic_arn, subscription.protocol) == (publication.topic_arn, "lambda"):
                name = subscription.endpoint.rpartition(":")[2]
                self.runtime.invoke_async(name, json.dumps(_sns_event(publication)).encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _sns_event(publication: Publication) -> dict[str, Any]:
    """What a function gets from SNS."""
    message = {
        "Type": "Notification",
        "MessageId": publication.message_id,
        "TopicArn": publication.topic_arn,
        "Subject": publication.subject,
        "Message": publication.text("lambda"),
        "Timestamp": written(publication.time),
        "SignatureVersion": "1",
        "MessageAttributes": {},
    }
    subscription = f"{publication.topic_arn}:{uuid4()}"
    record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription}
    return {"Records": [record | {"Sns": message}]}
