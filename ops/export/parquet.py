"""The same tables as the package, with types, for DuckDB and whatever else reads Parquet."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

from ops.data_package import Table
from ops.export import package
from storage.tables import Row

TYPES = {"date": "DATE", "string": "VARCHAR", "integer": "INTEGER", "datetime": "TIMESTAMP WITH TIME ZONE"}


def write(folder: Path, entries: Sequence[Row]) -> list[Table]:
    import duckdb

    with TemporaryDirectory() as aside, duckdb.connect() as database:
        tables = package.write(Path(aside), entries)
        for table in tables:
            source = Path(aside) / table.path
            target = source.with_suffix(".parquet")
            kinds = {column.name: TYPES[column.kind] for column in table.columns}
            database.read_csv(str(source), header=True, columns=kinds).write_parquet(str(target))
            copyfile(target, folder / target.name)  # its errors are the file system's, not DuckDB's
    return [replace(table, path=str(Path(table.path).with_suffix(".parquet"))) for table in tables]
