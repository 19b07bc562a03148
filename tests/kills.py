"""SIGKILL at a chosen call: a handler's process dies just before the call takes effect, or just after it."""

import contextlib
import itertools
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from local.cloud import LocalCloud
from local.sources.publisher import Publisher

# What a day goes through, and the call by which a stage is known; notices are sent by whoever ends a run.
STAGES = {
    "fetch": ("fetcher", "GET"),
    "put": ("fetcher", "PutRecords"),
    "archive": ("consumer", "PutObject"),
    "write": ("consumer", "WriteRecords"),
    "acknowledge": ("consumer", "TransactWriteItems"),
    "notify": ("", "Publish"),
}
BEFORE, AFTER = "before", "after"
RETRIES = 2  # Lambda's, of a fetcher; one killed more often has failed, and that is another story


@dataclass(frozen=True)
class Kill:
    """At the number-th call of a stage, from 1, in a play. A file that is fetched has no after."""

    stage: str
    number: int
    moment: str


def planned(seed: int, calls: Mapping[str, int], each: int) -> list[Kill]:
    """So many kills a stage, before and after by turns, each at a call that there is in any case."""
    chance = random.Random(seed)
    found: list[Kill] = []
    for stage in STAGES:
        turns = itertools.cycle(chance.sample((BEFORE, AFTER), 2))
        numbers = sorted(chance.sample(range(1, calls[stage] + 1), each))
        found += map(Kill, itertools.repeat(stage), numbers, turns)
    return found


def stage_of(handler: str, operation: str) -> str | None:
    return next((name for name, (who, what) in STAGES.items() if what == operation and who in handler), None)


def caller(environ: Mapping[str, Any]) -> str:
    """The function that calls: its name is its access key's id, as its role's is in Lambda."""
    return environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition("/")[0]


class Killer:
    """Ends the processes of this cloud's handlers, as planned, and no other's."""

    def __init__(self, cloud: LocalCloud, publisher: Publisher, plan: list[Kill]) -> None:
        self._runtime = cloud.runtime
        (schedule,) = cloud.stack.schedules
        self._fetcher = schedule.target_function
        self._plan = list(plan)
        self._lock = threading.Lock()
        self._refused = threading.local()
        self._of_this_run = 0  # kills of the fetcher
        self.calls: Counter[str] = Counter()  # by stage
        self.done: list[Kill] = []
        publisher.files = Asked(self._fetched)
        cloud.emulator.on_call(self._called)
        cloud.emulator.before |= {operation: self._answer for _, operation in STAGES.values()}

    def next_run(self) -> None:
        self._of_this_run = 0

    def _fetched(self) -> None:
        if self._due("fetch", self._fetcher):
            self._kill(self._fetcher)

    def _called(self, operation: str, environ: dict[str, Any]) -> None:
        handler = caller(environ)
        stage = stage_of(handler, operation) if handler.startswith("daybook") else None
        if stage is None or (kill := self._due(stage, handler)) is None:
            return
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)  # what was sent arrives, whoever has died meanwhile
        self._kill(handler)
        self._refused.value = kill.moment == BEFORE

    def _answer(self) -> str | None:
        refused, self._refused.value = getattr(self._refused, "value", False), False
        return "InternalFailure" if refused else None  # nobody is left to hear it

    def _due(self, stage: str, handler: str) -> Kill | None:
        with self._lock:
            self.calls[stage] += 1
            spared = handler == self._fetcher and self._of_this_run == RETRIES
            due = [kill for kill in self._plan if kill.stage == stage and kill.number <= self.calls[stage]]
            if spared or not due:
                return None
            self._of_this_run += handler == self._fetcher
            self._plan.remove(due[0])
            self.done.append(due[0])
            return due[0]

    def _kill(self, function: str) -> None:
        processes = self._runtime.processes(function)
        assert processes, f"nothing of {function} is running"
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        while set(processes) & set(self._runtime.processes(function)):
            threading.Event().wait(0.001)


class Asked(dict[str, bytes]):
    """The publisher's files; says so when one is asked for."""

    def __init__(self, asked: Any) -> None:
        super().__init__()
        self._asked = asked

    def get(self, name: str, default: Any = None) -> Any:
        self._asked()
        return super().get(name, default)
