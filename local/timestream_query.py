"""Timestream's Query: a result, in pages and in the service's shape, where every value is a string."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import duckdb

from local.timestream import Timestream
from local.timestream_records import invalid
from local.timestream_sql import parsed, syntax, tables, translated

MAX_ROWS_PER_PAGE = 1_000  # Timestream Query: MaxRows
MAX_PAGE_BYTES = 1024 * 1024  # Timestream Query: size of a response
MIN_METERED_BYTES = 10_000_000  # Timestream pricing: least a query is charged for
KEPT_RESULTS = 50  # results whose later pages can still be had

NAME = r'"?([\w.-]+)"?'
SHOW_DATABASES = re.compile(r"\s*show\s+databases\s*;?\s*", re.IGNORECASE)
SHOW_TABLES = re.compile(rf"\s*show\s+tables\s+(?:from|in)\s+{NAME}\s*;?\s*", re.IGNORECASE)
DESCRIBE = re.compile(r'\s*describe\s+"?([\w-]+)"?\."?([\w.-]+)"?\s*;?\s*', re.IGNORECASE)

SCALAR_TYPES = {
    "VARCHAR": "VARCHAR",
    "BOOLEAN": "BOOLEAN",
    "TINYINT": "INTEGER",
    "SMALLINT": "INTEGER",
    "INTEGER": "INTEGER",
    "BIGINT": "BIGINT",
    "UBIGINT": "BIGINT",
    "HUGEINT": "BIGINT",
    "FLOAT": "DOUBLE",
    "DOUBLE": "DOUBLE",
    "DECIMAL": "DOUBLE",
    "DATE": "DATE",
    "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMP",
    "TIMESTAMP_NS": "TIMESTAMP",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "INTERVAL": "INTERVAL_DAY_TO_SECOND",
    "NULL": "UNKNOWN",
    '"NULL"': "UNKNOWN",
}


@dataclass(frozen=True)
class Result:
    """A finished query; later pages are cut from it, whatever is written meanwhile."""

    sql: str
    columns: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    sizes: list[int]


class Queries:
    """With `empty_first_page` a query begins with a page of no rows and a NextToken, as AWS's may."""

    def __init__(self, timestream: Timestream, empty_first_page: bool = False) -> None:
        self.timestream = timestream
        self.empty_first_page = empty_first_page
        self._results: OrderedDict[str, Result] = OrderedDict()

    def query(self, request: dict[str, Any]) -> dict[str, Any]:
        """Raises ServiceError (ValidationException)."""
        sql, token = request.get("QueryString", ""), request.get("NextToken")
        limit = request.get("MaxRows", MAX_ROWS_PER_PAGE)
        if not 1 <= limit <= MAX_ROWS_PER_PAGE:
            raise invalid(f"MaxRows must be 1 to {MAX_ROWS_PER_PAGE}, not {limit}.")
        with self.timestream.lock:
            if token is None:
                query_id = uuid.uuid4().hex.upper()
                self._results[query_id] = self._run(sql)
                while len(self._results) > KEPT_RESULTS:
                    self._results.popitem(last=False)
                return self._page(query_id, 0, 0 if self.empty_first_page else limit)
            query_id, _, start = token.partition(":")
            result = self._results.get(query_id)
            if result is None or result.sql != sql or not start.isdecimal():
                raise invalid("Invalid pagination token.")
            return self._page(query_id, int(start), limit)

    def _page(self, query_id: str, start: int, limit: int) -> dict[str, Any]:
        result = self._results[query_id]
        end, size = start, 0
        while end < min(start + limit, len(result.rows)) and size + result.sizes[end] <= MAX_PAGE_BYTES:
            size += result.sizes[end]
            end += 1
        more = end < len(result.rows) or limit == 0
        scanned = sum(result.sizes)
        return {
            "QueryId": query_id,
            "Rows": result.rows[start:end],
            "ColumnInfo": result.columns,
            "QueryStatus": {
                "ProgressPercentage": 100.0 * end / max(len(result.rows), 1) if more else 100.0,
                "CumulativeBytesScanned": scanned,
                "CumulativeBytesMetered": max(scanned, MIN_METERED_BYTES),
            },
            **({"NextToken": f"{query_id}:{end}"} if more else {}),
        }

    def _run(self, sql: str) -> Result:
        about = self._schema(sql)
        if about is not None:
            return about
        tree = parsed(sql)
        for database, name in tables(tree):
            table = self.timestream.table(database, name)
            if table is None:
                raise invalid(f"The table {database}.{name} does not exist.")
            table.load(self.timestream.clock.now())
        text = translated(tree, self.timestream.clock.now())
        try:
            cursor = self.timestream.connection.execute(text)
            description, fetched = cursor.description or [], cursor.fetchall()
        except duckdb.Error as error:
            raise _refused(error) from error
        names = [(column[0], _type(str(column[1]))) for column in description]
        return _result(sql, names, [list(row) for row in fetched])

    def _schema(self, sql: str) -> Result | None:
        """SHOW DATABASES, SHOW TABLES FROM, DESCRIBE; None for anything else."""
        if SHOW_DATABASES.fullmatch(sql):
            return _result(sql, _texts("Database"), [[name] for name in self.timestream.databases()])
        if found := SHOW_TABLES.fullmatch(sql):
            return _result(sql, _texts("Table"), [[name] for name in self.timestream.tables(found[1])])
        if found := DESCRIBE.fullmatch(sql):
            table = self.timestream.table(found[1], found[2])
            if table is None:
                raise invalid(f"The table {found[1]}.{found[2]} does not exist.")
            roles = dict.fromkeys(table.dimensions, "DIMENSION") | {
                "measure_name": "MEASURE_NAME",
                "time": "TIMESTAMP",
            }
            rows = [
                [name, table.columns[name].lower(), roles.get(name, "MEASURE_VALUE")]
                for name in table.ordered_columns()
            ]
            return _result(sql, _texts("Column", "Type", "Timestream attribute type"), rows)
        return None


def _result(sql: str, columns: list[tuple[str, dict[str, Any]]], values: list[list[Any]]) -> Result:
    rows = [{"Data": [_datum(value) for value in row]} for row in values]
    sizes = [len(json.dumps(row)) for row in rows]
    if sizes and max(sizes) > MAX_PAGE_BYTES:
        raise invalid("Query aborted as max page response size has been exceeded by the output result row")
    return Result(sql, [{"Name": name, "Type": kind} for name, kind in columns], rows, sizes)


def _texts(*names: str) -> list[tuple[str, dict[str, Any]]]:
    return [(name, {"ScalarType": "VARCHAR"}) for name in names]


def _refused(error: duckdb.Error) -> Exception:
    message = str(error).partition("\n")[0].partition(". Use ")[0]
    if found := re.search(r'Referenced column "([^"]*)" not found', message):
        return syntax(f"Column '{found[1]}' does not exist")
    return syntax(message.removesuffix("."))


def _type(kind: str) -> dict[str, Any]:
    """`kind` is DuckDB's name of a type."""
    if kind.endswith("[]"):
        return {"ArrayColumnInfo": {"Type": _type(kind.removesuffix("[]"))}}
    scalar = SCALAR_TYPES.get(kind.partition("(")[0])
    if scalar is None:
        raise invalid(f"The stand-in can't give a column of type {kind}.")
    return {"ScalarType": scalar}


def _datum(value: Any) -> dict[str, Any]:
    if value is None:
        return {"NullValue": True}
    if isinstance(value, list):
        return {"ArrayValue": [_datum(item) for item in value]}
    return {"ScalarValue": _text(value)}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return _double(float(value))
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return f"{moment:%Y-%m-%d %H:%M:%S.%f}000"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        seconds, rest = divmod(abs(value) // timedelta(microseconds=1), 1_000_000)
        clock = f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:06}000"
        return f"{'-' if value < timedelta(0) else ''}{seconds // 86400} {clock}"
    return str(value)


def _double(value: float) -> str:
    """As Java writes it, in which Timestream is made: 1.0, 3.3381234E7, 1.0E-4."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    mantissa = f"{digits[0]}.{''.join(map(str, digits[1:])) or '0'}"
    return f"{'-' if sign else ''}{mantissa}E{int(exponent) + len(digits) - 1}"
