"""Every call of every handler, failing in every way, in every situation: the cases, and how one is played.

SQLite's way: record the calls of a run that goes well, then let the Nth fail, for every N. A situation is a
scenario (tests/situations); calls are counted, and the fault begins, at its step ``fail: []``. A case is that
scenario with its fault in this place.
"""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from local.in_process import InProcessCloud, Send
from local.scenario import play, scenario
from local.scenario.calls import Call, Request
from local.scenario.form import Fault, Scenario
from local.scenario.play import Player

SITUATIONS = {path.stem: path for path in sorted(Path(__file__).with_name("situations").glob("*.yaml"))}
ATTEMPTS = 3  # of the SDK at one call: storage/aws.py
# A way → how each call fails, and how many do, from the one that is meant (None: all until the end).
WAYS: dict[str, tuple[str, int | None]] = {
    "refused": ("refused", 1),
    "throttled once": ("throttled", 1),
    "throttled at each attempt": ("throttled", ATTEMPTS),
    "throttled for ever": ("throttled", None),
    "denied for ever": ("denied", None),
    "5xx": ("5xx", ATTEMPTS),
    "unanswered once": ("unanswered", 1),
    "unanswered at each attempt": ("unanswered", ATTEMPTS),
    "dies before": ("dies before", 1),
    "dies after": ("dies after", 1),
}


@dataclass(frozen=True)
class Case:
    """The ``nth`` such call of a situation, from 1, and the way in which it fails."""

    situation: str
    call: Call
    nth: int
    way: str

    def __str__(self) -> str:
        """As a line of a scenario, to play it again."""
        how, lasting = WAYS[self.way]
        times = "ever" if lasting is None else lasting
        return f'{self.situation}: - fail: {{call: "{self.call}", nth: {self.nth}, how: {how}, for: {times}}}'

    @property
    def scenario(self) -> Scenario:
        how, lasting = WAYS[self.way]
        fault = Fault(self.call, how, self.nth, lasting=lasting)
        before, during = parts(self.situation)
        (made,) = [step for step in before if is_place(step)]
        steps = (*before[:-1], replace(made, faults=(fault,)), *during)
        return replace(situation(self.situation), steps=steps, expect={})


def situation(name: str) -> Scenario:
    return scenario(SITUATIONS[name])


def is_place(step: Any) -> bool:
    """Whether a step is the one at which the fault begins."""
    return step.kind == "fail" and not step.faults


def parts(name: str) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """A situation's steps up to the one at which the fault begins, and those after it."""
    steps = situation(name).steps
    place = next(number for number, step in enumerate(steps, 1) if is_place(step))
    return steps[:place], steps[place:]


def recorded(cloud: InProcessCloud, name: str) -> list[tuple[Call, int]]:
    """The handlers' calls in a situation where nothing else fails, each with its number among its kind."""
    before, during = parts(name)
    player = Player(cloud, situation(name))
    player.do(before)
    counts: Counter[Call] = Counter()
    calls: list[tuple[Call, int]] = []

    def record(handler: str, operation: str, request: Any, send: Send) -> Any:
        service = Request.of(handler, operation, request).service
        call = Call(handler, f"{service}:{operation}")
        counts[call] += 1
        calls.append((call, counts[call]))
        return player.faults(handler, operation, request, send)

    cloud.wire.intercept = record
    player.do(during)
    return calls


def problems(cloud: InProcessCloud, case: Case) -> list[str]:
    """What doesn't hold after the fault, once it is lifted and one more run was made."""
    outcome = play(cloud, case.scenario)
    return [*outcome.problems, *(f"the fault was never met: {call}" for call in outcome.missed)]
