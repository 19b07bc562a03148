"""A file's U.S. rows as the sources publish them: columns of text in, values out, anything doubtful refused.

Python's own parsers take ``1_000``, ``' 5 '``, Arabic digits and ``20200121``; these columns don't. A file is
one load, not one a row: marshmallow's price is by the field. What is wrong is told by column and place in it.
"""

import datetime as dt
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validates_schema

from schemas.figures import MAX_COUNT

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FIRST_DATE = dt.date(1970, 1, 1)  # Timestream holds nothing earlier, and neither does any record of this
WHOLE = re.compile(r"([0-9]{1,10})(?:\.0+)?")  # Johns Hopkins has written counts as 12.0


class CasesRow(NamedTuple):
    """One date in The New York Times' file: cumulative persons."""

    date: dt.date
    cases: int
    deaths: int


class RecoveriesRow(NamedTuple):
    """The U.S. on one date in the Johns Hopkins file; ``recovered`` is None where the cell is empty."""

    date: dt.date
    recovered: int | None


@lru_cache(4096)  # both files have the same dates, and every run has them again
def published_date(text: str) -> dt.date:
    """``YYYY-MM-DD``. Raises ValueError."""
    if DATE.fullmatch(text):
        try:
            found = dt.date.fromisoformat(text)
        except ValueError:
            found = None
        if found and found >= FIRST_DATE:
            return found
    raise ValueError("is not a date written YYYY-MM-DD")


def published_count(text: str) -> int:
    """A whole number from 0 to 10⁹, in ASCII digits; ``12.0`` is whole. Raises ValueError."""
    if (match := WHOLE.fullmatch(text)) and (found := int(match[1])) <= MAX_COUNT:
        return found
    raise ValueError("is empty" if text == "" else "is not a whole number from 0 to 1,000,000,000")


def reported_count(text: str) -> int | None:
    """A count that a source may leave empty: then it is not reported. Raises ValueError."""
    return None if text == "" else published_count(text)


class Column(fields.Field[list[Any]]):
    """A column's texts, each read by one function; a text that it refuses leaves None in its place."""

    def __init__(self, read: Callable[[str], Any], **kwargs: Any) -> None:
        super().__init__(required=True, **kwargs)
        self._read = read

    def _deserialize(self, value: Sequence[str], *_: Any, **__: Any) -> list[Any]:
        found, wrong = [], {}
        for place, text in enumerate(value):
            try:
                found.append(self._read(text))
            except ValueError as problem:
                found.append(None)
                wrong[place] = [str(problem)]
        if wrong:
            raise ValidationError(wrong, valid_data=found)
        return found


class FileSchema(Schema):
    """Columns by their names, each with as many texts; further columns are ignored."""

    row: ClassVar[type[CasesRow] | type[RecoveriesRow]]  # what is kept of each row

    class Meta:
        unknown = EXCLUDE


class CasesSchema(FileSchema):
    """``date,cases,deaths``."""

    row = CasesRow
    date = Column(published_date)
    cases = Column(published_count)
    deaths = Column(published_count)

    @validates_schema(skip_on_field_errors=False)
    def deaths_are_cases(self, data: dict[str, Any], **_: Any) -> None:
        pairs = enumerate(zip(data["cases"], data["deaths"], strict=True))
        wrong = {
            place: [f"is more than the {cases} cases"]
            for place, (cases, deaths) in pairs
            if cases is not None and deaths is not None and deaths > cases
        }
        if wrong:
            raise ValidationError(wrong, "deaths")


class RecoveriesSchema(FileSchema):
    """The U.S. rows of the Johns Hopkins file under its own column names.

    Confirmed cases and deaths are not used, but must be counts: where they aren't, the row is a muddle.
    """

    row = RecoveriesRow
    date = Column(published_date, data_key="Date")
    confirmed = Column(published_count, data_key="Confirmed")
    recovered = Column(reported_count, data_key="Recovered")
    deaths = Column(published_count, data_key="Deaths")
