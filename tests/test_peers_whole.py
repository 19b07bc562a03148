"""The whole stack on ministack, as an operator meets it by the commands' branch for AWS."""

import io
import json
import shutil
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import backfilling
import pytest
from backfilling import DAYS, VERSIONS, commits, listed, played
from builders import jhu, nyt
from whole_peer import Whole, whole

import infra.code
from functions import history
from local.cloud import STACK
from local.sources.publisher import Publisher
from local.stack.program import ROOT
from ops.__main__ import run
from ops.errors import SOURCES
from ops.invariants import broken, files
from ops.invariants.ending import changed, dump
from storage import csv_files, raw
from storage.kept import Kept
from storage.tables import open_tables

pytestmark = [pytest.mark.peers, pytest.mark.xdist_group("whole")]


class Operated:
    """A stack elsewhere, its sources, and its operator."""

    def __init__(self, stack: Whole, publisher: Publisher) -> None:
        self.stack, self.publisher = stack, publisher

    def publish(self, cases: dict[str, int]) -> None:
        self.publisher.files["nyt"] = nyt(*(f"{date},{count},0" for date, count in cases.items()))
        self.publisher.files["jhu"] = jhu(*(f"{date},0" for date in cases))

    def ops(self, *arguments: str) -> tuple[int, Any]:
        """The exit code of a command, and its JSON."""
        out, problem = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(problem):
            code = run(["--stack", STACK, *arguments, "--json"])
        assert out.getvalue(), problem.getvalue()
        return code, json.loads(out.getvalue())

    def run(self) -> tuple[int, int, int]:
        """The exit code of a run that is waited for; how many days it inserted and updated."""
        code, answer = self.ops("run", "--wait")
        return code, answer["run"]["inserted"], answer["run"]["updated"]

    @property
    def kept(self) -> Kept:
        return raw.read(self.stack.client, self.stack.stack.exports, files.parse)

    @property
    def daily(self) -> dict[str, int | None]:
        return {row.date.isoformat(): row.values["cases"] for row in self.kept.daily}


@pytest.fixture
def operated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operated]:
    with Publisher() as publisher, whole(tmp_path, publisher.config()) as stack:
        for name, value in stack.environment.items():
            monkeypatch.setenv(name, value)
        yield Operated(stack, publisher)


def test_a_life_on_a_whole_other_engine_can_be_operated_as_on_aws(operated: Operated) -> None:
    first = {f"2020-03-{day:02}": 10_000 for day in range(1, 7)}
    operated.publish(first)
    assert operated.run() == (0, 6, 0)
    second = first | {"2020-03-02": 11_000, "2020-03-07": 12_000}
    operated.publish(second)
    assert operated.run() == (0, 1, 1)
    operated.publish(second | {"2020-03-07": 60_000})
    assert operated.run() == (SOURCES, 0, 0)
    assert operated.daily == second
    operated.publish(second)
    assert operated.run() == (0, 0, 0)

    code, status = operated.ops("status")
    assert (code, status["last_acknowledged"], status["pending"]) == (0, "2020-03-07", [])
    assert operated.ops("verify")[0] == 0
    before = dump(operated.kept, ())
    for arguments in (
        ("replay", "--source", "archive"),
        ("replay", "--source", "stream"),
        ("replay", "--rebuild", "--yes"),
    ):
        code, answer = operated.ops(*arguments)
        assert (code, answer["replayed"]) == (0, 8)
        assert changed(before, dump(operated.kept, ())) == []
    assert broken(operated.kept) == []
    assert {notice.state for notice in operated.kept.notices.values()} == {"sent"}


@pytest.fixture
def as_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """The record of six days as `play` makes it. Their list is that of the package, and of the command."""
    code = tmp_path / "packages"
    for package in infra.code.PACKAGES:
        shutil.copytree(ROOT / package, code / package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(infra.code, "ROOT", code)
    monkeypatch.setattr(history, "LIST", listed(code / "functions" / "history.csv", DAYS))
    with backfilling.operated("dynamodb") as stack:
        return played(stack, VERSIONS, DAYS)


def test_the_public_history_is_entered_there_as_play_has_it_and_once(
    as_played: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Publisher() as publisher:
        config = publisher.config() | {"history_base": publisher.address("")}
        publisher.files.update(commits(VERSIONS))
        with whole(tmp_path, config) as stack:
            for name, value in stack.environment.items():
                monkeypatch.setenv(name, value)
            operated = Operated(stack, publisher)
            expected = {"dates": 6, "entered": 5, "refused": 1, "inserted": 4, "updated": 6}
            code, answer = operated.ops("backfill")
            assert (code, answer) == (0, expected | {"last_acknowledged": "2020-10-02"})
            tables = open_tables(stack.stack.exports, stack.client)
            assert (csv_files.days(tables.daily()), csv_files.revisions(tables.entries())) == as_played
            before = dump(operated.kept, ())
            assert operated.ops("backfill") == (0, answer)
            assert changed(before, dump(operated.kept, ())) == []
            assert broken(operated.kept) == []
            assert [notice.state for notice in operated.kept.notices.values()] == ["sent"]
