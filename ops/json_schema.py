"""``python -m ops.json_schema``: the contracts as JSON Schema, generated from the marshmallow schemas: of
events and notices, and of what the operator's commands give with ``--json``.

What holds across fields (deaths are no more than cases, an id is what its event says) JSON Schema can't say;
it is checked where the contract is, in ``schemas``.
"""

import json
import re
from collections.abc import Mapping
from inspect import cleandoc
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from ops.outputs import OUTPUTS
from schemas import event
from schemas.day import IsoDate, Whole
from schemas.notice import NoticeSchema

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "schemas"
DRAFT = "https://json-schema.org/draft/2020-12/schema"
COMMENT = "Generated: python -m ops.json_schema. Rules across fields are checked beyond this, in schemas/."
CONTRACT: Mapping[str, Schema] = {
    **event.SCHEMAS,
    "daybook.notice": NoticeSchema(),
    **{f"ops.{name.replace(' ', '-')}": schema for name, schema in OUTPUTS.items()},
}

PLAIN = {
    fields.String: {"type": "string"},
    IsoDate: {"type": "string", "format": "date"},
    fields.Integer: {"type": "integer"},
    fields.Float: {"type": "number"},
    fields.Boolean: {"type": "boolean"},
}
END = r"\Z"


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in generated().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def generated() -> dict[str, str]:
    """The files by name: one for each type of event, one for the notice, one for each command's answer."""
    heads = {
        name: {"$schema": DRAFT, "$id": f"urn:daybook:schema:{name}", "$comment": COMMENT, "title": name}
        for name in CONTRACT
    }
    return {
        f"{name}.json": json.dumps(heads[name] | _whole(schema), indent=2) + "\n"
        for name, schema in CONTRACT.items()
    }


def _whole(schema: Schema) -> dict[str, Any]:
    return {"type": "array", "items": of_schema(schema)} if schema.many else of_schema(schema)


def of_schema(schema: Schema) -> dict[str, Any]:
    """A schema's docstring, its fields, and whether others are errors."""
    found = {field.data_key or name: field for name, field in schema.fields.items()}
    converted = _object(
        _described(schema),
        {name: of_field(field) for name, field in found.items()},
        [name for name, field in found.items() if field.required],
    )
    return converted | ({"additionalProperties": False} if schema.unknown == RAISE else {})


def _object(description: str, properties: Mapping[str, Any], required: list[str]) -> dict[str, Any]:
    return {"description": description, "type": "object", "properties": properties, "required": required}


def of_field(field: fields.Field[Any]) -> dict[str, Any]:
    """Raises TypeError for a kind of field, or of check, that nobody has written down here yet."""
    found = _form(field)
    for validator in field.validators:
        bounds = _bounds(validator)
        if found.keys() & bounds.keys():
            raise TypeError(f"{field.name} has two checks of one kind: not known here")
        found |= bounds
    if field.allow_none:
        if found.keys() & {"enum", "const"}:
            raise TypeError(f"{field.name} is null or one of some values: not known here")
        found["type"] = [found["type"], "null"]
    return found


def _form(field: fields.Field[Any]) -> dict[str, Any]:
    kind = type(field)
    if kind is fields.Nested and isinstance(field, fields.Nested):
        return of_schema(field.schema)
    if isinstance(field, Whole):
        bounds = {"minimum": field.minimum, "maximum": field.maximum}
        return {"description": _described(field), "type": "integer"} | bounds
    if isinstance(field, event.FileHashes):
        hashes = {name: {"type": "string", "pattern": f"^{event.SHA256.pattern}$"} for name in event.SOURCES}
        return _object(_described(field), hashes, list(hashes)) | {"additionalProperties": False}
    if kind is fields.List and isinstance(field, fields.List):
        return {"type": "array", "items": of_field(field.inner)}
    if kind is fields.Dict and isinstance(field, fields.Dict) and field.value_field:
        return {"type": "object", "additionalProperties": of_field(field.value_field)}
    if kind not in PLAIN:
        raise TypeError(f"{field.name} is a {kind.__name__}: not known here")
    # A docstring of ours says more than the type does.
    return ({"description": _described(field)} if kind is IsoDate else {}) | PLAIN[kind]


def _bounds(validator: Any) -> dict[str, Any]:
    match validator:
        case validate.Range(min=least, max=most, min_inclusive=True, max_inclusive=True):
            return {"minimum": least, "maximum": most}
        case validate.Length(min=least, max=most, equal=None):
            return {"minLength": least, "maxLength": most}
        case validate.OneOf(choices=choices) if type(validator) is validate.OneOf:  # ContainsOnly is one too
            return {"enum": list(choices)}
        case validate.Equal(comparable=value):
            return {"const": value}
        case validate.Regexp(regex=re.Pattern(pattern=str(pattern))) if pattern.endswith(END):
            # JSON Schema searches where marshmallow matches, and its dialect has neither \Z nor \".
            return {"pattern": f"^(?:{pattern.removesuffix(END)})$".replace(r"\"", '"')}
    raise TypeError(f"{validator!r} is not known here")


def _described(thing: object) -> str:
    return " ".join(cleandoc(type(thing).__doc__ or "").replace("``", "").split())


if __name__ == "__main__":
    main()
