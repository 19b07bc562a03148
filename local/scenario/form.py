"""What a scenario is once it is read: steps, faults, expectations."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.scenario.calls import Call
from local.scenario.values import Files

STORES = {"timestream": ("timestream",), "dynamodb": ("dynamodb",), "both": ("timestream", "dynamodb")}


@dataclass(frozen=True)
class Fault:
    """The ``nth`` such call fails, and what follows it: so many calls, for so long, or for ever (None)."""

    call: Call
    how: str
    nth: int = 1
    where: str = ""
    lasting: int | dt.timedelta | None = 1


@dataclass(frozen=True)
class During:
    """Steps of another, just before the ``nth`` such call."""

    call: Call
    steps: tuple["Step", ...]
    nth: int = 1
    where: str = ""


@dataclass(frozen=True)
class Step:
    """One step: what is done, its value, and what else its keys say."""

    kind: str
    value: Any
    line: int
    options: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    during: tuple[During, ...] = ()


@dataclass(frozen=True)
class Delivery:
    """Which delivered records are delivered once more: runs' (none: all), numbers from 1 on (none: all);
    those of the runs that are ``late`` come after the others."""

    runs: tuple[str, ...] = ()
    only: tuple[int, ...] = ()
    late: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    name: str
    steps: tuple[Step, ...]
    files: Mapping[str, Files] = field(default_factory=dict)
    stores: tuple[str, ...] = STORES["both"]
    expect: Mapping[str, Any] = field(default_factory=dict)


def every_step(steps: tuple[Step, ...]) -> Iterator[Step]:
    """The steps and those within them."""
    for step in steps:
        yield step
        for during in step.during:
            yield from every_step(during.steps)
        if step.kind == "repeat":
            yield from every_step(step.options["steps"])
