"""The tables in DynamoDB, for accounts that Timestream does not admit: the same rows, the same promises."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from schemas.day import REGION, Day
from schemas.figures import Counts
from schemas.moment import version
from storage.aws import asking, cancellation_codes, code, delete
from storage.ledger_items import attributes, key, plain
from storage.tables import Row

ROWS_PER_TRANSACTION = 50  # two items each, of DynamoDB's 100
VERSION_DIGITS = 15  # as text, in the order of numbers


class DynamoDBTables:
    """The two tables."""

    def __init__(self, client: Any, daily: str, revisions: str) -> None:
        self._client = client
        self._daily = daily
        self._revisions = revisions

    @asking("store")
    def write(self, rows: Sequence[Row], behind: Collection[str] = ()) -> Mapping[str, str]:
        remaining = iter(rows)
        while batch := list(islice(remaining, ROWS_PER_TRANSACTION)):
            puts = [self._daily_put(row) for row in batch if row.event not in behind]
            puts += [{"Put": {"TableName": self._revisions, "Item": entry_item(row)}} for row in batch]
            try:
                self._client.transact_write_items(TransactItems=puts)
            except ClientError as error:
                reasons = cancellation_codes(error)
                older = {place for place, reason in enumerate(reasons) if reason == "ConditionalCheckFailed"}
                if not older or code(error) != "TransactionCanceledException":
                    raise
                # A newer entry stands in ``daily``: there is nothing to do for these rows but their own
                # entry.
                left = [put for place, put in enumerate(puts) if place not in older]
                self._client.transact_write_items(TransactItems=left)
        return {}

    def _daily_put(self, row: Row) -> dict[str, Any]:
        """Put where the place is free or holds this entry or an older one."""
        return {
            "Put": {
                "TableName": self._daily,
                "Item": daily_item(row),
                "ConditionExpression": "attribute_not_exists(entry) OR recorded_at <= :version",
                "ExpressionAttributeValues": {":version": {"N": str(row.version)}},
            }
        }

    def daily(self) -> list[Row]:
        return self._rows(self._daily)

    def entries(self, date: dt.date | None = None) -> list[Row]:
        return self._rows(self._revisions, date.isoformat() if date else None)

    def as_of(self, moment: dt.datetime) -> list[Row]:
        until = version(moment)
        newest = {row.day.date: row for row in self.entries() if row.version <= until}
        return [newest[date] for date in sorted(newest)]

    @asking("store")
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
        while True:
            page = self._client.query(**request)
            rows += map(row_of, map(plain, page["Items"]))
            if "LastEvaluatedKey" not in page:
                return rows
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    @asking("store")
    def empty(self) -> None:
        """Take every item out: a table can be protected from deletion, and has its backups."""
        for table in (self._daily, self._revisions):
            pages = self._client.get_paginator("scan").paginate(
                TableName=table, ProjectionExpression="series, entry", ConsistentRead=True
            )
            delete(self._client, table, [item for page in pages for item in page["Items"]])


def daily_item(row: Row) -> dict[str, Any]:
    """The item of ``daily``, in DynamoDB's shape: one a date."""
    return _item(row, row.day.date.isoformat(), {})


def entry_item(row: Row) -> dict[str, Any]:
    """The item of ``revisions``: one an entry, in the order of their versions."""
    return _item(row, f"{row.day.date.isoformat()}#{row.version:0{VERSION_DIGITS}}", {"run": row.run})


def _item(row: Row, entry: str, more: Mapping[str, Any]) -> dict[str, Any]:
    values = {**row.day.counts.values, "event_id": row.event, "recorded_at": row.version, **more}
    return key(entry) | attributes(values)


def row_of(item: Mapping[str, Any]) -> Row:
    """A row out of an item of either table; a figure is absent where it is not reported."""
    return Row(
        day=Day(dt.date.fromisoformat(item["entry"].partition("#")[0]), Counts.read(item)),
        version=item["recorded_at"],
        event=item["event_id"],
        run=item.get("run"),
    )
