"""Timestream's Query: a SELECT run by DuckDB; its result in pages, where every value is a string."""

from __future__ import annotations

import json
import re
import uuid
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from local.timestream.records import TYPES, invalid
from local.timestream.service import Timestream

MAX_ROWS_PER_PAGE = 1_000  # Timestream Query: MaxRows
MAX_PAGE_BYTES = 1024 * 1024  # Timestream Query: size of a response
MIN_METERED_BYTES = 10_000_000  # Timestream pricing: least a query is charged for
KEPT_RESULTS = 50  # results whose later pages can still be had
OF_DUCKDB = {"INTEGER": "INTEGER", "HUGEINT": "BIGINT"} | {name: name for name in TYPES}


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
        connection = self.timestream.connection
        self.timestream.load()
        try:
            statements = connection.extract_statements(sql)
            if [statement.type for statement in statements] != [duckdb.StatementType.SELECT]:
                raise _syntax("a query is one SELECT")
            cursor = connection.execute(statements[0])
            columns, rows = cursor.description or [], cursor.fetchall()
        except duckdb.Error as error:
            raise _refused(error) from error
        return _result(sql, [{"Name": name, "Type": _type(kind)} for name, kind, *_ in columns], rows)


def _result(sql: str, columns: list[dict[str, Any]], values: list[tuple[Any, ...]]) -> Result:
    rows = [{"Data": [_cell(value) for value in row]} for row in values]
    sizes = [len(json.dumps(row)) for row in rows]
    if sizes and max(sizes) > MAX_PAGE_BYTES:
        raise invalid("Query aborted as max page response size has been exceeded by the output result row")
    return Result(sql, columns, rows, sizes)


def _syntax(message: str) -> Exception:
    return invalid(f"The query syntax is invalid: {message}.")


def _refused(error: duckdb.Error) -> Exception:
    message = str(error).partition("\n")[0].partition(". Use ")[0]
    if column := re.search(r'Referenced column "([^"]*)" not found', message):
        return _syntax(f"Column '{column[1]}' does not exist")
    return _syntax(message.removesuffix("."))


def _type(kind: Any) -> dict[str, str]:
    """`kind` is DuckDB's type of a column."""
    if str(kind) not in OF_DUCKDB:
        raise invalid(f"The stand-in can't give a column of type {kind}.")
    return {"ScalarType": OF_DUCKDB[str(kind)]}


def _cell(value: Any) -> dict[str, Any]:
    if value is None:
        return {"NullValue": True}
    if isinstance(value, bool):
        return {"ScalarValue": str(value).lower()}
    if isinstance(value, datetime):
        return {"ScalarValue": f"{value:%Y-%m-%d %H:%M:%S.%f}000"}
    return {"ScalarValue": str(value)}
