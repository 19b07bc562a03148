"""Every block of docs/data.md is run on a record in which its answer is known."""

import csv
import datetime as dt
import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dashboard import vintages
from schemas import columns
from schemas.day import Day
from schemas.figures import Counts
from schemas.moment import version
from storage import csv_files
from storage.tables import Row

PAGE = Path(__file__).resolve().parent.parent / "docs" / "data.md"
QUESTION = re.compile(r"^### (.+?)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```(python|sql|r)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FIRST, DAYS = dt.date(2020, 10, 10), 15
RESTATED = {dt.date(2020, 10, 12): 18, dt.date(2020, 10, 15): 21, dt.date(2020, 10, 20): 22}  # … in October
LINES = 5
Answer = list[tuple[str, ...]]


def entry(date: dt.date, cases: int, recovered: int | None, at: dt.datetime) -> Row:
    return Row(Day(date, Counts(cases, 1, recovered)), version(at), "an event", "a run")


def record() -> list[Row]:
    """Each date entered at noon of the next; three entered again, and one of them without recoveries; one
    entered in the last and one in the first millisecond of a date."""
    noon, rows = dt.time(12), []
    for number in range(DAYS):
        date = FIRST + dt.timedelta(days=number)
        cases = 1_000 + 100 * number
        rows.append(
            entry(date, cases, number, dt.datetime.combine(date, noon, dt.UTC) + dt.timedelta(days=1))
        )
        if date in RESTATED:
            later = dt.datetime(2020, 10, RESTATED[date], 12, tzinfo=dt.UTC)
            rows.append(entry(date, cases + 50, None, later))
        if number == 8:
            midnight = dt.datetime(2020, 10, 20, tzinfo=dt.UTC)
            rows += [entry(date, 7, 1, midnight - dt.timedelta(milliseconds=1)), entry(date, 8, 1, midnight)]
    return sorted(rows, key=lambda row: (row.day.date, row.version))


def lines(rows: list[Row]) -> Answer:
    """Date, revision, cases and recoveries of each."""
    names = [column.name for column in columns.ENTRIES]
    every = {
        (line[0], line[-1]): dict(zip(names, line, strict=True)) for line in csv_files.entry_lines(record())
    }
    chosen = [every[line[0], line[-1]] for line in csv_files.day_lines(rows)]
    wanted = ("date", "revision", "cases", "recovered")
    return [tuple("" if line[name] is None else str(line[name]) for name in wanted) for line in chosen]


def oldest(rows: list[Row]) -> list[Row]:
    return newest(rows[::-1])[::-1]


def newest(rows: list[Row]) -> list[Row]:
    return list({row.day.date: row for row in rows}.values())


def off() -> Answer:
    first = {row.day.date: row.day.counts.cases for row in reversed(record())}
    last = {row.day.date: row.day.counts.cases for row in record()}
    return [
        (str(date), str(first[date]), str(cases), f"{abs(first[date] - cases) / cases:.9f}")
        for date, cases in last.items()
    ]


END = dt.datetime(2020, 10, 20, tzinfo=dt.UTC)
EXPECTED: dict[str, Any] = {
    "What is known now?": lambda: lines(newest(record())),
    "What was known when 19 October 2020 ended?": lambda: lines(
        newest([row for row in record() if row.recorded_at < END])
    ),
    "What was released first?": lambda: lines(oldest(record())),
    "What was ever released for 15 October 2020?": lambda: lines(
        [row for row in record() if row.day.date == dt.date(2020, 10, 15)]
    ),
    "How wrong is a first release?": off,
}


def blocks() -> list[tuple[str, str, str]]:
    """Question, language and code of each block."""
    text = PAGE.read_text(encoding="utf-8").partition("## Five questions")[2]
    return [
        (question, language, code)
        for question, section in QUESTION.findall(text)
        for language, code in BLOCK.findall(section)
    ]


def python(code: str, folder: Path) -> list[dict[str, Any]]:
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 our own page
    return list(csv.DictReader(io.StringIO(names["answer"].to_csv(index=False))))


def sql(code: str, folder: Path) -> list[dict[str, Any]]:
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'Asia/Tokyo'")  # whatever the reader's is
        found = database.sql(code)
        # DuckDB makes a moment with its zone by pytz, which isn't here.
        names = [name for name in found.columns if name != "recorded_at"]
        return [dict(zip(names, row, strict=True)) for row in found.select(*names).fetchall()]


def r(code: str, folder: Path) -> list[dict[str, Any]]:
    script = folder / "block.R"
    script.write_text(f"{code}\nwrite.csv(answer, stdout(), row.names = FALSE, na = '')\n", encoding="utf-8")
    said = subprocess.run(
        ["Rscript", "--vanilla", str(script)], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    return list(csv.DictReader(io.StringIO(said)))


RUN = {"python": python, "sql": sql, "r": r}


def answer(rows: list[dict[str, Any]]) -> Answer:
    """The columns that are compared: no ``.0`` behind a whole number, and as many decimals as matter."""
    if rows and "off" in rows[0]:
        return [
            (str(row["date"]), str(row["released"]), str(row["stands"]), f"{float(row['off']):.9f}")
            for row in rows
        ]
    return [
        (
            str(row["date"]),
            str(row["revision"]),
            str(row["cases"]),
            "" if row["recovered"] in {None, ""} else str(int(float(row["recovered"]))),
        )
        for row in rows
    ]


def test_each_question_is_answered_in_each_language_in_five_lines():
    found = blocks()
    assert [(question, language) for question, language, _ in found] == [
        (question, language) for question in EXPECTED for language in RUN
    ]
    assert max(len(list(filter(str.strip, code.splitlines()))) for _, _, code in found) <= LINES


@pytest.mark.parametrize(("question", "language", "code"), blocks())
def test_a_block_gives_its_answer(question, language, code, tmp_path, monkeypatch):
    if language == "r" and not shutil.which("Rscript"):
        pytest.skip("no Rscript here: the blocks in R are not run")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "entries.csv").write_text(csv_files.revisions(record()), encoding="utf-8")
    expected = EXPECTED[question]()
    assert expected
    assert answer(RUN[language](code, tmp_path)) == expected


def test_the_page_has_every_column_and_parameter():
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", text))
    assert {column.name for column in columns.ENTRIES} <= named
    assert {name for names in vintages.PARAMETERS.values() for name in names} <= named
    assert f"at most {vintages.MAX_ISSUES} dates" in text
    assert f"at most {vintages.MAX_ENTRIES:,} entries" in text
