"""The player of scenarios: what its steps do, and that what does not hold is told in words."""

import csv
import json
import sys

import pytest
from click.testing import CliRunner

from local.__main__ import main
from local.in_process import in_process
from local.scenario import play, reading, scenario
from local.scenario.out import write

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("player")]

TWO_DAYS = """
name: two days
files:
  first: {nyt: {2020-03-01: [4, 1], 2020-03-02: 5}, jhu: {2020-03-01..2020-03-02: 0}}
  second: {nyt: {2020-03-01: [4, 1], 2020-03-02: 7}}
steps:
  - publish: first
  - run: a
"""


@pytest.fixture(scope="module")
def cloud():
    with in_process() as cloud:
        yield cloud


@pytest.fixture
def played(cloud, tmp_path):
    def played(text: str):
        path = tmp_path / "case.yaml"
        path.write_text(text)
        return play(cloud, scenario(path))

    return played


def test_what_is_expected_and_not_so_is_told_in_words(played):
    outcome = played(
        TWO_DAYS
        + """
expect:
  daily: {2020-03-01: [4, 2], 2020-03-02: null, 2020-03-03: 1}
  entries: {2020-03-02: [5, 7]}
  as of: {2020-03-10T11:00Z: {2020-03-01: 4}}
  pending: [2020-03-02]
  lag: 3
  reports: 1
  alerts: 1
  saying: [a thousand rows]
  never saying: [2 rows inserted]
  closing run: failed
"""
    )
    told = "\n".join(outcome.problems)
    for expected in (
        "daily, 2020-03-01: expected (4 cases, 2 deaths), found (4 cases, 1 deaths)",
        "daily, 2020-03-02: expected no such day, found (5 cases, 0 deaths, 0 recovered)",
        "daily, 2020-03-03: expected 1, found no such day",
        "entries of 2020-03-02: expected 5, 7, found 5",
        "as of 2020-03-10T11:00:00Z, 2020-03-01: expected 4, found no such day",
        "pending: expected 2020-03-02, page says none",
        "pending: expected 2020-03-02, ops says none",
        "pending: expected 2020-03-02, metric says 0",
        "lag: expected 3, page says 0",
        "lag: expected 3, ops says 0",
        "lag: expected 3, metric says 0",
        "lag: expected 3, mail says 0",
        "reports: expected 1, found 2",
        "alerts: expected 1, found 0",
        "saying: expected 'a thousand rows' in a message",
        "never saying: '2 rows inserted' is in 'Daybook: 2 rows inserted, 0 updated, through 2020-03-02'",
        "closing run: expected failed, found completed",
    ):
        assert expected in told


@pytest.mark.parametrize(
    ("how", "entered"),
    [
        ("refused", []),
        ("denied", []),
        ("5xx", []),
        ("throttled", []),
        ("dies before", []),
        ("dies after", [5]),
        ("unanswered", [5]),
    ],
)
def test_a_call_that_fails_took_effect_or_did_not(played, cloud, how, entered):
    outcome = played(
        TWO_DAYS
        + f"""
    fail: {{call: "consumer store:write", where: 03-02, how: {how}, for: 30s}}
  - expect: {{entries: {{2020-03-02: {entered}}}, reports: 0}}
expect: {{entries: {{2020-03-02: [5]}}, reports: 2, closing run: completed}}
"""
    )
    assert (outcome.problems, outcome.missed) == ([], [])


def test_a_fault_that_is_never_met_is_named(played):
    outcome = played(TWO_DAYS + "  - fail: {call: 'reporter sns:Publish', nth: 2, how: denied}\n")
    assert (outcome.problems, outcome.missed) == ([], ["reporter sns:Publish, call 2"])


def test_an_sdks_own_repeats_count_as_calls(played, cloud):
    three = TWO_DAYS + "    fail: {call: 'consumer store:write', how: throttled, for: 2}\n"
    assert played(three + "  - expect: {daily: {2020-03-02: 5}}\n").problems == []


def test_nothing_is_delivered_while_the_consumer_is_held(played):
    held = TWO_DAYS.replace("steps:", "steps:\n  - hold: consumer")
    outcome = played(
        held
        + """
  - wait: 3h
  - expect: {daily: {2020-03-02: null}}
  - release: consumer
  - expect: {daily: {2020-03-02: 5}, reports: 1}
"""
    )
    assert outcome.problems == []


def test_a_request_is_tried_again_after_a_minute_unless_its_tries_are_lost(played, cloud):
    dying = TWO_DAYS + "    fail: {call: 'fetcher kinesis:PutRecords', how: dies before}\n"
    waiting = "  - wait: 61s\n  - expect: {daily: {2020-03-02: %s}}\n"
    assert played(dying + waiting % "5").problems == []
    assert played(dying + "    retries: none\n" + waiting % "null").problems == []
    assert played(dying + "    retries: none\n  - retry: a\n" + waiting % "5").problems == []


@pytest.mark.parametrize(
    ("deliver", "places"),
    [
        ("again: all", [1, 2, 3]),
        ("again: all, late: [a]", [3, 1, 2]),
        ("again: a", [1, 2]),
        ("only: 2", [2]),
        ("only: [3, 1]", [1, 3]),
    ],
)
def test_records_come_again_in_their_order_or_a_runs_after_all_others(
    played, cloud, monkeypatch, deliver, places
):
    batches: list[list[str]] = []
    invoke = cloud.runtime.invoke

    def recording(name: str, payload: bytes, *more):
        if name == cloud.stack.exports["consumer"]:
            records = json.loads(payload)["Records"]
            batches.append([record["kinesis"]["sequenceNumber"] for record in records])
        return invoke(name, payload, *more)

    monkeypatch.setattr(cloud.runtime, "invoke", recording)
    outcome = played(
        TWO_DAYS + f"  - wait: 1d\n  - publish: second\n  - run: b\n  - deliver: {{{deliver}}}\n"
    )
    first, second, again, *_ = batches  # and those of what ends each scenario
    assert again == [[*first, *second][place - 1] for place in places]
    assert outcome.problems == []


def test_what_was_destroyed_is_reported_by_verify_and_by_nothing_else(played):
    outcome = played(TWO_DAYS + "  - lose: archive 1\n")
    assert outcome.problems == []


def test_a_command_may_exit_with_one_of_several_codes(played):
    assert played(TWO_DAYS + "  - {ops: [status], exits: [0, 5]}\n").problems == []
    (problem,) = played(TWO_DAYS + "  - {ops: [status], exits: [5, 6]}\n").problems
    assert "ops status was to exit with 5 or 6, and exited with 0" in problem


def test_an_older_run_may_still_owe_what_a_refused_file_no_longer_has(played):
    outcome = played(
        """
name: 3 March is lost, and 2 March withdrawn
files:
  two: {nyt: {2020-03-01..2020-03-02: 5}, jhu: {2020-03-01..2020-03-02: 0}}
  three: {nyt: {2020-03-01..2020-03-03: 5}, jhu: {2020-03-01..2020-03-03: 0}}
  one: {nyt: {2020-03-01: 5}, jhu: {2020-03-01: 0}}
steps:
  - publish: two
  - run: a
  - publish: three
  - run: b
    fail: {call: "fetcher kinesis:PutRecords", how: dies before, for: ever}
  - wait: 1h
  - publish: one
expect: {daily: {2020-03-02: 5, 2020-03-03: null}, closing run: failed}
"""
    )
    assert outcome.problems == []


def test_while_an_interrupted_rebuild_waits_to_be_ended_nothing_is_lost(played):
    outcome = played(
        TWO_DAYS
        + """
  - fail: {call: "consumer store:write", how: throttled, for: ever}
  - ops: [replay, --rebuild, --yes]
    exits: 6
  - run: b
  - mend: consumer store:write
  - ops: [replay, --rebuild, --yes]
"""
    )
    assert outcome.problems == []


def test_what_a_replay_at_the_end_would_change_is_told(played, cloud, monkeypatch):
    def replay(cloud, arguments):
        cloud.client("sns").publish(
            TopicArn=cloud.stack.exports["alerts_topic"], Message='{"default": ""}', MessageStructure="json"
        )
        return 0, ""

    monkeypatch.setattr(sys.modules["local.scenario.play"], "operate", replay)
    told = "\n".join(played(TWO_DAYS).problems)
    assert "a replay, messages: what should have changed nothing" in told
    assert "a rebuild, messages: what should have changed nothing" in told
    assert "a remade mapping" not in told


def test_another_acts_just_before_a_call(played):
    outcome = played(
        TWO_DAYS
        + """
  - wait: 1d
  - publish: second
  - run: b
    during: {call: "consumer ledger:commit", do: [{expect: {entries: {2020-03-02: [5, 7]}, reports: 1}}]}
expect: {entries: {2020-03-02: [5, 7]}, reports: 3}
"""
    )
    assert (outcome.problems, outcome.missed) == ([], [])


def test_what_it_came_to_is_written_as_csv_and_as_json(played, cloud, tmp_path):
    played(TWO_DAYS)
    write(cloud, tmp_path / "out")
    with (tmp_path / "out" / "daily.csv").open() as file:
        assert [row["cases"] for row in csv.DictReader(file)] == ["4", "5"]
    for name, count in (("daily", 2), ("entries", 2), ("runs", 2), ("notices", 2), ("log", 2)):
        assert len(json.loads((tmp_path / "out" / f"{name}.json").read_text())) == count
        assert (tmp_path / "out" / f"{name}.csv").exists()
    assert len(reading.runs(cloud)) == 2


def test_a_file_that_is_not_in_the_language_ends_with_1_and_is_not_played(tmp_path):
    path = tmp_path / "case.yaml"
    path.write_text("name: a\nsteps:\n  - jump: 1\n")
    result = CliRunner().invoke(main, ["scenario", str(path)])
    assert result.exit_code == 1
    assert "case.yaml, line 3: unknown step 'jump'" in result.output
