"""The figures of a day. Each is declared once: events, digests, table rows, ledger items and the columns of
CSV and JSON follow from ``Counts``.

A rule for one figure only stands with its source: functions/transform.py finds recoveries that are taken
back. The limits in functions/plausibility.py hold for all figures.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import NoneType
from typing import Annotated, Any, Self, get_args, get_type_hints

NYT, JHU = "nyt", "jhu"
PUBLISHERS: Mapping[str, str] = {NYT: "The New York Times", JHU: "Johns Hopkins"}
SOURCES = tuple(PUBLISHERS)
MAX_COUNT = 10**9  # three times the population: beyond it a number is a mistake, not a count
DIGEST_LENGTH = 12


@dataclass(frozen=True)
class Figure:
    """``source`` publishes the figure; ``title`` and ``unit`` are for people. A nullable figure is None where
    its source does not report it, which is not zero.

    ``since`` is the version of the event's schema that the figure came with. One that came later is nullable
    and None by default: events, rows and items from before it lack it, and stay what they are.
    """

    source: str
    title: str
    unit: str = "cumulative persons"
    since: int = 1
    name: str = ""
    nullable: bool = False

    @property
    def reported(self) -> str:
        """The name of the measure that says whether a nullable figure is reported: Timestream has no null."""
        return f"{self.name}_reported"

    @property
    def is_later(self) -> bool:
        return self.since > 1


@dataclass(frozen=True)
class Counts:
    """What a day says: cumulative persons since the epidemic began."""

    cases: Annotated[int, Figure(NYT, "Cases")]
    deaths: Annotated[int, Figure(NYT, "Deaths")]
    recovered: Annotated[int | None, Figure(JHU, "Recoveries")]

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Self:
        """The counts in a mapping by figure; an absent figure is not reported."""
        values: Any = {figure.name: item.get(figure.name) for figure in FIGURES}
        return cls(**values)

    @cached_property
    def values(self) -> dict[str, int | None]:
        """Each figure's count by its name, in the order of the declaration."""
        return {figure.name: getattr(self, figure.name) for figure in FIGURES}

    @cached_property
    def carried(self) -> dict[str, int | None]:
        """The values that events and rows carry: a later figure only where it is reported."""
        return {
            f.name: self.values[f.name] for f in FIGURES if not f.is_later or self.values[f.name] is not None
        }

    @cached_property
    def digest(self) -> str:
        """Short hash of the values: equal values have equal digests on any machine, also after a figure was
        added."""
        texts = {name: "" if value is None else str(value) for name, value in self.carried.items()}
        text = ",".join(
            f"{f.name}={texts[f.name]}" if f.is_later else texts[f.name] for f in FIGURES if f.name in texts
        )
        return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


def _declared() -> tuple[Figure, ...]:
    types = get_type_hints(Counts, include_extras=True)
    found = []
    for field in fields(Counts):
        kind, figure = get_args(types[field.name])
        nullable = NoneType in get_args(kind)
        found.append(replace(figure, name=field.name, nullable=nullable))
    return tuple(found)


FIGURES = _declared()
