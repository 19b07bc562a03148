"""Killed at any moment, the next start is whole: it ends as a run that was never interrupted.

What that comes to is read from the sample's files without any of the project's code (truth.py).
"""

import datetime as dt
import io
import os
import random
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import reliability
from kills import STAGES
from rich.console import Console
from sampled import moments, true_record

from local import state
from local.cloud import LocalCloud
from local.sources import feeds, sample
from local.sources.publisher import Publisher
from local.up import up
from schemas.event import decode

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).resolve().parent.parent
RUNS = sample.PUBLICATIONS
KILLS = 6
KILLS_IN_A_STAGE = 2


def test_killed_again_and_again_the_sample_ends_as_if_it_had_never_been_interrupted(tmp_path):
    chance = random.Random(20201115)
    lines = chance.sample(range(KILLS), KILLS)  # none: while it starts; one or two: while it replays
    codes = [killed(tmp_path, count, chance.uniform(0, 0.4 if count else 4)) for count in lines]
    assert -signal.SIGKILL in codes
    assert set(codes) <= {-signal.SIGKILL, 0}  # where a machine is too fast for the last of them
    ends_as_if_never_interrupted(tmp_path, KILLS)


@pytest.mark.long
@pytest.mark.parametrize("stage", STAGES)
def test_killed_in_any_stage_of_a_run_the_next_start_goes_on_as_if_nothing_had_happened(tmp_path, stage):
    chance = random.Random(stage)
    with reliability.counted("kill -9", KILLS_IN_A_STAGE):
        for _ in range(KILLS_IN_A_STAGE):
            killed_in(stage, chance.randint(1, 4), tmp_path)
        ends_as_if_never_interrupted(tmp_path, KILLS_IN_A_STAGE)


def ends_as_if_never_interrupted(folder, kills):
    """One more start, which nobody kills."""
    code, told = started(folder)
    assert code == 0
    days, revisions = true_record(RUNS)
    assert summary(told) == (len(days), len(revisions) - len(days), max(days))
    assert logged(folder / "sample") == sorted(revisions)
    assert restored(folder / "sample") == (days, sorted(revisions))
    messages = told_of(folder / "sample" / "outbox")
    assert sorted(messages)[:RUNS] == moments(RUNS)
    assert sum(messages.values()) - len(messages) <= kills  # a second copy only where the sender died


@pytest.mark.parametrize(
    ("run", "writes"),
    [
        pytest.param(1, 2, id="the first run, its events kept in part"),
        pytest.param(3, 1, id="a later run, its events kept and the ledger not"),
    ],
)
def test_killed_while_it_keeps_what_a_run_came_to_the_next_start_makes_the_run_again(
    tmp_path, monkeypatch, run, writes
):
    die_after(monkeypatch, run, writes)
    with pytest.raises(Killed):
        started_here(tmp_path, runs=run)
    monkeypatch.undo()
    told = started_here(tmp_path, runs=run)
    assert "events replayed from the archive" in told
    days, revisions = true_record(run)
    assert summary(told) == (len(days), len(revisions) - len(days), max(days))
    assert logged(tmp_path) == sorted(revisions)


def command(folder):
    return [sys.executable, "-m", "local", "up", "--once", "--state", str(folder)]


def started(folder):
    done = subprocess.run(command(folder), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


def killed(folder, lines, seconds):
    """Start, and kill it so long after so many lines; its exit code, once none of its handlers is left."""
    environment = {**os.environ, "TMPDIR": str(folder)}  # what it had no time to remove goes with the test's
    with subprocess.Popen(command(folder), cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout
        for _ in range(lines):
            process.stdout.readline()
        threading.Event().wait(seconds)
        handlers = children(process.pid)
        process.kill()
    ended(handlers)
    return process.returncode


def ended(handlers):
    """They end with what had started them."""
    waiting, left = threading.Event(), list(handlers)
    for _ in range(2000):
        if not any(map(running, left)):
            return
        waiting.wait(0.01)
    raise AssertionError("a handler outlived what had started it")


def children(process):
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = (line.split() for line in listed.stdout.splitlines())
    return [int(child) for child, parent in pairs if int(parent) == process]


def running(process):
    """Not one that has ended and that nobody took note of: in a container that may stay so."""
    command = ["ps", "-o", "stat=", "-p", str(process)]
    state = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return state != "" and not state.startswith("Z")


def killed_in(stage, number, folder):
    """Start, and have it die at this call of a stage; once none of its handlers is left."""
    command = [sys.executable, str(ROOT / "tests" / "mortal.py"), str(folder / "sample"), stage, str(number)]
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    ended(map(int, done.stdout.split()))


class Killed(BaseException):
    """Nobody catches it."""


def die_after(monkeypatch, run, writes):
    """In the keeping of this run, after so many files."""
    save, write = state.save, state._write
    saved, left = Counter(), [writes]

    def saving(cloud, folder):
        saved["runs"] += 1
        save(cloud, folder)

    def writing(path, content):
        if saved["runs"] == run:
            if not left[0]:
                path.with_name(path.name + state.UNFINISHED).write_bytes(content[: len(content) // 2])
                raise Killed
            left[0] -= 1
        write(path, content)

    monkeypatch.setattr(state, "save", saving)
    monkeypatch.setattr(state, "_write", writing)


def started_here(folder, runs):
    """Start in this process with only the first runs of the sample; what it says."""
    said = io.StringIO()
    console = Console(file=said, width=200)
    with Publisher() as publisher:
        feed = feeds.synthetic(publisher)
        up(replace(feed, moments=feed.moments[:runs]), folder, console, once=True)
    return said.getvalue()


def summary(told):
    """Days, restated entries, and the newest date: what the tables and the ledger say in the end."""
    found = [re.search(rf"^{label} +(\S+)$", told, re.MULTILINE) for label in SUMMED_UP]
    days, restated, last = (match[1] for match in found if match)
    return int(days), int(restated), last


SUMMED_UP = ("Days in the record", "Restatements entered", "Last acknowledged date")


def figures(counts):
    return counts.cases, counts.deaths, counts.recovered


def logged(folder):
    """Every entry in the log, once."""
    paths = (folder / "archive" / "events").glob("*.jsonl")  # and not what a kill left unfinished
    lines = [line for path in paths for line in path.read_bytes().splitlines()]
    events = {event.id: event for event in map(decode, lines)}.values()
    return sorted((event.recorded_at, str(event.day.date), figures(event.day.counts)) for event in events)


def restored(folder):
    """What the tables hold after another start: {date: figures}, and every entry."""
    with Publisher() as publisher:
        feed = feeds.synthetic(publisher)
        with LocalCloud(feed.clock(state.last_run(folder)), feed.config) as cloud:
            state.restore(cloud, folder)
            rows, head = cloud.tables.daily(), cloud.ledger.head()
            assert (head.stamp, head.unsent) == (sum(row.version for row in rows), frozenset())
            days = {str(row.day.date): figures(row.day.counts) for row in rows}
            entries = [
                (row.recorded_at, str(row.day.date), figures(row.day.counts))
                for row in cloud.tables.entries()
            ]
    return days, sorted(entries)


def told_of(outbox):
    """How many mails there are of each run; one cut off when its writer died tells of none."""
    texts = [path.read_text() for path in outbox.glob("*-email-*")]
    runs = [re.search(r"(?m)^Stack .+, run (\S+)#\S+$", text) for text in texts]
    return Counter(dt.datetime.fromisoformat(match[1]) for match in runs if match)
