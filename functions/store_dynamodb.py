"""The tables, in DynamoDB: for accounts that Timestream does not admit. The same rows, the same promises."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from functions.clients import code
from functions.errors import StoreBusy
from schemas.tables import Row, daily_item, entry_item

ROWS_PER_TRANSACTION = 50  # two items each, of DynamoDB's 100


class DynamoDBStore:
    """The two tables."""

    def __init__(self, client: Any, daily: str, revisions: str) -> None:
        self._client = client
        self._daily = daily
        self._revisions = revisions

    def write(self, rows: Sequence[Row]) -> None:
        """Every row into ``revisions``, the current ones into ``daily``. Writing them again changes nothing.

        Raises StoreBusy where a newer version stands in the table than the ledger knew of: then none of the
        rows of that transaction is written.
        """
        remaining = iter(rows)
        while batch := list(islice(remaining, ROWS_PER_TRANSACTION)):
            puts = [put for row in batch for put in self._puts(row)]
            try:
                self._client.transact_write_items(TransactItems=puts)
            except ClientError as error:
                if code(error) != "TransactionCanceledException":
                    raise
                raise StoreBusy(
                    f"{self._daily} holds a newer version, or is being written to: {error}"
                ) from error

    def _puts(self, row: Row) -> Iterator[dict[str, Any]]:
        """Where the item's place is free or holds this very entry; in ``daily``, an older one."""
        same = {":event": {"S": row.event}}
        yield {
            "Put": {
                "TableName": self._revisions,
                "Item": entry_item(row),
                "ConditionExpression": "attribute_not_exists(entry) OR event_id = :event",
                "ExpressionAttributeValues": same,
            }
        }
        if row.current:
            yield {
                "Put": {
                    "TableName": self._daily,
                    "Item": daily_item(row),
                    "ConditionExpression": "attribute_not_exists(entry) OR recorded_at < :version "
                    "OR (recorded_at = :version AND event_id = :event)",
                    "ExpressionAttributeValues": same | {":version": {"N": str(row.version)}},
                }
            }
