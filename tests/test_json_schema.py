"""The JSON Schemas in docs/ are what the contract comes to, and real events and notices keep them."""

import json

import pytest
from builders import FILES, counts, day, run
from jsonschema import Draft202012Validator
from marshmallow import ValidationError
from test_dashboard_routes import client

from docs.generate import DOCS, contracts, json_schema
from functions.notice_text import alert, report
from schemas.event import DayEvent, decode, encode
from schemas.ledger import FAILED, Head

RECORDED = DayEvent(day(1, 10, 1, None), 1583150400123, None, "a run", "test", FILES)
REVISED = DayEvent(day(1, 11, 1, 5), 1583150400124, counts(10, 1, None), "a run", "test", FILES)


def test_each_contract_has_a_schema_with_an_id_of_its_own_that_says_what_it_is():
    found = {name: json_schema(name, schema) for name, schema in contracts().items()}
    assert found.keys() >= {
        "daybook.day.recorded.v1",
        "daybook.day.revised.v1",
        "daybook.notice",
        "ops.status",
    }
    for name, schema in found.items():
        Draft202012Validator.check_schema(schema)
        assert schema["$id"] == f"urn:daybook:schema:{name}"
        assert schema.get("items", schema)["description"]


@pytest.mark.parametrize("event", [RECORDED, REVISED])
def test_a_real_event_keeps_the_schema_of_its_type(event):
    assert faults(json.loads(encode(event)), schema_of(event.type)) == []


def test_each_type_s_schema_refuses_the_other_type():
    assert faults(json.loads(encode(RECORDED)), schema_of(REVISED.type)) == ["type: enum"]
    assert faults(json.loads(encode(REVISED)), schema_of(RECORDED.type)) == ["type: enum"]


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
        ("data.region", "US\n", "data.region: enum"),
        ("data.files", {"nyt": "a" * 63}, "data.files.nyt: pattern"),
        ("data.files", {"cdc": "a" * 64}, "data.files: additionalProperties"),
        ("run", "", "run: minLength"),
        ("source", "daybook/test", "source: pattern"),
        ("specversion", "0.3", "specversion: enum"),
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


def schema_of(name):
    return json.loads((DOCS / "schemas" / f"{name}.json").read_text())


def faults(value, schema):
    """Where a value breaks the schema: ``place: keyword``."""
    errors = Draft202012Validator(schema).iter_errors(value)
    return sorted(f"{'.'.join(map(str, error.absolute_path))}: {error.validator}" for error in errors)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/status.json", "dashboard.status"),
        ("/data/days.json", "dashboard.data.days"),
        ("/data/days.json?as_of=2020-02-01", "dashboard.data.days"),
        ("/data/entries.json", "dashboard.data.entries"),
        ("/data/entries.json?asof=2020-06-15", "dashboard.data.problem"),
        ("/data/metadata.json?show=new", "dashboard.data.metadata"),
        ("/data/shown.json?show=average&asof=2020-06-15", "dashboard.data.shown"),
    ],
)
def test_what_the_dashboard_answers_keeps_its_schema(address, name):
    answer = json.loads(client().get(address).text)
    assert faults(answer, schema_of(name)) == []
