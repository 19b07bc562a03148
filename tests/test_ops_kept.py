"""`python -m ops` on what a local cloud has kept: opened, read, rebuilt, and changed."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest
import truth
from system import system

from local import state
from local.play import write_days, write_revisions
from ops import rebuild
from ops.__main__ import run
from ops.local_target import found, opened

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("ops-kept")]

ROOT = Path(__file__).resolve().parent.parent
NOON = dt.time(12)
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


def test_a_damaged_log_is_told_with_exit_code_7_and_nothing_is_changed(kept, capsys):
    (log,) = (kept / "one" / "archive" / "events").iterdir()
    log.write_bytes(log.read_bytes()[:-40])
    before = log.read_bytes()
    assert run(["status", "--state", str(kept)]) == 7
    told = capsys.readouterr().err
    assert "can't be opened" in told
    assert "Traceback" not in told
    assert log.read_bytes() == before


def test_a_folder_is_taken_before_those_in_it_and_the_newest_of_those(tmp_path):
    assert found(tmp_path) is None
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "ledger.jsonl").write_text("")
    assert found(tmp_path) == tmp_path / "a"
    assert found(tmp_path / "a") == tmp_path / "a"


@pytest.mark.data
def test_the_real_history_is_rebuilt_equal_and_believed_at_each_moment_as_published(data, tmp_path):
    nyt, jhu = (data / "published" / name for name in ("nyt_us.tar.xz", "jhu_combined.tar.xz"))
    command = [sys.executable, "-m", "local", "play", "--nyt", nyt, "--jhu", jhu, "--time", "12:00"]
    command += ["--start", "2020-09-02", "--end", "2020-10-15", "--out", tmp_path / "out"]
    done = subprocess.run(
        [str(part) for part in [*command, "--state", tmp_path / "state"]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    cases, recoveries = truth.versions(nyt), truth.versions(jhu)
    moments = [
        dt.datetime.combine(dt.date(2020, 9, 4) + dt.timedelta(days=3 * n), NOON, dt.UTC) for n in range(14)
    ]
    said = [
        truth.figures(truth.newest(cases, when), truth.newest(recoveries, when), when.date())
        for when in moments
    ]
    with opened(tmp_path / "state") as target:
        for again in (False, True):
            if again:
                assert rebuild.rebuild(target) == 452
            write_days(tmp_path / "days.csv", target.reader.daily())
            write_revisions(tmp_path / "revisions.csv", target.reader.revisions())
            for name in ("days.csv", "revisions.csv"):
                assert (tmp_path / name).read_text() == (tmp_path / "out" / name).read_text()
            for moment, expected in zip(moments, said, strict=True):
                then = {
                    row.day.date.isoformat(): (*vars(row.day.counts).values(),)[:3]
                    for row in target.reader.as_of(moment)
                }
                assert then == expected
