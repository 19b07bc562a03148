import datetime as dt
import json

import pytest
from builders import FILES, counts, day
from marshmallow import ValidationError

from schemas.event import About, DayEvent, about, decode, encode
from schemas.moment import version

RECORDED = DayEvent(day(1, 10, 1, None), 1583150400123, None, "a run", "test", FILES)
REVISED = DayEvent(day(1, 11, 1, 5), 1583150400124, counts(10, 1, None), "a run", "test", FILES)


def changed(event=REVISED, **changes):
    envelope = json.loads(encode(event))
    for name, value in changes.items():
        part, _, field = name.rpartition("__")
        (envelope[part] if part else envelope)[field] = value
    return json.dumps(envelope).encode()


@pytest.mark.parametrize("event", [RECORDED, REVISED])
def test_an_event_read_back_is_the_same(event):
    assert decode(encode(event)) == event


def test_identity_is_derived_from_date_version_and_values():
    assert REVISED.id == f"US/2020-03-01/1583150400124/{counts(11, 1, 5).digest}"
    assert (RECORDED.type, REVISED.type) == ("daybook.day.recorded.v1", "daybook.day.revised.v1")


def test_a_value_that_comes_back_is_an_event_of_its_own():
    a, b = day(1, 10), day(1, 11)
    events = [DayEvent(entered, number, None, "r", "s", FILES) for number, entered in enumerate((a, b, a), 1)]
    assert len({event.id for event in events}) == 3


def test_recorded_at_is_the_version_as_a_moment():
    assert RECORDED.recorded_at == dt.datetime(2020, 3, 2, 12, 0, 0, 123_000, tzinfo=dt.UTC)
    assert version(RECORDED.recorded_at) == RECORDED.version


def test_unknown_extensions_are_ignored_and_unknown_fields_in_data_are_errors():
    assert decode(changed(traceparent="00-abc")) == REVISED
    with pytest.raises(ValidationError, match="Unknown field"):
        decode(changed(data__hospitalised=3))


@pytest.mark.parametrize(
    "change",
    [
        {"data__cases": "11"},
        {"data__cases": 11.0},
        {"data__cases": True},
        {"data__cases": -1},
        {"data__cases": 10**9 + 1},
        {"data__deaths": 12},
        {"data__recovered": "none"},
        {"data__date": "20200301"},
        {"data__date": "2020-W10-1"},
        {"data__version": 0},
        {"data__version": 1.5},
        {"data__revision": 1},
        {"data__version": 2**63 - 1},
        {"data__previous": None},
        {"data__previous": {"cases": 1}},
        {"data__files": {"nyt": "a" * 64}},
        {"data__files": {"nyt": "A" * 64, "jhu": "b" * 64}},
        {"data__region": "CA"},
        {"id": "US/2020-03-01/1/abc"},
        {"subject": "US/2020-03-02"},
        {"type": "daybook.day.recorded.v1"},
        {"type": "daybook.day.erased.v1"},
        {"type": 5},
        {"type": []},
        {"time": "2020-03-02T12:00:00.000Z"},
        {"specversion": "0.3"},
        {"source": "/elsewhere"},
        {"run": ""},
        {"run": ["a run"]},
        {"run": None},
        {"source": {}},
        {"data": None},
    ],
    ids=str,
)
def test_an_event_that_contradicts_itself_or_the_schema_is_refused(change):
    with pytest.raises(ValidationError):
        decode(changed(**change))


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'"text"', b"[" * 100_000, b"{}"]
)
def test_bytes_that_are_no_event_are_refused(payload):
    with pytest.raises(ValidationError):
        decode(payload)


@pytest.mark.parametrize("field", ["id", "type", "time", "run", "source", "data", "specversion", "subject"])
def test_every_attribute_is_required(field):
    envelope = json.loads(encode(REVISED))
    del envelope[field]
    with pytest.raises(ValidationError):
        decode(json.dumps(envelope).encode())


def test_nothing_is_sent_that_could_not_be_read():
    with pytest.raises(ValidationError):
        encode(DayEvent(day(1, 10, 11), 5, None, "r", "s", FILES))


def test_a_record_that_is_no_event_may_still_say_what_it_is_about():
    assert about(changed(data__cases="x")) == About("a run", dt.date(2020, 3, 1))
    assert about(b"\x00") == About()
    assert about(b"[1]") == About()
    assert about(b'{"run": 5, "subject": "US/2020-03-01"}') == About(None, dt.date(2020, 3, 1))
    assert about(b'{"run": "r", "subject": "CA/2020-03-01"}') == About()
    assert about(b'{"run": "\\u001b[2J", "subject": "US/2020-03-01"}') == About(None, dt.date(2020, 3, 1))
