"""What goes wrong with the sources, on the way or in their files: each comes to what is declared for it."""

import gc
import json
import os
import re
import subprocess
import sys
import warnings
from dataclasses import asdict
from pathlib import Path

import content_faults
import large_faults
import pytest
import reliability
import transport_faults
from content_faults import CONTENT, Content
from large_faults import LARGE_FAULTS
from misbehaving import answer, only_loopback, serving, without_waits
from source_faults import FILES, MALFORMED, NEW, TAKEN, UNAVAILABLE, UNBELIEVABLE, WARNED, decided
from transport_faults import TRANSPORT, Stage

from functions.errors import SourceUnavailable

CAP = 1_000_000  # bytes
MEMORY = 256  # MB that a file may take beyond what the fetcher holds anyhow, of the 1,024 that it is given
DEADLINE = 60  # seconds, as deployed


@pytest.fixture
def stage(monkeypatch, tmp_path):
    only_loopback(monkeypatch)
    without_waits(monkeypatch)
    with serving() as server:
        server.answers = {source: [answer(file)] for source, file in FILES.items()}
        found = Stage(server, monkeypatch, tmp_path)
        yield found
        for waiting in found.kept:
            waiting.close()
        if found.left_open:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ResourceWarning)
                gc.collect()


@pytest.mark.parametrize("name", TRANSPORT)
def test_whatever_goes_wrong_on_the_way_ends_as_declared(stage, name):
    fault = TRANSPORT[name]
    with reliability.counted("transport of the sources"):
        fault.arrange(stage)
        sources = stage.server.sources(deadline=fault.deadline, cap=CAP, **stage.settings)
        if fault.outcome == UNAVAILABLE:
            with pytest.raises(SourceUnavailable) as raised:
                sources.fetch()
            assert re.search(fault.told, str(raised.value)), str(raised.value)
        else:
            found = decided(sources.fetch().files)
            assert found.outcome == fault.outcome, found.words
            assert any(fault.told in word for word in found.words or [""])
            assert found.pending == (NEW if fault.outcome == TAKEN else {})
        if fault.requests is not None:
            assert stage.server.asked("nyt") == fault.requests


@pytest.mark.parametrize("name", CONTENT)
def test_whatever_a_file_says_comes_to_what_is_declared(name):
    fault: Content = CONTENT[name]
    with reliability.counted("content of the sources"):
        found = decided(FILES | fault.files)
        assert found.outcome == fault.outcome, found.words
        assert any(fault.told in word for word in found.words or [""]), found.words
        taken = fault.outcome in (TAKEN, WARNED)
        assert found.pending == ((NEW if taken else {}) if fault.pending is None else fault.pending)


@pytest.fixture(scope="module")
def alone():
    """A program that has nothing in its memory but the fetcher."""
    program = Path(__file__).with_name("reading_alone.py")
    path = os.pathsep.join(map(str, (program.parent.parent, program.parent)))
    with subprocess.Popen(
        [sys.executable, program],
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as found:
        yield found


@pytest.mark.cloud
@pytest.mark.parametrize("name", LARGE_FAULTS)
def test_a_source_that_is_too_much_takes_no_more_memory_and_time_than_there_is(alone, name):
    fault = LARGE_FAULTS[name]
    with reliability.counted("sources that are too much"), serving() as server:
        server.answers = {source: [answer(file)] for source, file in FILES.items()}
        server.answers |= fault.answers()
        print(server.port, large_faults.CAP, DEADLINE, file=alone.stdin, flush=True)
        found = json.loads(alone.stdout.readline())
        assert found["outcome"] == fault.outcome, found.get("words")
        assert any(fault.told in word for word in found["words"] or [""]), found["words"]
        new = {str(date): asdict(counts) for date, counts in NEW.items()}
        assert found["pending"] == (new if fault.outcome == TAKEN else {})
        more = found["peak"] - found["before"]
        print(f"{more:.0f} MB more than {found['before']:.0f}")
        assert more <= MEMORY


def test_there_are_no_fewer_faults_than_there_were_and_no_two_are_one():
    tables = [*transport_faults.TABLES.values(), *content_faults.TABLES.values(), LARGE_FAULTS]
    names = [name for table in tables for name in table]
    assert len(set(names)) == len(names) >= 290
    assert len({tuple(sorted((FILES | fault.files).items())) for fault in CONTENT.values()}) == len(CONTENT)
    outcomes = {fault.outcome for table in tables for fault in table.values()}
    assert outcomes == {TAKEN, WARNED, MALFORMED, UNBELIEVABLE, UNAVAILABLE}
