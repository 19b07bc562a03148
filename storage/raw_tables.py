"""The tables, read raw, whichever store holds them; and the rows that are not as they should be."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from schemas.day import REGION
from schemas.figures import FIGURES
from schemas.moment import EPOCH, MILLISECOND
from storage.aws import asking, code
from storage.kept import Finding, RawRow, Values, carried

UNREADABLE = (KeyError, ValueError, TypeError, AttributeError, OverflowError)
MIDNIGHT = dt.time()
Found = tuple[tuple[RawRow, ...], list[Finding]]


class NoTable(Exception):
    """The store knows no table of that name."""


def read_rows(client: Callable[[str], Any], names: Mapping[str, str], kind: str, table: str) -> Found:
    """The rows of ``daily`` or ``revisions`` that can be read, and what is wrong. Raises Unreachable."""
    of_timestream = names["store"] != "dynamodb"
    parse = _timestream_row if of_timestream else _dynamodb_row
    rows: list[RawRow] = []
    findings: list[Finding] = []
    sql = f'SELECT * FROM "{names.get("database")}"."{table}"'  # noqa: S608 names of our own
    try:
        raw = _query(client("timestream-query"), sql) if of_timestream else _items(client("dynamodb"), table)
    except NoTable as missing:
        return (), [Finding(kind, f"the table is missing: {missing}")]
    for texts in raw:
        try:
            rows.append(parse(texts, kind))
        except UNREADABLE as error:
            place = " ".join(str(texts[name]) for name in ("time", "date", "entry") if texts.get(name))
            problem = f"has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
            findings.append(Finding(kind, f"the row {place} can't be read: {problem}"))
    return tuple(sorted(rows, key=lambda row: (row.date, row.version))), findings


@asking("store")
def _query(client: Any, sql: str) -> list[dict[str, str | None]]:
    """The result's rows as texts by column. Raises NoTable."""
    request = {"QueryString": sql}
    rows: list[dict[str, str | None]] = []
    while True:
        try:
            page = client.query(**request)
        except ClientError as error:
            if "does not exist" in str(error):
                raise NoTable(str(error)) from error
            raise
        columns = [column["Name"] for column in page["ColumnInfo"]]
        rows += [
            {name: cell.get("ScalarValue") for name, cell in zip(columns, row["Data"], strict=True)}
            for row in page["Rows"]
        ]
        if not page.get("NextToken"):
            return rows
        request["NextToken"] = page["NextToken"]


@asking("store")
def _items(client: Any, table: str) -> list[dict[str, Any]]:
    """Every item, its values as texts and numbers. Raises NoTable."""
    pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    try:
        items = [item for page in pages for item in page["Items"]]
    except ClientError as error:
        if code(error) == "ResourceNotFoundException":
            raise NoTable(str(error)) from error
        raise
    return [
        {name: int(v) if kind == "N" else v for name, value in item.items() for kind, v in value.items()}
        for item in items
    ]


def _timestream_row(texts: Mapping[str, str | None], kind: str) -> RawRow:
    if texts["region"] != REGION:
        raise ValueError(f"its region is {texts['region']}")
    time, recorded = _moment(texts["time"]), _moment(texts["recorded_at"])
    if kind == "daily":
        date, expected = time.date(), dt.datetime.combine(time.date(), MIDNIGHT, dt.UTC)
    else:
        date, expected = dt.date.fromisoformat(str(texts["date"])), recorded
    if time != expected:
        raise ValueError(f"its time is {time}, not {expected}")
    values: dict[str, int | None] = {}
    for figure in FIGURES:
        if figure.is_later and texts.get(figure.reported) is None:
            continue
        reported = texts[figure.reported] if figure.nullable else "true"
        if reported not in ("true", "false"):
            raise ValueError(f"{figure.name}_reported is {reported}")
        values[figure.name] = int(str(texts[figure.name])) if reported == "true" else None
    version = (recorded - EPOCH) // MILLISECOND
    run = texts["run"] if kind == "revisions" else None
    return _row(date, version, values, texts["event_id"], run, kind)


def _moment(text: str | None) -> dt.datetime:
    """``2020-03-10 12:00:00.000000000``."""
    return dt.datetime.fromisoformat(str(text)[:23]).replace(tzinfo=dt.UTC)


def _dynamodb_row(item: Mapping[str, Any], kind: str) -> RawRow:
    if item["series"] != REGION:
        raise ValueError(f"its series is {item['series']}")
    version = int(item["recorded_at"])
    date, _, rest = item["entry"].partition("#")
    expected = "" if kind == "daily" else f"{version:015}"
    if rest != expected:
        raise ValueError(f"it is recorded at {version}")
    values = carried(item)
    run = item["run"] if kind == "revisions" else None
    return _row(dt.date.fromisoformat(date), version, values, item["event_id"], run, kind)


def _row(date: dt.date, version: int, values: Values, event: Any, run: Any, kind: str) -> RawRow:
    if type(event) is not str:
        raise ValueError("it names no event")
    if kind == "revisions" and type(run) is not str:
        raise ValueError("it names no run")
    return RawRow(date, version, values, event, run)
