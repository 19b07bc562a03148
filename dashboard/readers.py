"""Which store the stack has: the one place of its readers that knows there are two."""

from collections.abc import Callable, Mapping
from typing import Any

from dashboard.data import Reader
from dashboard.data_dynamodb import DynamoDBReader
from schemas.tables import DYNAMODB

StackReader = Reader | DynamoDBReader


def open_reader(names: Mapping[str, str], client: Callable[[str], Any]) -> StackReader:
    """A reader of the stack whose store and tables have these names."""
    ledger = {"ledger_client": client("dynamodb"), "ledger_table": names["ledger_table"]}
    where = {"daily_table": names["daily_table"], "revisions_table": names["revisions_table"]}
    if names["store"] == DYNAMODB:
        return DynamoDBReader(tables_client=ledger["ledger_client"], **ledger, **where)
    return Reader(query_client=client("timestream-query"), database=names["database"], **ledger, **where)
