"""The fields that answers as JSON are declared with: those of commands, and of the dashboard's addresses.

An answer is one schema, dumped by it; docs/schemas is generated from it. Dates are written ``2020-12-31``,
moments ``2020-12-31T12:00:00.000Z``; counts are cumulative persons.
"""

from typing import Any

from marshmallow import RAISE, Schema, fields, missing

from schemas.figures import FIGURES
from schemas.moment import written


class Answer(Schema):
    """Nothing but what is named here."""

    class Meta:
        unknown = RAISE


class Moment(fields.String):
    """A moment, in UTC."""

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str | None:
        return None if value is None else written(value)


class Length(fields.Integer):
    """How many there are."""

    def _serialize(self, value: Any, *_: Any, **__: Any) -> int:
        return len(value)


def field(
    kind: type[fields.Field[Any]], attribute: str | None = None, nullable: bool = False, **more: Any
) -> Any:
    """A field that is always there; one that is nullable is null where the value lacks it."""
    default = None if nullable else missing
    return kind(attribute=attribute, required=True, allow_none=nullable, dump_default=default, **more)


def text(attribute: str | None = None, nullable: bool = False) -> fields.String:
    return field(fields.String, attribute, nullable)


def moment(attribute: str | None = None, nullable: bool = False) -> Moment:
    return field(Moment, attribute, nullable)


def whole(attribute: str | None = None, nullable: bool = False) -> fields.Integer:
    return field(fields.Integer, attribute, nullable, strict=True)


def length(attribute: str | None = None) -> Length:
    return field(Length, attribute, strict=True)


def yes_or_no() -> fields.Boolean:
    return field(fields.Boolean, truthy={True}, falsy={False})


def listed(inner: fields.Field[Any] | type[fields.Field[Any]] | None = None) -> fields.List:
    return fields.List(inner or fields.String(), required=True)


def nested(schema: type[Schema], nullable: bool = False) -> fields.Nested:
    return fields.Nested(schema, required=True, allow_none=nullable)


def hashes(attribute: str | None = None, nullable: bool = False) -> fields.Dict:
    return field(fields.Dict, attribute, nullable, keys=fields.String(), values=fields.String())


def counts(above: str = "") -> dict[str, Any]:
    """A day's counts, from the attribute that holds them; a figure is null where it is not reported."""
    return {figure.name: whole(above + figure.name, figure.nullable) for figure in FIGURES}
