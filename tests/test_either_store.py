"""What an operator and a visitor see is the same, whichever store the tables are in: as of any moment,
replayed, rebuilt, verified, on the dashboard; and a local cloud that starts again finds the store it had.
"""

import csv
import io
import json
import re
import subprocess
import sys

import pytest
from system import EITHER_STORE, START, system
from test_ops_commands import CASES, Operated

from dashboard.app import create_app
from dashboard.settings import Settings
from local.stack.program import ROOT
from local.up import reachable

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("either store")]


@pytest.fixture(scope="module", params=EITHER_STORE)
def operated(request, tmp_path_factory):
    """Three runs: five days; one restated and one new; that one restated once more, back to what it was."""
    folder = tmp_path_factory.mktemp("state")
    with system(store=request.param) as daybook, reachable(daybook.cloud, folder) as asked:
        for news in ({}, {"2020-03-02": 22, "2020-03-06": 60}, {"2020-03-06": 60}):
            daybook.publish(CASES | news)
            daybook.run()
        found = Operated(daybook, folder, asked)
        assert found.exports["store"] == request.param
        yield found


@pytest.fixture
def visited(operated):
    """The dashboard, as a visitor asks it."""
    told = Settings.read(operated.exports["dashboard_environment"])
    page = create_app(
        operated.cloud.ledger, operated.cloud.tables, told, clock=operated.cloud.clock.now
    ).server.test_client()

    def get(address):
        answer = page.get(address)
        assert answer.status_code == 200, answer.text
        assert answer.headers.get("X-Daybook-Trailing", "false") == "false"
        return answer

    return get


def cases(text):
    return [int(row["cases"]) for row in csv.DictReader(io.StringIO(text))]


def test_the_record_as_of_any_moment_is_what_was_believed_then(operated):
    believed = {
        "2020-03-09": [],
        f"{START:%Y-%m-%dT%H:%M}": [10, 20, 30, 40, 50],
        "2020-03-10": [10, 20, 30, 40, 50],
        "2020-03-11T11:59": [10, 20, 30, 40, 50],
        "2020-03-11T12:00": [10, 22, 30, 40, 50, 60],
        "2020-03-12": [10, 20, 30, 40, 50, 60],
    }
    for when, expected in believed.items():
        code, out, told = operated.ops("as-of", when)
        assert (code, cases(out.decode())) == (0, expected), told


def test_every_entry_of_a_day_is_told_with_its_run(operated):
    found = operated.data("history", "2020-03-02")[1]
    assert [(one["cases"], one["revision"]) for one in found] == [(20, 1), (22, 2), (20, 3)]
    assert len({one["run"] for one in found}) == 3


def test_a_replay_into_full_tables_changes_nothing_and_tells_nobody(operated):
    rows, told = operated.rows(), len(operated.cloud.emulator.publications)
    code, out, _ = operated.ops("replay")
    assert code == 0, out
    assert operated.rows() == rows
    assert len(operated.cloud.emulator.publications) == told
    operated.daybook.agrees()


def test_a_rebuild_from_the_log_makes_the_same_tables_again(operated):
    rows, items = operated.rows(), operated.items()
    code, out, told = operated.ops("replay", "--rebuild", "--yes")
    assert code == 0, (out, told)
    assert operated.rows() == rows
    assert [entry for entry in operated.items() if entry.startswith("day#")] == [
        entry for entry in items if entry.startswith("day#")
    ]
    operated.daybook.agrees()


def test_the_invariants_hold_and_the_doctor_finds_nothing_amiss(operated):
    code, found = operated.data("verify")
    assert (code, [one for one in found["findings"] if one["broken"]]) == (0, [])
    code, found = operated.data("doctor")
    failed = [one for one in found if one["state"] == "FAIL"]
    assert (code, failed) == (0, [])
    tables = [one["what"] for one in found if one["what"].startswith("table ")]
    assert [name.partition("daybook-local-")[2] or name[6:] for name in tables] == ["daily", "revisions"]


def test_the_dashboard_shows_the_record_as_it_is_and_as_it_was(visited):
    assert cases(visited("/data/days.csv").text) == [10, 20, 30, 40, 50, 60]
    days = json.loads(visited("/data/days.json").text)["days"]
    assert [(day["date"], day["cases"]) for day in days][1] == ("2020-03-02", 20)
    entries = json.loads(visited("/data/entries.json?from=2020-03-02&to=2020-03-02").text)["entries"]
    assert [one["cases"] for one in entries] == [20, 22, 20]
    assert visited("/status.json").get_json()["last_acknowledged"] == "2020-03-06"
    shown = json.loads(visited("/data/shown.json?asof=2020-03-11&show=total").text)
    assert shown["days"], "the record as it was isn't shown"
    assert "22" in json.dumps(shown["days"])


def test_a_local_cloud_that_starts_again_finds_its_store_and_all_that_was_in_it(tmp_path):
    """Of DynamoDB; tests/test_restart.py shows the other."""

    def up(*more):
        command = [sys.executable, "-m", "local", "up", "--once", "--state", str(tmp_path), *more]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return dict(re.findall(r"^(.{28})(\S.*)$", done.stdout, re.MULTILINE))

    first, again = up("--store", "dynamodb"), up()
    assert len(first) > 3
    assert {name: again.get(name) for name in first if "ays" in name} == {
        name: value for name, value in first.items() if "ays" in name
    }
    (configuration,) = [path for path in tmp_path.rglob("*.json") if "dynamodb" in path.read_text()]
    assert configuration.is_file()
