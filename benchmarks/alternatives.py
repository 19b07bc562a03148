"""``make alternatives``: other ways of keeping the record, run on the same publishing history.

Each runs once a day at noon and gets the same days. A malformed file, which Daybook refuses, gives the others
what a plain reader makes of it. dbt, delta-rs and git are the real ones, of the versions in alternatives.txt.
"""

import datetime as dt
import json
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import click
import duckdb
import pandas as pd

from benchmarks.history import END, START, archived
from benchmarks.inputs import DATA, ROOT
from functions.errors import SourceRefused
from functions.history import NOON
from functions.transform import transform
from local.kept import opened
from local.play import moments
from schemas.day import Day

sys.path.append(str(ROOT / ".daybook" / "alternatives"))  # behind our own versions of what both need
TABLE = "CREATE OR REPLACE TABLE {} (date DATE PRIMARY KEY, cases INT, deaths INT, recovered INT)"
Rows = frozenset[tuple[dt.date, int, int, int | None]]
Question = Any  # what an alternative is asked for the table of an evening


@dataclass(frozen=True)
class Evening:
    """One day's files; the table that they come to; and what a plain reader makes of them."""

    moment: dt.datetime
    files: Mapping[str, bytes]
    truth: Rows
    plain: Rows
    is_refused: bool = False


def evenings() -> Iterator[Evening]:
    """The days, oldest first. A refused file leaves the table as it was."""
    nyt, jhu = archived()
    truth: Rows = frozenset()
    for moment in moments(START, END, NOON):
        files = {"nyt": nyt.at(moment) or b"", "jhu": jhu.at(moment) or b""}
        try:
            truth = rows(transform(files, moment.date()).days)
            yield Evening(moment, files, truth, truth)
        except SourceRefused:
            yield Evening(moment, files, truth, plain(files), is_refused=True)


def rows(days: Iterable[Day]) -> Rows:
    return frozenset((day.date, day.counts.cases, day.counts.deaths, day.counts.recovered) for day in days)


def plain(files: Mapping[str, bytes]) -> Rows:
    """Both files joined by date; a date that can't be parsed is dropped."""
    with TemporaryDirectory() as folder, duckdb.connect() as database:
        for source, text in files.items():
            (Path(folder) / f"{source}.csv").write_bytes(text)
        joined = database.execute(
            "SELECT try_cast(nyt.date AS DATE), nyt.cases, nyt.deaths, jhu.Recovered "  # noqa: S608 our folder
            f"FROM read_csv('{folder}/nyt.csv', types={{'date': 'VARCHAR'}}) nyt "
            f"JOIN read_csv('{folder}/jhu.csv', types={{'Date': 'VARCHAR'}}) jhu "
            "ON try_cast(nyt.date AS DATE) = try_cast(jhu.Date AS DATE) WHERE jhu.Country = 'US'"
        )
        return frozenset(joined.fetchall())


def frame(rows: Rows) -> pd.DataFrame:
    table = pd.DataFrame(sorted(rows), columns=["date", "cases", "deaths", "recovered"])
    return table.astype({"recovered": "Int64"})


class Alternative(ABC):
    """A way of keeping the record in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def keep(self, evening: Evening) -> Question:
        """Take one day's figures; what ``table`` is asked for this evening's, None where it can't be."""

    @abstractmethod
    def table(self, question: Question = None) -> Rows:
        """The table of today, or of an evening."""

    def size(self) -> int:
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


class NewestDate(Alternative):
    """Insert the days after the newest that the table has."""

    INSERT = (
        "INSERT INTO days SELECT * FROM new WHERE date > (SELECT coalesce(max(date), '1970-01-01') FROM days)"
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.database = duckdb.connect(str(folder / "record.duckdb"))
        self.database.execute(TABLE.format("days"))

    def keep(self, evening: Evening) -> Question:
        self.database.register("new", frame(evening.plain))
        self.database.execute(self.INSERT)

    def table(self, question: Question = None) -> Rows:  # noqa: ARG002 it has one table
        return frozenset(self.database.execute("FROM days").fetchall())


class Overwrite(NewestDate):
    """Replace the whole table every night."""

    INSERT = f"{TABLE.format('days')}; INSERT INTO days FROM new"


class GitScraping(Alternative):
    """Commit both files as they are; a table is computed from a commit's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.git("init", "-q")

    def git(self, *arguments: str) -> bytes:
        author = {
            f"GIT_{who}_{what}": "scraper" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        command = ["git", "-C", str(self.folder), *arguments]
        # A command and arguments of this file's own.
        return subprocess.run(command, env=os.environ | author, capture_output=True, check=True).stdout  # noqa: S603

    def keep(self, evening: Evening) -> Question:
        for source, text in evening.files.items():
            (self.folder / f"{source}.csv").write_bytes(text)
        self.git("add", ".")
        self.git("commit", "-q", "--allow-empty", "-m", f"{evening.moment}")
        return self.git("rev-parse", "HEAD").decode().strip(), evening.moment.date()

    def table(self, question: Question = None) -> Rows:
        commit, today = question or ("HEAD", END)
        files = {source: self.git("show", f"{commit}:{source}.csv") for source in ("nyt", "jhu")}
        try:
            return rows(transform(files, today).days)
        except SourceRefused:
            return plain(files)

    def size(self) -> int:
        self.git("gc", "-q", "--aggressive")
        return sum(path.stat().st_size for path in (self.folder / ".git").rglob("*") if path.is_file())


class DbtSnapshots(Alternative):
    """dbt snapshots, strategy ``check`` over all columns: slowly changing dimensions of type 2."""

    FILES: ClassVar[Mapping[str, str]] = {
        "dbt_project.yml": "{name: record, profile: record, version: 1.0.0, snapshot-paths: [snapshots], "
        "flags: {send_anonymous_usage_stats: false}}",
        "snapshots/days.sql": "{% snapshot days %} {{ config(unique_key='date', strategy='check', "
        "check_cols='all', target_schema='main') }} SELECT * FROM main.published {% endsnapshot %}",
    }
    COLUMNS = "date, cases, deaths, recovered"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        # No package of ours: make alternatives installs it, and only this way of keeping needs it.
        from dbt.cli.main import dbtRunner  # type: ignore[import-not-found] # noqa: PLC0415

        self.path = folder / "record.duckdb"
        (folder / "snapshots").mkdir()
        output = {"type": "duckdb", "path": str(self.path)}
        profile = json.dumps({"record": {"target": "local", "outputs": {"local": output}}})
        for name, text in {**self.FILES, "profiles.yml": profile}.items():
            (folder / name).write_text(text, encoding="utf-8")
        self.runner = dbtRunner()

    def ask(self, sql: str) -> list[Any]:
        with duckdb.connect(str(self.path)) as database:
            return database.execute(sql).fetchall()

    def keep(self, evening: Evening) -> Question:
        with duckdb.connect(str(self.path)) as database:
            database.execute(TABLE.format("published"))
            database.register("new", frame(evening.plain))
            database.execute("INSERT INTO published FROM new")
        options = ["--project-dir", str(self.folder), "--profiles-dir", str(self.folder), "--quiet"]
        outcome = self.runner.invoke(["snapshot", *options])
        if not outcome.success:
            raise click.ClickException(f"dbt: {outcome.exception or outcome.result}")
        return self.ask(
            "SELECT max(greatest(dbt_valid_from, coalesce(dbt_valid_to, dbt_valid_from))) FROM days"
        )[0][0]

    def table(self, question: Question = None) -> Rows:
        now = "dbt_valid_to IS NULL"
        then = f"dbt_valid_from <= '{question}' AND coalesce(dbt_valid_to > '{question}', true)"
        # Columns and a moment of this file's own.
        return frozenset(self.ask(f"SELECT {self.COLUMNS} FROM days WHERE {then if question else now}"))  # noqa: S608

    def size(self) -> int:
        return self.path.stat().st_size


class DeltaLake(Alternative):
    """A Delta table that is overwritten every night; time travel goes by its version."""

    def keep(self, evening: Evening) -> Question:
        # As dbt above.
        from deltalake import DeltaTable, write_deltalake  # type: ignore[import-not-found] # noqa: PLC0415

        write_deltalake(self.folder, frame(evening.plain), mode="overwrite")
        return DeltaTable(self.folder).version()

    def table(self, question: Question = None) -> Rows:
        # As dbt above.
        from deltalake import DeltaTable  # type: ignore[import-not-found] # noqa: PLC0415

        stored = DeltaTable(self.folder, version=question).to_pyarrow_table()
        return frozenset(duckdb.from_arrow(stored).fetchall())


class Daybook(Alternative):
    """The whole system, played as it is deployed; then it is asked what it believed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        options = {"nyt": DATA / "published" / "nyt_us.tar.xz", "start": START, "out": folder / "out"}
        options |= {
            "jhu": DATA / "published" / "jhu_countries_aggregated.tar.xz",
            "end": END,
            "state": folder / "state",
        }
        play = [sys.executable, "-W", "ignore", "-m", "local", "play"]
        command = play + [part for name, value in options.items() for part in (f"--{name}", str(value))]
        # Our own program, with dates and paths of this file's own.
        subprocess.run(command, capture_output=True, check=True)  # noqa: S603
        with opened(folder / "state", reading=True) as stack:
            self.tables = stack.tables

    def keep(self, evening: Evening) -> Question:
        return evening.moment + dt.timedelta(hours=1)

    def table(self, question: Question = None) -> Rows:
        return rows(row.day for row in (self.tables.as_of(question) if question else self.tables.daily()))

    def size(self) -> int:
        return sum(path.stat().st_size for path in (self.folder / "state").rglob("*") if path.is_file())


ALTERNATIVES: Mapping[str, type[Alternative]] = {
    "newest date": NewestDate,
    "overwritten every night": Overwrite,
    "git scraping": GitScraping,
    "dbt snapshots": DbtSnapshots,
    "Delta Lake": DeltaLake,
    "Daybook": Daybook,
}


def measure(kind: type[Alternative], days: list[Evening]) -> dict[str, int]:
    """What an alternative comes to. An entry is a day with values that the sources published for it."""
    with TemporaryDirectory() as folder:
        begun = cpu_seconds()
        alternative = kind(Path(folder))
        questions, tables = [], []
        for evening in days:
            questions.append(alternative.keep(evening))
            tables.append(alternative.table(questions[-1] if kind is Daybook else None))
        seconds = cpu_seconds() - begun
        then = [alternative.table(question) for question in questions if question is not None]
        entries = frozenset().union(*(then or [alternative.table()]))
        true = frozenset().union(*(evening.truth for evening in days))
        wrong = [len({row[0] for row in table ^ day.truth}) for table, day in zip(tables, days, strict=True)]
        return {
            "days wrong at the end": wrong[-1],
            "evenings with a wrong table": sum(map(bool, wrong)),
            "evenings answered rightly later": sum(
                table == day.truth for table, day in zip(then, days, strict=False)
            ),
            "entries kept": len(entries & true),
            "rows kept that were never true": len(entries - true),
            "kilobytes": round(alternative.size() / 1000),
            "CPU seconds": round(seconds),
        }


def cpu_seconds() -> float:
    """CPU time of this process and of the programs that it ran."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Run the alternatives, or those of NAMES, and print what each comes to."""
    days = list(evenings())
    entries = len(frozenset().union(*(evening.truth for evening in days)))
    refused = sum(evening.is_refused for evening in days)
    click.echo(f"{len(days)} evenings, {refused} with a malformed file; {entries} entries")
    for name in names or ALTERNATIVES:
        click.echo(f"\n{name}")
        for what, figure in measure(ALTERNATIVES[name], days).items():
            click.echo(f"  {what:<34}{figure:>6,}")


if __name__ == "__main__":
    main()
