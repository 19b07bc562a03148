"""The JSON Schemas in docs/ are what the contract comes to, and real events and notices keep them."""

import json
import re

import pytest
from builders import FILES, counts, day, run
from marshmallow import Schema, ValidationError, fields, validate

from functions.notice_text import alert, report
from ops.json_schema import FOLDER, generated, of_schema
from ops.outputs import OUTPUTS
from schemas.event import DayEvent, decode, encode
from schemas.ledger import FAILED, Head

RECORDED = DayEvent(day(1, 10, 1, None), 1583150400123, None, "a run", "test", FILES)
REVISED = DayEvent(day(1, 11, 1, 5), 1583150400124, counts(10, 1, None), "a run", "test", FILES)


def test_what_is_in_docs_is_what_the_contract_generates():
    kept = {path.name: path.read_text() for path in FOLDER.iterdir()}
    assert kept == generated(), "python -m ops.json_schema writes them anew"


def test_there_is_one_for_each_event_the_notice_and_each_command_s_answer_each_with_an_id_of_its_own():
    found = {name: json.loads(text) for name, text in generated().items()}
    expected = {"daybook.day.recorded.v1", "daybook.day.revised.v1", "daybook.notice"}
    expected |= {f"ops.{name.replace(' ', '-')}" for name in OUTPUTS}
    assert {name: schema["$id"] for name, schema in found.items()} == {
        f"{name}.json": f"urn:daybook:schema:{name}" for name in expected
    }
    assert {schema["$schema"] for schema in found.values()} == {
        "https://json-schema.org/draft/2020-12/schema"
    }
    assert all(schema.get("items", schema)["description"] for schema in found.values())


@pytest.mark.parametrize("event", [RECORDED, REVISED])
def test_a_real_event_keeps_the_schema_of_its_type(event):
    assert faults(json.loads(encode(event)), schema_of(event.type)) == []


def test_each_type_s_schema_refuses_the_other_type():
    assert faults(json.loads(encode(RECORDED)), schema_of(REVISED.type)) == ["type: const"]
    assert faults(json.loads(encode(REVISED)), schema_of(RECORDED.type)) == ["type: const"]


def test_a_real_notice_keeps_its_schema():
    head = Head(last_acknowledged=day(1, 10).date)
    failed = run(state=FAILED, reasons=('nyt, row 2: "[" is not CSV',), reason_count=1)
    for notice in (report(run(), head, (), "test"), alert(failed, (), "test")):
        assert faults(vars(notice), schema_of("daybook.notice")) == []


@pytest.mark.parametrize(
    ("path", "value", "fault"),
    [
        ("data.cases", "11", "data.cases: type"),
        ("data.cases", 10.5, "data.cases: type"),
        ("data.cases", True, "data.cases: type"),
        ("data.cases", -1, "data.cases: minimum"),
        ("data.cases", 10**9 + 1, "data.cases: maximum"),
        ("data.deaths", None, "data.deaths: type"),
        ("data.version", 0, "data.version: minimum"),
        ("data.date", 20200301, "data.date: type"),
        ("data.previous", 3, "data.previous: type"),
        ("data.previous", {"cases": 1, "deaths": 1}, "data.previous: required"),
        ("data.hospitalised", 3, "data: additionalProperties"),
        ("data.region", "US\n", "data.region: const"),
        ("data.files", {"nyt": "a" * 63}, "data.files.nyt: pattern"),
        ("data.files", {"cdc": "a" * 64}, "data.files: additionalProperties"),
        ("run", "", "run: minLength"),
        ("source", "daybook/test", "source: pattern"),
        ("specversion", "0.3", "specversion: const"),
    ],
)
def test_what_the_schema_refuses_the_contract_refuses_too(path, value, fault):
    envelope = json.loads(encode(REVISED))
    *parents, name = path.split(".")
    (envelope[parents[0]] if parents else envelope)[name] = value
    assert fault in faults(envelope, schema_of(REVISED.type))
    with pytest.raises(ValidationError):
        decode(json.dumps(envelope).encode())


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type", "subject", "time", "run", "data"])
def test_no_attribute_may_be_absent(name):
    envelope = json.loads(encode(REVISED))
    del envelope[name]
    assert faults(envelope, schema_of(REVISED.type)) == [": required"]


@pytest.mark.parametrize(
    "field",
    [
        fields.Email(),
        fields.DateTime(),
        fields.Dict(),
        fields.String(validate=validate.ContainsOnly("ab")),
        fields.String(validate=validate.Regexp("ab")),
        fields.String(validate=validate.Length(equal=3)),
        fields.String(validate=validate.OneOf(["a"]), allow_none=True),
        fields.String(validate=[validate.Regexp(r"a\Z"), validate.Regexp(r"b\Z")]),
    ],
)
def test_a_kind_of_field_or_check_that_nobody_wrote_down_is_an_error(field):
    with pytest.raises(TypeError, match="not known here"):
        of_schema(Schema.from_dict({"new": field})())


def schema_of(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


TYPES = {"object": dict, "string": str, "integer": int, "null": type(None)}
SAID = {"$schema", "$id", "$comment", "title", "description", "format"}  # no checks


def faults(value, schema, place=""):
    """Where a value breaks the schema: ``place: keyword``. A keyword that is not known here is an error."""
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if isinstance(value, bool) or not isinstance(value, tuple(TYPES[kind] for kind in types)):
        return [f"{place}: type"]
    found = []
    for keyword, bound in schema.items():
        if keyword in SAID | {"type"} or value is None:
            continue
        found += [f"{place}: {keyword}"] if not KEPT[keyword](value, bound) else []
    if isinstance(value, dict):
        known = schema.get("properties", {})
        others = schema.get("additionalProperties", True)
        if others is False and value.keys() - known.keys():
            found.append(f"{place}: additionalProperties")
        for name, inner in value.items():
            rule = known.get(name, others)
            if isinstance(rule, dict):
                found += faults(inner, rule, f"{place}.{name}".lstrip("."))
    return found


KEPT = {
    "properties": lambda value, bound: True,  # looked at with each property
    "additionalProperties": lambda value, bound: True,
    "required": lambda value, bound: set(bound) <= value.keys(),
    "const": lambda value, bound: value == bound,
    "enum": lambda value, bound: value in bound,
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
    "minLength": lambda value, bound: len(value) >= bound,
    "maxLength": lambda value, bound: len(value) <= bound,
    # In JSON Schema's dialect $ is the very end; in Python's it may be followed by a newline.
    "pattern": lambda value, bound: re.search(bound.removesuffix("$") + r"\Z", value) is not None,
}
