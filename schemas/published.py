"""A row as the sources publish it: text in, values out, anything doubtful refused.

Python's own parsers take ``1_000``, ``' 5 '``, Arabic digits and ``20200121``; these fields don't.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validates_schema

from schemas.day import MAX_COUNT

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIRST_DATE = dt.date(1970, 1, 1)  # Timestream holds nothing earlier, and neither does any record of this
WHOLE = re.compile(r"([0-9]{1,10})(?:\.0+)?")  # Johns Hopkins has written counts as 12.0


@dataclass(frozen=True)
class CasesRow:
    """One date in The New York Times' file: cumulative persons."""

    date: dt.date
    cases: int
    deaths: int


@dataclass(frozen=True)
class RecoveriesRow:
    """The U.S. on one date in the Johns Hopkins file; ``recovered`` is None where the cell is empty."""

    date: dt.date
    recovered: int | None


class PublishedDate(fields.Field[dt.date]):
    """``YYYY-MM-DD``."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dt.date:
        if DATE.fullmatch(value):
            try:
                found = dt.date.fromisoformat(value)
            except ValueError:
                found = None
            if found and found >= FIRST_DATE:
                return found
        raise ValidationError("is not a date written YYYY-MM-DD")


class PublishedCount(fields.Field[int]):
    """A whole number from 0 to 10⁹, in ASCII digits; ``12.0`` is whole."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        match = WHOLE.fullmatch(value)
        if match and int(match[1]) <= MAX_COUNT:
            return int(match[1])
        raise ValidationError("is empty" if value == "" else "is not a whole number from 0 to 1,000,000,000")


class ReportedCount(PublishedCount):
    """A count that a source may leave empty: then it is not reported."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> int | None:  # type: ignore[override]
        return None if value == "" else super()._deserialize(value, *args, **kwargs)


class CasesRowSchema(Schema):
    """A row of ``date,cases,deaths``; further columns are ignored."""

    class Meta:
        unknown = EXCLUDE

    date = PublishedDate(required=True)
    cases = PublishedCount(required=True)
    deaths = PublishedCount(required=True)

    @validates_schema
    def deaths_are_cases(self, data: dict[str, Any], **_: Any) -> None:
        if data["deaths"] > data["cases"]:
            raise ValidationError(f"is more than the {data['cases']} cases", "deaths")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> CasesRow:
        return CasesRow(**data)


class RecoveriesRowSchema(Schema):
    """A row of the Johns Hopkins file under its own column names; further columns are ignored.

    Confirmed cases and deaths are not used, but must be counts: where they aren't, the row is a muddle.
    """

    class Meta:
        unknown = EXCLUDE

    date = PublishedDate(required=True, data_key="Date")
    confirmed = PublishedCount(required=True, data_key="Confirmed")
    recovered = ReportedCount(required=True, data_key="Recovered")
    deaths = PublishedCount(required=True, data_key="Deaths")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> RecoveriesRow:
        return RecoveriesRow(data["date"], data["recovered"])
