"""The language of scenarios: what it reads, and that each mistake is named with its line."""

import datetime as dt

import pytest

from local.scenario.calls import Call
from local.scenario.document import Mistake
from local.scenario.language import scenario

MARCH = {"first": dt.date(2020, 3, 1), "second": dt.date(2020, 3, 2)}
SMALLEST = "name: a run\nsteps:\n"


@pytest.fixture
def read(tmp_path):
    def read(text: str):
        path = tmp_path / "case.yaml"
        path.write_text(text)
        return scenario(path)

    return read


@pytest.mark.parametrize(
    ("text", "line", "named"),
    [
        (SMALLEST + "  - run: a\nexpected: {}\n", 4, "unknown key 'expected'"),
        (SMALLEST + "  - run: a\n  - jump: b\n", 4, "unknown step 'jump'"),
        (SMALLEST + "  - run: a\n    when: now\n", 4, "unknown key 'when'"),
        (SMALLEST + "  - run: a\n    at: noon\n", 4, "'noon' is no moment"),
        (SMALLEST + "  - run: a\n    wait: 1d\n", 3, "a step does one thing; here are run, wait"),
        (
            SMALLEST + "  - fail:\n      call: kinesis:PutRecord5\n      how: denied\n",
            4,
            "unknown call 'kinesis:PutRecord5'",
        ),
        (SMALLEST + "  - fail: {call: 'store:read', how: slowly}\n", 3, "unknown way 'slowly'"),
        (
            SMALLEST + "  - fail: {call: 'waiter store:read', how: 5xx}\n",
            3,
            "unknown call 'waiter store:read'",
        ),
        (SMALLEST + "  - fail: {call: 'shop:read', how: 5xx}\n", 3, "unknown call 'shop:read'"),
        (SMALLEST + "  - fail: {call: 'store:read'}\n", 3, "'how' is missing"),
        (SMALLEST + "  - fail: {call: 'store:read', how: 5xx, nth: 0}\n", 3, "'0' is no whole number from 1"),
        (SMALLEST + "  - mend: sns:Publish\n", 3, "unknown failing call 'sns:Publish'"),
        (SMALLEST + "  - publish: old\n", 3, "unknown files 'old'"),
        (SMALLEST + "  - run: a\n  - retry: b\n", 4, "unknown run 'b'"),
        (SMALLEST + "  - hold: reporter\n", 3, "unknown handler to hold 'reporter'"),
        (SMALLEST + "  - lose: archive\n", 3, "'archive' is neither like"),
        (SMALLEST + "  - wait: 3 days\n", 3, "'3 days' is no span of time"),
        (SMALLEST + "  - repeat: 3\n", 3, "'steps' is missing"),
        (SMALLEST + "  - repeat: 3\n    steps:\n    - hop: 1\n", 5, "unknown step 'hop'"),
        (SMALLEST + "  - run: a\nfiles: {a: {cdc: {2020-03-01: 1}}}\n", 4, "unknown key 'cdc'"),
        (SMALLEST + "  - run: a\nexpect: {daily: {2020-02-30: 1}}\n", 4, "'2020-02-30' is no date"),
        (SMALLEST + "  - run: a\nexpect: {closing run: good}\n", 4, "unknown state 'good'"),
        (SMALLEST + "  - run: a\nstore: sqlite\n", 4, "unknown store 'sqlite'"),
        (SMALLEST + "  - run: a\nname: b\n", 4, "'name' stands here a second time"),
        ("steps: []\n", 1, "'name' is missing"),
        (SMALLEST + "  - run: [a\n", 4, "this is no YAML"),
        ("", 1, "the file is empty"),
    ],
)
def test_a_mistake_is_named_with_its_line(read, text, line, named):
    with pytest.raises(Mistake) as mistake:
        read(text)
    assert f"case.yaml, line {line}: {named}" in str(mistake.value)


def test_files_have_a_row_a_date_a_range_has_the_same_on_each_and_a_text_is_as_it_is(read):
    made = read(
        "name: files\nsteps: []\nfiles:\n"
        "  one: {nyt: {2020-03-01: [4, 1], 2020-03-02: 5}, jhu: {2020-03-01: 0, 2020-03-02: null}}\n"
        "  long: {nyt: {2020-02-28..2020-03-01: [10, 1]}}\n"
        '  torn: {nyt: "date,cases,deaths\\n2020-03-01,1", jhu: null}\n'
    )
    assert made.files["one"]["nyt"] == b"date,cases,deaths\n2020-03-01,4,1\n2020-03-02,5,0\n"
    assert b"2020-03-01,US,0,0,0\n2020-03-02,US,0,,0\n" in made.files["one"]["jhu"]
    assert made.files["long"]["nyt"].count(b",10,1\n") == 3
    assert "jhu" not in made.files["long"]
    assert made.files["torn"] == {"nyt": b"date,cases,deaths\n2020-03-01,1", "jhu": None}


def test_a_step_has_its_faults_and_what_another_does_meanwhile(read):
    made = read(
        SMALLEST + "  - run: a\n    at: 2020-03-10T11:00Z\n    retries: none\n"
        "    fail: {call: 'consumer store:write', nth: 2, for: 24h50m, where: daily, how: throttled}\n"
        "    during: {call: 'ledger:commit', do: [{wait: 90s}]}\n"
        "  - fail:\n    - {call: 's3:PutObject', how: 5xx, for: 3}\n"
        "    - {call: 'sns:Publish', how: denied, for: ever}\n"
    )
    run, fail = made.steps
    assert run.options == {"at": dt.datetime(2020, 3, 10, 11, tzinfo=dt.UTC), "retries": "none"}
    (fault,) = run.faults
    assert (fault.call, fault.nth, fault.where) == (Call("consumer", "store:write"), 2, "daily")
    assert fault.lasting == dt.timedelta(hours=24, minutes=50)
    assert run.during[0].steps[0].value == dt.timedelta(seconds=90)
    assert [fault.lasting for fault in fail.faults] == [3, None]


def test_expectations_are_figures_by_date(read):
    made = read(
        SMALLEST + "  - run: a\nexpect:\n  daily: {2020-03-01: 7, 2020-03-02: null}\n"
        "  entries: {2020-03-01: [5, [7, 2], [8, 2, null]]}\n"
        "  as of: {2020-03-10T12:00Z: {2020-03-01: 5}}\n  saying: 1 row\n"
    )
    assert made.expect["daily"] == {MARCH["first"]: (7,), MARCH["second"]: None}
    assert made.expect["entries"] == {MARCH["first"]: ((5,), (7, 2), (8, 2, None))}
    assert made.expect["as of"] == {dt.datetime(2020, 3, 10, 12, tzinfo=dt.UTC): {MARCH["first"]: (5,)}}
    assert made.expect["saying"] == ("1 row",)
