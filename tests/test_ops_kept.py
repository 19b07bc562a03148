"""`daybook` on what a local cloud has kept: opened, read, rebuilt, and changed."""

import json

import pytest
from system import system

from local import state
from local.kept import find
from ops.__main__ import run

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("ops-kept")]

CASES = {f"2020-03-0{number}": number * 10 for number in range(1, 6)}


@pytest.fixture
def kept(tmp_path):
    """Two runs: five days, and then one that was refused."""
    with system() as daybook:
        daybook.publish(CASES)
        daybook.run()
        daybook.publish(CASES | {"2020-03-06": 9000})
        daybook.run()
        state.save(daybook.cloud, tmp_path / "one")
    return tmp_path


def test_what_was_kept_is_found_read_and_changed_by_an_acceptance(kept, capsys):
    assert run(["days", "--state", str(kept), "--json"]) == 0
    told = capsys.readouterr()
    assert told.err == f"state kept in {kept / 'one'}, 5 events, last run 2020-03-11 12:00 UTC\n"
    assert len(json.loads(told.out)) == 5
    assert run(["accept", "2020-03-06", "--reason", "confirmed", "--state", str(kept)]) == 0
    kept_lines = (kept / "one" / "ledger.jsonl").read_text().splitlines()
    assert sum("accept#2020-03-06#" in line for line in kept_lines) == 1
    capsys.readouterr()
    assert run(["run", "--state", str(kept)]) == 3
    assert "python -m local up" in capsys.readouterr().err


def test_a_last_run_that_failed_is_the_first_line_of_status_and_exit_code_4(kept, capsys):
    assert run(["status", "--state", str(kept)]) == 4
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("The last run failed: nyt, row 7, 2020-03-06, cases")
    assert "Next: docs/runbook.md" in first


def test_a_damaged_log_is_told_with_exit_code_7_and_nothing_is_changed(kept, capsys):
    (log,) = (kept / "one" / "archive" / "events").iterdir()
    log.write_bytes(log.read_bytes()[:-40])
    before = log.read_bytes()
    assert run(["status", "--state", str(kept)]) == 7
    told = capsys.readouterr().err
    assert "archive is damaged" in told
    assert "python -m local up --fresh" in told
    assert "Traceback" not in told
    assert log.read_bytes() == before


def test_a_folder_is_taken_before_those_in_it_and_the_newest_of_those(tmp_path):
    assert find(tmp_path) is None
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "ledger.jsonl").write_text("")
    assert find(tmp_path) == tmp_path / "a"
    assert find(tmp_path / "a") == tmp_path / "a"
