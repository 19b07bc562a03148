"""``datapackage.json``: what the files of a folder hold, by Frictionless Data's specification."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.pages.frame import JHU_LICENCE, NYT_LICENCE
from schemas.columns import Column

NAME = "datapackage.json"
FORMATS = {".csv": "text/csv", ".parquet": "application/vnd.apache.parquet"}
SOURCES = (
    {"title": "The New York Times: cases and deaths", "path": "https://github.com/nytimes/covid-19-data"},
    {
        "title": "COVID-19 Data Repository by CSSE at Johns Hopkins University: recoveries",
        "path": "https://github.com/datasets/covid-19",
    },
)
LICENCES = (
    {"title": "The New York Times: for non-commercial use, with credit", "path": NYT_LICENCE},
    {"name": "CC-BY-4.0", "title": "Johns Hopkins University: CC BY 4.0", "path": JHU_LICENCE},
)


@dataclass(frozen=True)
class Table:
    """A file and its columns. ``missing`` is what stands where nothing is reported."""

    path: str
    description: str
    columns: Sequence[Column]
    key: Sequence[Column]
    missing: str = ""


def write(folder: Path, tables: Sequence[Table], *, synthetic: bool) -> Path:
    """Write it beside the tables, which are there already."""
    about: dict[str, Any] = {"sources": SOURCES, "licenses": LICENCES}
    if synthetic:
        about = {"description": "Synthetic sample. These figures are made up."}
    content = {
        "name": "daybook",
        "title": "The U.S. COVID-19 record, with every correction kept",
        **about,
        "resources": [_resource(folder, table) for table in tables],
    }
    path = folder / NAME
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _resource(folder: Path, table: Table) -> dict[str, Any]:
    path = folder / table.path
    body = path.read_bytes()
    return {
        "name": path.stem,
        "path": table.path,
        "description": table.description,
        "format": path.suffix[1:],
        "mediatype": FORMATS[path.suffix],
        "bytes": len(body),
        "hash": f"sha256:{hashlib.sha256(body).hexdigest()}",
        "schema": {
            "fields": [_field(column) for column in table.columns],
            "primaryKey": [column.name for column in table.key],
            "missingValues": [table.missing],
        },
    } | ({"profile": "tabular-data-resource", "encoding": "utf-8"} if path.suffix == ".csv" else {})


def _field(column: Column) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": column.kind, "description": column.description}
    if column.unit:
        field["unit"] = column.unit
    if not column.nullable:
        field["constraints"] = {"required": True}
    return field
