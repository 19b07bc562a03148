"""Rolled back: a deployment that breaks a function, and the older code after it, as docs/runbook.md says."""

import datetime as dt
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from system import System, system

from local.stack.definitions import LocalFunction
from schemas.ledger import COMPLETED, FAILED, OPEN

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("rollback")]

BEFORE = {"2020-03-01": 10, "2020-03-02": 20}
AFTER = {"2020-03-01": 11, "2020-03-02": 20, "2020-03-03": 30}


@pytest.fixture
def daybook():
    """Two days entered, by the code that works."""
    with system() as found:
        found.publish(BEFORE)
        assert found.run().state == COMPLETED
        yield found


def deploy(daybook: System, change=lambda function: function) -> None:
    """The functions in the stack's order: the consumer before the fetcher."""
    names = [function.name for function in daybook.cloud.stack.functions]
    assert names == [f"daybook-local-{part}" for part in ("reporter", "consumer", "fetcher")]
    for function in daybook.cloud.stack.functions:
        daybook.cloud.runtime.deploy(change(function))


def broken(module: str, folder: Path):
    """A deployment of a newer version, in which this module can't be loaded."""

    def newer(function: LocalFunction) -> LocalFunction:
        code = folder / function.name
        shutil.copytree(function.code, code)
        with (code / "functions" / f"{module}.py").open("a") as file:
            file.write("\nraise RuntimeError('a fault of the newer version')\n")
        return replace(function, code=code, environment=function.environment | {"DAYBOOK_CODE": "newer"})

    return newer


@pytest.mark.long
def test_a_consumer_that_broke_is_rolled_back_and_what_waits_in_the_stream_is_entered_once(daybook, tmp_path):
    deploy(daybook, broken("decide", tmp_path))
    daybook.publish(AFTER)
    began = daybook.moment
    run = daybook.run(settle=False)
    daybook.cloud.settle(until=began + dt.timedelta(hours=1))
    assert daybook.stored(run.request).state == OPEN
    assert daybook.daily() == BEFORE
    deploy(daybook)
    daybook.cloud.settle(until=began + dt.timedelta(hours=2))
    ended = daybook.stored(run.request)
    assert (ended.state, len(ended.inserted), len(ended.updated)) == (COMPLETED, 1, 1)
    assert daybook.daily() == AFTER
    assert daybook.revisions("2020-03-01") == [10, 11]
    assert daybook.told("alerts") == []
    daybook.agrees()


def test_a_fetcher_that_broke_is_rolled_back_and_the_next_run_makes_good_what_failed(daybook, tmp_path):
    deploy(daybook, broken("transform", tmp_path))
    daybook.publish(AFTER)
    assert daybook.run().state == FAILED
    assert daybook.daily() == BEFORE
    deploy(daybook)
    mended = daybook.run()
    assert (mended.state, len(mended.inserted), len(mended.updated)) == (COMPLETED, 1, 1)
    assert daybook.daily() == AFTER
    assert len(daybook.told("alerts")) == 1
    assert "makes good what failed before" in daybook.told("daily-report")[-1].text("email")
    daybook.agrees()
