"""A day: the record of one date. Counts are cumulative persons since the epidemic began."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

REGION = "US"
MAX_COUNT = 10**9  # three times the population: beyond it a number is a mistake, not a count
DIGEST_LENGTH = 12
T = TypeVar("T")


@dataclass(frozen=True)
class Counts:
    """What a day says. ``recovered`` is None where the source does not report it, which is not zero."""

    cases: int
    deaths: int
    recovered: int | None

    @cached_property
    def digest(self) -> str:
        """Short hash of the values: equal values have equal digests on any machine."""
        text = f"{self.cases},{self.deaths},{'' if self.recovered is None else self.recovered}"
        return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_LENGTH]


@dataclass(frozen=True)
class Day:
    """The record of one date in one region."""

    date: dt.date
    counts: Counts
    region: str = REGION


class Exact(fields.Field[T]):
    """A field that refuses while it reads, and takes no validators: marshmallow makes a list of them anew for
    each value, which is a tenth of what an event costs."""

    def __init__(self, *, required: bool = False, allow_none: bool = False) -> None:
        super().__init__(required=required, allow_none=allow_none)

    def _validate(self, value: Any) -> None:
        pass


class Whole(Exact[int]):
    """A JSON number without a fraction, between bounds; text, ``12.0`` and booleans are refused."""

    def __init__(self, minimum: int = 0, maximum: int = MAX_COUNT, **kwargs: bool) -> None:
        super().__init__(**kwargs)
        self.minimum = minimum
        self.maximum = maximum

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if type(value) is int and self.minimum <= value <= self.maximum:
            return value
        raise ValidationError(f"is not a whole number from {self.minimum:,} to {self.maximum:,}")


class IsoDate(Exact[dt.date]):
    """A date written ``YYYY-MM-DD`` and in no other of the ways that ISO 8601 allows."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dt.date:
        try:
            found = dt.date.fromisoformat(value)
        except (TypeError, ValueError):
            found = None
        if found is None or found.isoformat() != value:
            raise ValidationError("is not a date written YYYY-MM-DD")
        return found


class CountsFields(Schema):
    """``{cases, deaths, recovered}``, all required; ``recovered`` may be null."""

    cases = Whole(required=True)
    deaths = Whole(required=True)
    recovered = Whole(required=True, allow_none=True)

    @validates_schema
    def deaths_are_cases(self, data: dict[str, Any], **_: Any) -> None:
        if data["deaths"] > data["cases"]:
            raise ValidationError("more deaths than cases", "deaths")


class CountsSchema(CountsFields):
    """A day's counts, cumulative persons; ``recovered`` is null where it is not reported."""

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Counts:
        return Counts(**data)
