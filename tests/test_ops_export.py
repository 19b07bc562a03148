"""The record in forms that other tools load, and each of them back to the same entries."""

import csv
import datetime as dt
import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from dashboards import DAYS, NOW, RESTATED, FakeReader, counts, empty, row
from frictionless import Package

from ops.__main__ import run
from ops.commands.export import forms
from ops.errors import CONFIGURATION, PENDING, USAGE
from ops.stack import Stack
from schemas.figures import Counts
from schemas.moment import moment, version
from storage.tables import Row

Entry = tuple[dt.date, int, Counts]
ONE_DAY = dt.timedelta(days=1)


def stack(reader: FakeReader, **facts: str) -> Stack:
    made = Stack("made up", facts, lambda _: None, lambda: NOW)
    made.__dict__.update(tables=reader, ledger=reader)  # in the place of its clients
    return made


def entry(row: Row) -> Entry:
    return row.day.date, row.version, row.day.counts


def kept() -> list[Row]:
    """The made-up record; and a day that was entered twice on one date, the second time with equal figures
    and once more with recoveries taken back."""
    noon = dt.datetime(2020, 7, 1, 12, tzinfo=dt.UTC)
    first, hour = counts(DAYS), dt.timedelta(hours=1)
    taken = Counts(first.cases, first.deaths, None)
    more = [row(DAYS, first, noon), row(DAYS, first, noon + hour), row(DAYS, taken, noon + 30 * hour)]
    return [*FakeReader().kept, *more]


@pytest.fixture
def reader() -> FakeReader:
    return FakeReader(kept=kept())


def exported(form: str, folder: Path, reader: FakeReader, **facts: str) -> Path:
    assert run(["export", "--as", form, str(folder)], stack(reader, **facts)) == 0
    return folder


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read(line: dict[str, str], date: str = "date", when: str = "recorded_at") -> Entry:
    """An entry in a line; what is no number is not reported."""
    values = {
        name: int(line[name]) if line[name].isdigit() else None for name in ("cases", "deaths", "recovered")
    }
    return dt.date.fromisoformat(line[date]), version(moment(line[when])), Counts.read(values)


def from_package(folder: Path) -> list[Entry]:
    return [read(line) for line in lines(folder / "entries.csv")]


def from_epi_archive(folder: Path) -> list[Entry]:
    return [read(line, "time_value", "version") for line in lines(folder / "epi_archive.csv")]


def from_parquet(folder: Path) -> list[Entry]:
    query = "SELECT date, epoch_ms(recorded_at), cases, deaths, recovered FROM read_parquet(?) ORDER BY ALL"
    with duckdb.connect() as database:
        rows = database.execute(query, [str(folder / "entries.parquet")]).fetchall()
    return [(date, at, Counts(*values)) for date, at, *values in rows]


def from_alfred(folder: Path) -> list[Entry]:
    table = pd.read_csv(folder / "observations.csv", na_values=".", dtype={"value": "Int64"})
    wide = table.pivot(index=["date", "recorded_at"], columns="series_id", values="value").reset_index()
    entries: list[Entry] = []
    for line in wide.to_dict("records"):
        values = {name: line[f"US_{name.upper()}"] for name in ("cases", "deaths", "recovered")}
        counts = Counts.read({name: int(value) for name, value in values.items() if not pd.isna(value)})
        entries.append((dt.date.fromisoformat(line["date"]), version(moment(line["recorded_at"])), counts))
    return entries


READERS = {
    "package": from_package,
    "epi_archive": from_epi_archive,
    "parquet": from_parquet,
    "alfred": from_alfred,
}


def test_there_is_a_reader_here_for_each_form():
    assert sorted(READERS) == forms()


@pytest.mark.parametrize("form", READERS)
def test_each_form_comes_back_as_the_same_entries(form, reader, tmp_path, capsys):
    folder = exported(form, tmp_path / "made" / form, reader)
    assert READERS[form](folder) == list(map(entry, kept()))
    assert capsys.readouterr().out == f"{folder}\n"


@pytest.mark.parametrize("form", ["package", "epi_archive", "alfred"])
def test_frictionless_finds_nothing_amiss(form, reader, tmp_path):
    package = Package(exported(form, tmp_path, reader) / "datapackage.json")
    report = package.validate()
    assert report.valid, report.flatten(["type", "note", "message"])
    assert sum(task.stats.get("rows", 0) for task in report.tasks) >= len(kept())


def test_frictionless_finds_what_is_amiss(reader, tmp_path):
    path = exported("package", tmp_path, reader) / "entries.csv"
    path.write_text(path.read_text().replace(",US,", ",,", 1))
    report = Package(tmp_path / "datapackage.json").validate()
    assert "constraint-error" in {kind for (kind,) in report.flatten(["type"])}


@pytest.mark.parametrize("form", READERS)
def test_beside_the_files_stands_what_they_are_and_whose(form, reader, tmp_path):
    about = json.loads((exported(form, tmp_path, reader) / "datapackage.json").read_text())
    assert {path.name for path in tmp_path.iterdir()} == {
        "datapackage.json",
        *(resource["path"] for resource in about["resources"]),
    }
    assert [source["title"].partition(":")[0] for source in about["sources"]] == [
        "The New York Times",
        "COVID-19 Data Repository by CSSE at Johns Hopkins University",
    ]
    assert about["licenses"][1]["name"] == "CC-BY-4.0"
    for resource in about["resources"]:
        units = {field.get("unit") for field in resource["schema"]["fields"]}
        assert "cumulative persons" in units
        assert resource["bytes"] == (tmp_path / resource["path"]).stat().st_size


def test_made_up_figures_are_nobody_s_and_called_that(reader, tmp_path):
    about = json.loads(
        (exported("package", tmp_path, reader, synthetic="true") / "datapackage.json").read_text()
    )
    assert "made up" in about["description"]
    assert not about.keys() & {"sources", "licenses"}


def test_the_days_of_the_package_are_the_newest_entries(reader, tmp_path):
    folder = exported("package", tmp_path, reader)
    newest = {date: (date, at, values) for date, at, values in map(entry, kept())}
    assert [read(line) for line in lines(folder / "days.csv")] == list(newest.values())


def test_parquet_has_types(reader, tmp_path):
    folder = exported("parquet", tmp_path, reader)
    with duckdb.connect() as database:
        found = database.execute(
            "DESCRIBE FROM read_parquet(?)", [str(folder / "entries.parquet")]
        ).fetchall()
    assert {name: kind for name, kind, *_ in found} == {
        "date": "DATE",
        "region": "VARCHAR",
        **dict.fromkeys(("cases", "deaths", "recovered", "revision", "lag"), "INTEGER"),
        "recorded_at": "TIMESTAMP WITH TIME ZONE",
    }


@pytest.mark.parametrize(
    "date", ["2020-02-01", "2020-06-19", "2020-06-20", "2020-07-01", "2020-07-02", "2031-01-01"]
)
def test_alfred_s_periods_say_what_was_known_when_a_date_ended(date, reader, tmp_path):
    believed = {row.day.date.isoformat(): row for row in kept() if row.recorded_at.date().isoformat() <= date}
    for name in ("cases", "deaths", "recovered"):
        known = {
            line["date"]: line["value"]
            for line in lines(exported("alfred", tmp_path, reader) / "observations.csv")
            if line["series_id"] == f"US_{name.upper()}"
            and line["realtime_start"] <= date <= line["realtime_end"]
        }
        values = {day: row.day.counts.values[name] for day, row in believed.items()}
        assert known == {day: "." if value is None else str(value) for day, value in values.items()}


def test_a_second_export_takes_the_place_of_the_first(reader, tmp_path):
    before = {path.name: path.read_bytes() for path in exported("package", tmp_path, FakeReader()).iterdir()}
    exported("package", tmp_path, reader)
    assert len(lines(tmp_path / "entries.csv")) == len(kept())
    exported("package", tmp_path, FakeReader())
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_without_a_record_nothing_is_written(tmp_path, capsys):
    assert run(["export", "--as", "package", str(tmp_path / "none")], stack(empty())) == CONFIGURATION
    assert not (tmp_path / "none").exists()
    assert "There is no record to export." in capsys.readouterr().err


def test_a_store_that_trails_is_not_taken_for_the_whole_record(tmp_path, capsys):
    reader = FakeReader(hidden={RESTATED[0]})
    assert run(["export", "--as", "parquet", str(tmp_path / "none")], stack(reader)) == PENDING
    assert not (tmp_path / "none").exists()
    assert "The store shows 121 of 123 entries." in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--as", "xlsx", "there"], ["there"], ["--as", "package"]])
def test_a_form_that_is_none_or_no_folder_is_refused(words, capsys):
    assert run(["export", *words], stack(FakeReader())) == USAGE
    told = capsys.readouterr().err
    assert told.startswith("Error: ")
    assert told.endswith("See: daybook export --help\n")


def test_a_folder_that_is_a_file_is_a_line(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        assert run(["export", "--as", "parquet", str(place)], stack(FakeReader())) == USAGE
        assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("form", READERS)
def test_a_file_that_can_t_be_written_is_named_in_a_line(form, reader, tmp_path, capsys):
    name = sorted(path.name for path in exported(form, tmp_path / "there", reader).iterdir())[-1]
    (tmp_path / "here" / name).mkdir(parents=True)
    capsys.readouterr()
    assert run(["export", "--as", form, str(tmp_path / "here")], stack(reader)) == USAGE
    assert f"{name}: Is a directory." in capsys.readouterr().err


@pytest.mark.parametrize("form", READERS)
def test_a_folder_may_be_called_anything(form, reader, tmp_path):
    folder = exported(form, tmp_path / 'it\'s a "folder", 50 % – ?*[x]', reader)
    assert READERS[form](folder) == list(map(entry, kept()))
