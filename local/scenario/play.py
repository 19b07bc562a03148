"""Play a scenario on a cloud, from its beginning to what must hold at its end."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from functions.fetcher import MARGIN
from functions.request import EVENT_AGE
from infra.stream import RECORD_AGE_SECONDS
from local.in_process import InProcessCloud
from local.mapping.mapping import Mapping
from local.scenario import expect, invariants, reading
from local.scenario.faults import Faults
from local.scenario.form import Scenario, Step
from local.scenario.operator import operate
from local.scenario.reading import Lost
from local.scenario.steps import STEPS
from local.scenario.watch import dump
from local.scheduler import fire
from ops.invariants.ending import changed
from schemas.ledger import COMPLETED, FAILED, owed
from storage.ledger import LEASE

OLDEST = EVENT_AGE + dt.timedelta(seconds=RECORD_AGE_SECONDS) + MARGIN + dt.timedelta(seconds=1)


@dataclass(frozen=True)
class Outcome:
    """What does not hold, in words; and the calls that faults waited for and that were never made."""

    problems: list[str]
    missed: list[str]


@dataclass(frozen=True)
class Asked:
    """A request to the fetcher, as a retry needs it."""

    request: str
    payload: bytes
    at: dt.datetime


@dataclass
class Player:
    """A cloud, and how far a scenario has come on it."""

    cloud: InProcessCloud
    scenario: Scenario
    problems: list[str] = field(default_factory=list)
    runs: dict[str, Asked] = field(default_factory=dict)
    lost: list[Lost] = field(default_factory=list)  # what steps destroyed
    held: bool = False

    def __post_init__(self) -> None:
        cloud = self.cloud
        cloud.window_seconds = 0  # time passes by what a scenario says, not until a batch is full
        cloud.again()
        cloud.publisher.files.clear()
        self.mappings: list[Mapping] = cloud.mappings
        self.faults = Faults(cloud.stack.exports, cloud.clock, self.act)
        cloud.wire.intercept = self.faults
        self.published = invariants.Published(cloud)
        self.watch = invariants.watch(cloud, self.published)

    def act(self, steps: tuple[Step, ...]) -> None:
        """What another does while a handler waits for an answer."""
        wire, outside = self.cloud.wire, self.cloud.wire.handler
        wire.handler = ""
        try:
            self.do(steps)
        finally:
            wire.handler = outside

    def do(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            self.faults.begin((*step.faults, *step.during))
            STEPS[step.kind](self, step)

    def ask(self, at: dt.datetime | None = None) -> Asked:
        """Ask the fetcher for a run, as the schedule does."""
        (schedule,) = self.cloud.stack.schedules
        now = self.cloud.clock.now()
        payload = fire(schedule, at or now)
        return Asked(self.cloud.runtime.invoke_async(schedule.target_function, payload), payload, now)

    def deliver(self) -> None:
        """Everything that is due now, and the stream as far as nothing fails."""
        now = self.cloud.clock.now
        with self._moving() as mappings:
            moved = 1
            while moved:
                moved = self.cloud.runtime.drain(now())
                moved += sum(mapping.drain(now()).invocations for mapping in mappings)

    def wait(self, span: dt.timedelta | None) -> None:
        """Let time pass; None: until nothing is on its way."""
        until = None if span is None else self.cloud.clock.now() + span
        with self._moving():
            self.cloud.settle(until)
        if until is not None:
            self.cloud.clock.advance_to(until)

    def outlast(self) -> None:
        """Let time pass until the runs that owe what is no longer published are too old for their records to
        come: before that, no run gives it up."""
        owing = self.cloud.ledger.owing()
        published = self.published.served(self.cloud.publisher.files)
        logged = {(event.run, event.day.date) for event in reading.log(self.cloud)}
        for run in owing.others:
            lost = [date for date in owed(run, owing.days) if date not in published]
            if any((run.name, date) not in logged for date in lost):
                until = (run.arrived or run.time) + OLDEST - self.cloud.clock.now()
                self.wait(max(until, dt.timedelta()))

    def changing(self) -> list[str]:
        """What a replay, a rebuild and a remade mapping change, each of which is to change nothing."""
        found: list[str] = []
        before = dump(self.cloud)
        for words, do in (
            ("a replay", lambda: self._operate("replay")),
            ("a rebuild", lambda: self._operate("replay", "--rebuild", "--yes")),
            ("a remade mapping", lambda: STEPS["remake mapping"](self, Step("remake mapping", None, 0))),
        ):
            with self.unwatched():
                do()
                self.wait(None)
            after = dump(self.cloud)
            found += [f"{words}, {finding.place}: {finding.what}" for finding in changed(before, after)]
            before = after
        return found

    def _operate(self, *arguments: str) -> None:
        code, output = operate(self.cloud, arguments)
        if code:
            self.problems.append(f"ops {' '.join(arguments)} exited at the end with {code}:\n{output}")

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        """While everything is emptied and filled again, nothing is watched."""
        runtime: Any = self.cloud.runtime
        runtime.after.remove(self.watch.look)
        try:
            yield
        finally:
            runtime.after.append(self.watch.look)
            self.watch.forget()

    @contextmanager
    def _moving(self) -> Iterator[list[Mapping]]:
        """The mappings that deliver: none while they are held, and not one whose batch is being tried."""
        outside = self.cloud.mappings
        self.cloud.mappings = [] if self.held else [mapping for mapping in self.mappings if not mapping.busy]
        try:
            yield self.cloud.mappings
        finally:
            self.cloud.mappings = outside


def play(cloud: InProcessCloud, scenario: Scenario) -> Outcome:
    """From an empty cloud: the steps, then what is left comes to its end, one closing run, and the checks."""
    player = Player(cloud, scenario)
    player.do(scenario.steps)
    missed = player.faults.lift()
    player.held = False
    player.wait(None)
    player.wait(LEASE + dt.timedelta(seconds=1))  # a notice that wasn't sent is its holder's for so long
    player.outlast()
    closing = player.ask()
    player.wait(None)
    cloud.wire.intercept = None
    run = next((run for run in reading.runs(cloud) if run.request == closing.request), None)
    player.published.is_believed = run is not None and run.state == COMPLETED
    player.watch.refused = run is not None and run.state == FAILED and bool(run.files)
    player.watch.copies = player.faults.copies
    player.problems += invariants.problems(cloud, player.watch, player.lost)
    expected = expect.problems(cloud, scenario.expect, closing.request)
    if player.published.is_believed and not player.lost and not player.problems:
        player.problems += player.changing()
    player.problems += expected
    return Outcome(player.problems, missed)
