"""The real publishing history, played through the whole: the tables end as the files say, entry by entry."""

import csv
import datetime as dt
import json
import lzma
import subprocess
import sys
from pathlib import Path

import pytest
import truth
from system import system

from schemas.ledger import COMPLETED
from storage import csv_files

pytestmark = [pytest.mark.cloud, pytest.mark.data]

ROOT = Path(__file__).resolve().parent.parent
NOON = dt.time(12)


def played(data, out, jhu, start, end, store="timestream"):
    """What `python -m local play` writes of this window."""
    published = data / "published"
    command = [sys.executable, "-m", "local", "play", "--nyt", published / "nyt_us.tar.xz"]
    command += ["--jhu", published / f"{jhu}.tar.xz", "--start", start, "--end", end, "--time", "12:00"]
    command += ["--store", store]
    done = subprocess.run(
        [str(part) for part in [*command, "--out", out]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = truth.play(
        published / "nyt_us.tar.xz",
        published / f"{jhu}.tar.xz",
        dt.date.fromisoformat(start),
        dt.date.fromisoformat(end),
        NOON,
    )
    return expected, done.stdout


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def figures(row):
    return (int(row["cases"]), int(row["deaths"]), int(row["recovered"]) if row["recovered"] else None)


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def moment(text):
    return dt.datetime.fromisoformat(text)


def assert_as_published(out, expected):
    """Every day, every entry and every run is as the files say, and there is not one more."""
    days, revisions, runs = expected
    assert {row["date"]: figures(row) for row in table(out / "days.csv")} == days
    entered = [
        (
            moment(row["recorded_at"]),
            row["date"],
            figures(row),
            ("recorded", "revised")[row["revision"] != "1"],
        )
        for row in table(out / "revisions.csv")
    ]
    assert sorted(entered, key=str) == sorted(revisions, key=str)
    told = [
        (moment(run["scheduled_at"]), run["state"], run["inserted"], run["updated"])
        for run in lines(out / "runs.jsonl")
    ]
    assert told == runs
    for run in lines(out / "runs.jsonl"):
        sets = ("inserted", "updated", "duplicate", "superseded", "failed")
        assert run["pending"] == sum(run[name] for name in sets)
    notices = lines(out / "notices.jsonl")
    assert [moment(notice["scheduled_at"]) for notice in notices] == [run[0] for run in runs]
    topics = {"completed": "daily-report", "failed": "alerts"}
    assert [notice["topic"] for notice in notices] == [topics[run[1]] for run in runs]
    assert all(len(notice["sms"]) <= 160 and len(notice["subject"]) < 100 for notice in notices)


def test_four_months_of_countries_aggregated_end_with_no_day_wrong(data, tmp_path):
    expected, printed = played(data, tmp_path / "out", "jhu_countries_aggregated", "2020-09-02", "2020-12-31")
    days, revisions, runs = expected
    assert (len(days), len(revisions), max(days)) == (343, 882, "2020-12-29")
    assert [run[0].date().isoformat() for run in runs if run[1] == "failed"] == ["2020-09-02", "2020-09-03"]
    assert days["2020-12-29"][2] is None
    assert_as_published(tmp_path / "out", expected)
    assert printed.startswith("121 runs: 119 completed, 2 rejected. 343 days, 539 restated entries.")
    for number, line in enumerate(lines(tmp_path / "out" / "runs.jsonl")):
        if line["state"] == "failed":
            assert "2020-" in line["reasons"][0]
            assert "is not a date written YYYY-MM-DD" in line["reasons"][0]
            assert number < 2


@pytest.mark.parametrize("store", ["timestream", pytest.param("dynamodb", marks=pytest.mark.long)])
def test_the_older_layout_with_lat_and_long_is_taken_over_its_window(data, tmp_path, store):
    window = "2020-09-02", "2020-10-15"
    expected, _ = played(data, tmp_path / "out", "jhu_combined", *window, store)
    assert_as_published(tmp_path / "out", expected)


@pytest.mark.parametrize(
    ("jhu", "store"),
    [
        ("jhu_combined", "timestream"),
        ("jhu_countries_aggregated", "timestream"),
        ("jhu_countries_aggregated", "dynamodb"),
    ],
)
def test_both_full_files_load_in_one_run_and_the_report_is_right_in_every_number(data, tmp_path, jhu, store):
    nyt = (data / "full" / "nyt_us.csv").read_bytes()
    recoveries = lzma.decompress((data / "full" / f"{jhu}.csv.xz").read_bytes())
    today = dt.date(2020, 12, 31)
    expected = truth.figures(nyt.decode(), recoveries.decode(), today) or {}
    with system(store=store) as daybook:
        daybook.moment = dt.datetime.combine(today, NOON, dt.UTC)
        daybook.publisher.files.update({"nyt": nyt, "jhu": recoveries})
        run = daybook.run()
        (tmp_path / "days.csv").write_text(csv_files.days(daybook.cloud.tables.daily()))
        (report,) = daybook.told("daily-report")
        assert daybook.told("alerts") == []
        daybook.agrees()
    assert {row["date"]: figures(row) for row in table(tmp_path / "days.csv")} == expected
    assert (run.state, len(run.inserted), len(run.updated)) == (COMPLETED, len(expected), 0)
    first, last = min(expected), max(expected)
    assert report.subject == f"Daybook: {len(expected)} rows inserted, 0 updated, through {last}"
    text = report.text("email")
    assert f"Rows inserted              {len(expected)}   {first} to {last}" in text
    assert f"Last acknowledged date: {last}" in text
    assert "recoveries since 2020-12-14" in text
    assert report.text("sms").startswith(
        f"Daybook: {len(expected)} inserted, 0 updated ({first} to {last}). Through {last}."
    )
