"""The reader of tables in DynamoDB: what ``functions/store_dynamodb.py`` writes."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dashboard.data import LedgerReader, Unreachable
from schemas import tables
from schemas.day import REGION
from schemas.moment import version
from schemas.tables import Row, row_of


@dataclass(frozen=True)
class DynamoDBReader(LedgerReader):
    """Reads one stack. Rows come in the order of their dates, then of their entry.

    Every method raises Unreachable.
    """

    tables_client: Any
    daily_table: str
    revisions_table: str

    def daily(self) -> list[Row]:
        """Each day as it stands, oldest first; empty before the first run."""
        return self._rows(self.daily_table)

    def revisions(self, date: dt.date | None = None) -> list[Row]:
        """Every entry ever made of a date, or of all dates: by date, then oldest first."""
        return self._rows(self.revisions_table, date.isoformat() if date else None)

    def as_of(self, moment: dt.datetime) -> list[Row]:
        """Each day as it was believed at that moment (inclusive), oldest first."""
        until = version(moment)
        newest = {row.day.date: row for row in self.revisions() if row.version <= until}
        return [newest[date] for date in sorted(newest)]

    def _rows(self, table: str, prefix: str | None = None) -> list[Row]:
        request: dict[str, Any] = {
            "TableName": table,
            "KeyConditionExpression": "series = :series",
            "ExpressionAttributeValues": {":series": {"S": REGION}},
            "ConsistentRead": True,
        }
        if prefix:
            request["KeyConditionExpression"] += " AND begins_with(entry, :prefix)"
            request["ExpressionAttributeValues"] |= {":prefix": {"S": prefix}}
        rows: list[Row] = []
        try:
            while True:
                page = self.tables_client.query(**request)
                rows += map(row_of, map(tables.plain, page["Items"]))
                if "LastEvaluatedKey" not in page:
                    return rows
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        except (BotoCoreError, ClientError) as error:
            raise Unreachable("store", str(error)) from error
