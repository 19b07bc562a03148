"""Which store the stack has: the one place of the functions that knows there are two."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from functions.settings import ConsumerSettings
from functions.store import Store
from functions.store_dynamodb import DynamoDBStore
from schemas.tables import DYNAMODB, Row


class Writer(Protocol):
    def write(self, rows: Sequence[Row]) -> None:
        """Raises RowsRejected for rows that are refused for their content, StoreBusy for a passing fault."""


def open_store(settings: ConsumerSettings, client: Callable[[str], Any]) -> Writer:
    """The store that the settings name."""
    if settings.store == DYNAMODB:
        return DynamoDBStore(client("dynamodb"), settings.daily_table, settings.revisions_table)
    write = client("timestream-write")
    return Store(write, settings.database, settings.daily_table, settings.revisions_table)
