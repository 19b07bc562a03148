"""A day: the record of one date; and the fields that read its parts out of JSON."""

import datetime as dt
from dataclasses import dataclass
from typing import Any, TypeVar

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from schemas.figures import FIGURES, MAX_COUNT, Counts

REGION = "US"  # the one series that a stack keeps: docs/adr/0011
T = TypeVar("T")


@dataclass(frozen=True)
class Day:
    """The record of one date."""

    date: dt.date
    counts: Counts


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
            date = dt.date.fromisoformat(value)
        except (TypeError, ValueError):
            date = None
        if date is None or date.isoformat() != value:
            raise ValidationError("is not a date written YYYY-MM-DD")
        return date


def _count_fields() -> dict[str, fields.Field[Any]]:
    return {f.name: Whole(required=not f.is_later, allow_none=f.nullable) for f in FIGURES}


class CountsFields(Schema.from_dict(_count_fields())):  # type: ignore[misc]
    """Every figure, required but for later ones; a nullable one may be null."""

    @validates_schema
    def deaths_are_cases(self, data: dict[str, Any], **_: Any) -> None:
        if data["deaths"] > data["cases"]:
            raise ValidationError("more deaths than cases", "deaths")


class CountsSchema(CountsFields):
    """A day's counts, cumulative persons; a figure is null where it is not reported."""

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Counts:
        return Counts(**data)
