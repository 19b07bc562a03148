"""What a benchmark gives, and how two ways of doing something are compared on a noisy machine."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One line of the table. ``goal`` is the most that ``value`` may be; None where there is no goal."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        return self.goal is None or self.value <= self.goal


def seconds(work: Callable[[], Any]) -> float:
    """How long it takes once, in processor time of this process."""
    begun = time.process_time()
    work()
    return time.process_time() - begun


def elapsed(work: Callable[[], Any]) -> float:
    """How long it takes once, by the clock on the wall."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def ratio(one: Callable[[], float], other: Callable[[], float], rounds: int) -> tuple[float, float, float]:
    """What ``one`` takes as a part of what ``other`` takes, and both: medians of rounds in turn, since a
    machine's speed drifts."""
    pairs = [(one(), other()) for _ in range(rounds)]
    return (
        statistics.median(mine / its for mine, its in pairs),
        statistics.median(mine for mine, _ in pairs),
        statistics.median(its for _, its in pairs),
    )
