"""A Timestream table: the newest record of each identity, and the rows that queries see, in DuckDB.

Writes are checked against a dict and noted; DuckDB gets them when somebody asks. That makes a call of 100
records cheap, and lets rows become visible late.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from local.timestream.records import Identity, Record, Rejected

ROW_ID = '"#row"'
HIDDEN = '"#rows"'  # the schema of what lies behind the views; no database can be named so
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def open_store() -> duckdb.DuckDBPyConnection:
    """In memory, and closed to the outside: no files, no extensions, no Python variables."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "enable_external_access": False,
            "autoload_known_extensions": False,
            "autoinstall_known_extensions": False,
            "python_enable_replacements": False,
            "memory_limit": "1GB",
            "threads": 2,
        },
    )
    connection.execute("SET TimeZone = 'UTC'")
    # The one function of Timestream's that is sent to it and that DuckDB calls otherwise.
    connection.execute("CREATE MACRO from_milliseconds(ms) AS epoch_ms(CAST(ms AS BIGINT))")
    connection.execute(f"CREATE SCHEMA {HIDDEN}")
    connection.execute("SET lock_configuration = true")
    return connection


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@dataclass
class Table:
    connection: duckdb.DuckDBPyConnection
    serial: int
    database: str
    name: str
    memory_hours: int
    magnetic_days: int
    magnetic_writes: dict[str, Any]
    created: datetime
    updated: datetime
    columns: dict[str, str] = field(default_factory=lambda: {"measure_name": "VARCHAR", "time": "TIMESTAMP"})
    dimensions: list[str] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)  # measure name -> MULTI, or its one type
    entries: dict[Identity, tuple[int, Record]] = field(default_factory=dict)  # row id and newest record
    pending: list[tuple[datetime, int, Record]] = field(default_factory=list)  # visible at, row id, record
    loaded: set[str] = field(default_factory=set)  # columns that DuckDB knows

    def __post_init__(self) -> None:
        self.rows = f"{HIDDEN}.rows_{self.serial}"
        self.view = f"{quoted(self.database)}.{quoted(self.name)}"
        self.connection.execute(f"CREATE TABLE {self.rows} ({ROW_ID} BIGINT)")
        self._load_columns()

    def drop(self) -> None:
        self.connection.execute(f"DROP VIEW {self.view}; DROP TABLE {self.rows}")

    def ordered_columns(self) -> list[str]:
        """In the service's order: dimensions, measure_name, time, measures."""
        first = [*self.dimensions, "measure_name", "time"]
        return [*first, *(name for name in self.columns if name not in first)]

    def windows(self, now: datetime) -> tuple[datetime, datetime]:
        """Since when the memory store keeps records, and since when the magnetic store does."""
        return now - timedelta(hours=self.memory_hours), now - min(
            timedelta(days=self.magnetic_days), now - EPOCH
        )

    def write(self, record: Record, visible_at: datetime) -> None:
        """The same version with the same values changes nothing. Raises Rejected."""
        self._check_schema(record)
        row_id, existing = self.entries.get(record.identity, (len(self.entries), None))
        if existing is not None:
            if record.version == existing.version and record.measures == existing.measures:
                return
            if record.version <= existing.version:
                raise Rejected(_conflict(record.version, existing.version), existing.version)
        self._extend_schema(record)
        self.entries[record.identity] = row_id, record
        self.pending.append((visible_at, row_id, record))

    def load(self, now: datetime) -> None:
        """Brings DuckDB up to what is visible now: old enough to be seen, young enough to be kept."""
        due = {row_id: record for visible_at, row_id, record in self.pending if visible_at <= now}
        self.pending = [later for later in self.pending if later[0] > now]
        self._load_columns()
        if due:
            self._load_rows(due)
        oldest = min(self.windows(now)).replace(tzinfo=None)
        self.connection.execute(f"DELETE FROM {self.rows} WHERE time < $1", [oldest])  # noqa: S608

    def _load_columns(self) -> None:
        new = [name for name in self.columns if name not in self.loaded]
        if not new:
            return
        for name in new:
            self.connection.execute(f"ALTER TABLE {self.rows} ADD COLUMN {quoted(name)} {self.columns[name]}")
        self.loaded.update(new)
        shown = ", ".join(map(quoted, self.ordered_columns()))
        self.connection.execute(f"CREATE OR REPLACE VIEW {self.view} AS SELECT {shown} FROM {self.rows}")  # noqa: S608

    def _load_rows(self, due: dict[int, Record]) -> None:
        rows, names = [record.row() for record in due.values()], list(self.columns)
        values = ["unnest($1::BIGINT[])"]
        for position, kind in enumerate(self.columns.values(), start=2):
            stamp = f"make_timestamp(unnest(${position}::BIGINT[]))"
            values.append(stamp if kind == "TIMESTAMP" else f"unnest(${position}::{kind}[])")
        into, ids = ", ".join([ROW_ID, *map(quoted, names)]), list(due)
        self.connection.execute("BEGIN")
        delete = f"DELETE FROM {self.rows} WHERE {ROW_ID} IN (SELECT unnest($1::BIGINT[]))"  # noqa: S608
        self.connection.execute(delete, [ids])
        insert = f"INSERT INTO {self.rows} ({into}) SELECT {', '.join(values)}"
        self.connection.execute(insert, [ids, *([row.get(name) for row in rows] for name in names)])
        self.connection.execute("COMMIT")

    def _check_schema(self, record: Record) -> None:
        known = self.kinds.get(record.measure_name, record.kind)
        if known != record.kind:
            raise Rejected(f"The measure {record.measure_name} is of type {known}, not {record.kind}.")
        for column, (kind, _) in record.measures.items():
            if column in self.dimensions or column in record.dimensions:
                raise Rejected(f"{column} is a dimension, it can't be a measure as well.")
            if self.columns.get(column, kind) != kind:
                raise Rejected(f"The measure {column} is of type {self.columns[column]}, not {kind}.")
        for column in record.dimensions:
            if column in self.columns and column not in self.dimensions:
                raise Rejected(f"{column} is a measure, it can't be a dimension as well.")
        if self.columns.keys() >= record.dimensions.keys() | record.measures.keys():
            return
        # Timestream tells names apart by case, DuckDB doesn't.
        folded = {name.lower(): name for name in self.columns}
        for column in (*record.dimensions, *record.measures):
            if folded.setdefault(column.lower(), column) != column:
                raise Rejected(f"The stand-in can't tell {column} from {folded[column.lower()]}.")

    def _extend_schema(self, record: Record) -> None:
        """Columns come into being with the first record that has them."""
        self.kinds.setdefault(record.measure_name, record.kind)
        for name in record.dimensions:
            if name not in self.columns:
                self.columns[name] = "VARCHAR"
                self.dimensions.append(name)
        for name, (kind, _) in record.measures.items():
            self.columns.setdefault(name, kind)


def _conflict(version: int, existing: int) -> str:
    """In the service's words, which clients are known to look at."""
    if version < existing:
        return (
            f"The record version {version} is lower than the existing version {existing}. "
            "A higher version is required to update the measure value."
        )
    return (
        "A record already exists with the same time, dimensions, measure name, and record version. "
        "A higher record version must be specified in order to update the measure value."
    )
