"""Timestream's SQL (a Trino dialect) put into DuckDB's: one statement, that only reads. Pure."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from local.timestream_records import invalid
from local.timestream_store import DIVIDE

UNITS = {"d": "DAY", "h": "HOUR", "m": "MINUTE", "s": "SECOND", "ms": "MILLISECOND", "us": "MICROSECOND"}
# Strings, quoted names and comments are matched first, so that nothing inside them is taken for a duration.
DURATION = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | --[^\n]* | /\*.*?\*/ | (?<![\w.])([0-9]+)(ms|us|d|h|m|s)\b""",
    re.VERBOSE | re.DOTALL,
)
NOT_DONE = re.compile(
    r"create_time_series|(interpolate|derivative|integral|correlate)_\w+|(filter|reduce)_series"
)
# Functions that sqlglot hasn't a class for, and DuckDB has under Timestream's name.
SAME_IN_DUCKDB = frozenset((
    "bitwise_and", "bitwise_or", "bitwise_xor", "cbrt", "codepoint", "degrees", "e", "kurtosis",
    "millisecond", "pi", "radians", "regr_intercept", "regr_slope", "skewness", "translate", "typeof",
))  # fmt: skip
MADE = frozenset(("arg_max_null", "arg_min_null", "date_sub", DIVIDE))
REWRITTEN = {
    ("now", 0): "{now}",
    ("ago", 1): "{now} - :a",
    ("bin", 2): "time_bucket(:b, :a, TIMESTAMP '1970-01-01')",
    ("from_milliseconds", 1): "epoch_ms(CAST(:a AS BIGINT))",
    ("from_nanoseconds", 1): "CAST(make_timestamp_ns(CAST(:a AS BIGINT)) AS TIMESTAMP)",
    ("to_milliseconds", 1): "epoch_ms(:a)",
    ("to_nanoseconds", 1): "epoch_ns(:a)",
    ("to_unixtime", 1): "epoch(:a)",
    ("from_iso8601_date", 1): "CAST(:a AS DATE)",
}

# It would warn, on stderr, of statements that are refused here anyway.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def parsed(sql: str) -> exp.Query:
    """Raises ServiceError (ValidationException) for all but one SELECT or WITH."""
    text = DURATION.sub(
        lambda found: f"INTERVAL '{found[1]}' {UNITS[found[2]]}" if found[1] else found[0], sql
    )
    try:
        trees = [tree for tree in sqlglot.parse(text, read="trino") if tree is not None]
    except (SqlglotError, RecursionError) as error:
        raise syntax(str(error).partition("\n")[0]) from error
    if len(trees) != 1:
        raise syntax(f"a query is one statement, not {len(trees)}")
    tree = trees[0]
    if not isinstance(tree, exp.Query):
        raise syntax("a query begins with SELECT or WITH")
    for found in tree.find_all(
        exp.Offset,
        exp.Into,
        exp.Insert,
        exp.Update,
        exp.Delete,
        exp.Merge,
        exp.DDL,
        exp.Command,
        exp.Lock,
        exp.SessionParameter,
    ):
        if not isinstance(found, exp.Query):
            raise syntax(f"{found.key.upper()} isn't supported")
    return tree


def tables(tree: exp.Query) -> set[tuple[str, str]]:
    """(database, table) of all that is read but the WITHs. Files, catalogues, table functions are refused."""
    named = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    found = set()
    for node in tree.find_all(exp.Table):
        if not isinstance(node.this, exp.Identifier) or node.catalog:
            raise syntax(f"{node.sql(dialect='trino')} is no table")
        if node.db:
            found.add((node.db, node.name))
        elif node.name.lower() not in named:
            raise syntax(f'the table {node.name} needs its database: "database"."table"')
    return found


def translated(tree: exp.Query, now: datetime) -> str:
    """DuckDB's SQL; `now` stands still for the whole of the query."""
    _name_columns(tree)
    moment = f"TIMESTAMP '{now.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"
    for node in reversed(list(tree.walk(bfs=True))):  # the inner ones first
        new = _replaced(node, moment)
        if new is not node:
            node.replace(new)
    try:
        return tree.sql(dialect="duckdb", unsupported_level=ErrorLevel.RAISE)
    except SqlglotError as error:
        raise invalid(f"The stand-in can't translate the query: {error}") from error


def syntax(message: str) -> Exception:
    return invalid(f"The query syntax is invalid: {message}.")


def _name_columns(tree: exp.Expr) -> None:
    """Trino calls a column without a name _col and its place, counted from 0."""
    while isinstance(tree, exp.SetOperation | exp.Subquery):
        tree = tree.this
    for place, column in enumerate(tree.expressions):
        if not isinstance(column, exp.Column) and not column.alias and not column.is_star:
            column.replace(exp.alias_(column.copy(), f"_col{place}"))


def _replaced(node: exp.Expr, moment: str) -> exp.Expr:
    rule = RULES.get(type(node))
    return node if rule is None else rule(node, moment)


def _extreme(node: exp.Expr, _moment: str) -> exp.Expr:
    """DuckDB's arg_max passes over nulls, Trino's max_by doesn't."""
    if node.args.get("count"):
        return node
    name = "arg_max_null" if isinstance(node, exp.ArgMax) else "arg_min_null"
    return exp.Anonymous(this=name, expressions=[node.this, node.expression])


def _date_diff(node: exp.Expr, _moment: str) -> exp.Expr:
    """DuckDB's date_diff counts the boundaries crossed, Trino's the whole units that passed."""
    unit = exp.Literal.string(node.text("unit").lower() or "day")
    return exp.Anonymous(this="date_sub", expressions=[unit, node.expression, node.this])


def _measure_column(node: exp.Expr, _moment: str) -> exp.Expr:
    """measure_value::double is a column's name that looks like a cast."""
    if not isinstance(node.this, exp.Column) or node.this.name != "measure_value":
        return node
    name = f"measure_value::{node.args['to'].sql(dialect='trino').lower()}"
    return exp.column(exp.to_identifier(name, quoted=True), table=node.this.args.get("table"))


def _function(node: exp.Expr, moment: str) -> exp.Expr:
    name, arguments = node.name.lower(), node.expressions
    if NOT_DONE.fullmatch(name):
        raise invalid(f"The stand-in doesn't do {name}.")
    template = REWRITTEN.get((name, len(arguments)))
    if template is not None:
        given = dict(zip("ab", arguments, strict=False))
        return exp.replace_placeholders(_sql(template.replace("{now}", moment)), **given)
    if name in SAME_IN_DUCKDB or name in MADE:
        return node
    raise syntax(f"Function '{name}' not registered")


def _sql(text: str) -> exp.Expr:
    return sqlglot.parse_one(text, read="duckdb")


RULES: dict[type[exp.Expr], Callable[[exp.Expr, str], exp.Expr]] = {
    exp.CurrentTimestamp: lambda _, moment: _sql(moment),
    exp.CurrentDatetime: lambda _, moment: _sql(moment),
    exp.Localtimestamp: lambda _, moment: _sql(moment),
    exp.CurrentDate: lambda _, moment: _sql(f"CAST({moment} AS DATE)"),
    exp.ArgMax: _extreme,
    exp.ArgMin: _extreme,
    exp.DateDiff: _date_diff,
    exp.Div: lambda node, _: exp.Anonymous(this=DIVIDE, expressions=[node.this, node.expression]),
    exp.FromISO8601Timestamp: lambda node, _: exp.cast(exp.cast(node.this, "TIMESTAMPTZ"), "TIMESTAMP"),
    exp.UnixToTime: lambda node, _: exp.cast(node.copy(), "TIMESTAMP"),
    exp.Cast: _measure_column,
    exp.Anonymous: _function,
}
