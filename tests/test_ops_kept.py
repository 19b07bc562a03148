"""`daybook` on what a local cloud has kept: opened, read, rebuilt, and changed."""

import datetime as dt
import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from system import system

from local import state
from local.kept import find, opened
from ops.__main__ import run

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("ops-kept")]

ROOT = Path(__file__).resolve().parent.parent
CASES = {f"2020-03-0{number}": number * 10 for number in range(1, 6)}


@pytest.fixture
def kept(tmp_path):
    """Three runs: five days, one of them restated, and files that were refused."""
    with system() as daybook:
        daybook.publish(CASES)
        daybook.run()
        daybook.publish(CASES | {"2020-03-02": 22})
        daybook.run()
        daybook.publish(CASES | {"2020-03-02": 22, "2020-03-06": 9000})
        daybook.run()
        state.save(daybook.cloud, tmp_path / "one")
    return tmp_path


def test_what_was_kept_is_found_read_and_changed_by_an_acceptance(kept, capsys):
    assert run(["days", "--state", str(kept), "--json"]) == 0
    told = capsys.readouterr()
    assert told.err == f"state kept in {kept / 'one'}, 6 events, last run 2020-03-12 12:00 UTC\n"
    assert len(json.loads(told.out)) == 5
    assert run(["accept", "2020-03-06", "--reason", "confirmed", "--state", str(kept)]) == 0
    kept_lines = (kept / "one" / "ledger.jsonl").read_text().splitlines()
    assert sum("accept#2020-03-06#" in line for line in kept_lines) == 1
    capsys.readouterr()
    assert run(["run", "--state", str(kept)]) == 3
    assert "python -m local up" in capsys.readouterr().err


def test_what_is_read_where_it_lies_is_what_a_cloud_restored_from_it_holds(kept):
    def facts(stack):
        ledger, tables = stack.ledger, stack.tables
        owing = ledger.owing()
        return {
            "head": replace(ledger.head(), moves=0),
            "days": list(ledger.days().values()),
            "runs": [ledger.runs(), ledger.runs(limit=None), ledger.runs_named(ledger.head().failures)],
            "owing": (owing.others, owing.days),
            "notices": ledger.notices(),
            "daily": tables.daily(),
            "entries": [tables.entries(), tables.entries(dt.date(2020, 3, 2))],
            "as of": [tables.as_of(dt.datetime(2020, 3, day, 12, tzinfo=dt.UTC)) for day in (9, 10, 11)],
            "log": list(stack.archive.log()),
            "now": stack.now(),
        }

    with opened(kept / "one", reading=True) as stack:
        read = facts(stack)
        with pytest.raises(TypeError, match="only read"):
            stack.client("lambda")
    with opened(kept / "one") as stack:
        restored = facts(stack)
    assert len(read["entries"][1]) == 2
    assert {name for name in read if read[name] != restored[name]} == set()


def test_events_of_a_run_that_the_ledger_lacks_are_left_to_a_replay(kept, capsys):
    path = kept / "one" / "ledger.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if "run#2020-03-10" not in line))
    with opened(kept / "one", reading=True) as stack:
        assert stack.client("s3") is not None
        assert len(stack.tables.daily()) == 5


def test_a_last_run_that_failed_is_the_first_line_of_status_and_exit_code_4(kept, capsys):
    assert run(["status", "--state", str(kept)]) == 4
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("The last run failed: nyt, row 7, 2020-03-06, cases")
    assert "Next: docs/runbook.md" in first


def test_a_damaged_log_is_told_with_exit_code_7_and_nothing_is_changed(kept, capsys):
    log, *_ = (kept / "one" / "archive" / "events").iterdir()
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


def test_the_page_of_what_is_kept_is_served_until_ctrl_c(kept):
    command = [sys.executable, "-m", "local", "serve", "--state", str(kept)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as served:
        assert served.stdout
        address = re.search(r"http://\S+/", served.stdout.readline())
        try:
            assert address, served.stderr and served.stderr.read()
            answer = requests.get(f"{address[0]}data/days.json", timeout=60)
            for _ in range(120):  # until the page has read the store
                if answer.status_code == 200:
                    break
                time.sleep(1)
                answer = requests.get(f"{address[0]}data/days.json", timeout=60)
            assert [day["cases"] for day in answer.json()["days"]] == [10, 22, 30, 40, 50]
        finally:
            served.send_signal(signal.SIGINT)
        assert served.wait(120) == 0
    assert run(["status", "--state", str(kept)]) == 4
