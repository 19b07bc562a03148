"""docs/adding-a-figure.md: its diff is applied to a copy of the code, which runs on what was kept before."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from builders import date, jhu, nyt

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).resolve().parent.parent
CODE = ("schemas", "storage", "functions", "dashboard", "infra", "ops", "local")
DAYS = 12


@pytest.fixture
def changed(tmp_path):
    """A copy of the code with the page's diff in it."""
    copy = tmp_path / "copy"
    for name in CODE:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.glob("*.*"):
        if path.is_file():
            shutil.copy(path, copy)
    (copy / "requirements").symlink_to(ROOT / "requirements")
    page = (ROOT / "docs" / "adding-a-figure.md").read_text(encoding="utf-8")
    (diff,) = re.findall(r"```diff\n(.*?)```", page, re.DOTALL)
    subprocess.run(["git", "apply"], cwd=copy, input=diff, text=True, check=True)
    return copy


def run(folder, *command):
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(shutil.which("git") is None, reason="no git, which applies the diff")
@pytest.mark.parametrize("store", ["timestream", pytest.param("dynamodb", marks=pytest.mark.long)])
def test_days_of_before_stay_what_they_are_and_the_next_run_enters_each_once_more(tmp_path, changed, store):
    dates = [date(number) for number in range(1, DAYS + 1)]
    (tmp_path / "nyt.csv").write_bytes(
        nyt(*(f"{day},{1_000 + number},9" for number, day in enumerate(dates)))
    )
    (tmp_path / "jhu.csv").write_bytes(jhu(*(f"{day},{n}" for n, day in enumerate(dates))))
    sources = f"{tmp_path / 'nyt.csv'},{tmp_path / 'jhu.csv'}"
    kept = tmp_path / "kept"
    up = ["local", "up", "--once", "--state", kept, "--sources", sources]

    run(ROOT, *up, "--store", store)
    ops = ["ops", "--state", kept]
    before = json.loads(run(ROOT, *ops, "days", "--json"))
    assert "Every invariant holds" in run(changed, *ops, "verify")
    expected = [day | {"confirmed": None} for day in before]
    assert json.loads(run(changed, *ops, "days", "--json")) == expected

    assert f"0 inserted,  {DAYS} updated" in run(changed, *up)
    assert "Every invariant holds" in run(changed, *ops, "verify")
    history = json.loads(run(changed, *ops, "history", str(dates[0]), "--json"))
    assert [entry["confirmed"] for entry in history] == [None, 100]
