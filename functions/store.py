"""The tables, in Timestream: ``daily`` holds each day as it stands, ``revisions`` every entry ever made."""

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from functions.clients import code
from functions.errors import RowsRejected, StoreBusy
from schemas.tables import Row, daily_record, revision_record

MAX_RECORDS_PER_WRITE = 100  # Timestream WriteRecords
FIRST_DATE = dt.date(1970, 1, 1)  # an earlier time is no valid request, and fails the whole call


class Store:
    """The two tables of one database."""

    def __init__(self, client: Any, database: str, daily: str, revisions: str) -> None:
        self._client = client
        self._database = database
        self._daily = daily
        self._revisions = revisions

    def write(self, rows: Sequence[Row]) -> None:
        """Every row into ``revisions``, the current ones into ``daily``. Writing them again changes nothing.

        Raises RowsRejected for rows that Timestream refuses for their content (the others are written),
        StoreBusy where a newer version stands in the table than the ledger knew of.
        """
        refused = {row.event: "lies before 1970" for row in rows if row.day.date < FIRST_DATE}
        refused |= self._write(
            self._revisions, [row for row in rows if row.event not in refused], revision_record
        )
        current = [row for row in rows if row.current and row.event not in refused]
        refused |= self._write(self._daily, current, daily_record)
        if refused:
            raise RowsRejected(refused)

    def _write(self, table: str, rows: Iterable[Row], record: Any) -> dict[str, str]:
        """Write, and give back the refused rows' event ids with the reason."""
        refused: dict[str, str] = {}
        remaining = iter(rows)
        while batch := list(islice(remaining, MAX_RECORDS_PER_WRITE)):
            try:
                self._client.write_records(
                    DatabaseName=self._database, TableName=table, Records=[record(row) for row in batch]
                )
            except ClientError as error:
                if code(error) != "RejectedRecordsException":
                    raise
                answer: Any = error.response
                for rejected in answer["RejectedRecords"]:
                    if "ExistingVersion" in rejected:
                        raise StoreBusy(f"{table} holds a newer version: {rejected}") from error
                    refused[batch[rejected["RecordIndex"]].event] = rejected["Reason"]
        return refused
