"""The reader of the tables in Timestream, and of the ledger beside them; with ``data_dynamodb`` the only
place here that knows AWS.

``daily`` and ``revisions`` hold what ``functions/store.py`` writes. A table whose sum of recorded_at is
the head's stamp is complete; otherwise it trails, as Timestream's magnetic store may for six hours.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from schemas import tables
from schemas.day import REGION
from schemas.moment import moment, version
from schemas.notice import Notice
from schemas.run import Acknowledged, Head, Run, SourceFile
from schemas.tables import Item, Row, day_from_row

# Timestream's queries may take a minute; the SDK's default would give up just then.
CONFIG = Config(read_timeout=70, connect_timeout=5, retries={"mode": "standard", "total_max_attempts": 4})

# Timestream knows a column only once a record has carried it: a table that was never written to has none.
NO_COLUMN = re.compile(r"Column '?\"?\w+'?\"? does not exist", re.IGNORECASE)

RECENT_RUNS = 30
RECENT_NOTICES = 20
# A run's notices begin with its time; the others are about a record or a batch.
NOTICES = (f"{tables.NOTICE}2", f"{tables.NOTICE}aside/", f"{tables.NOTICE}undelivered/")

Place = Literal["store", "ledger"]


class Unreachable(Exception):
    """The store (Timestream) or the ledger (DynamoDB) gave no answer, or refused to."""

    def __init__(self, place: Place, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place: Place = place
        self.problem = problem


@dataclass(frozen=True)
class Told:
    """A notice and what became of it: ``state`` is unsent, leased or sent."""

    notice: Notice
    created_at: dt.datetime
    state: str
    sent_at: dt.datetime | None


@dataclass(frozen=True)
class LedgerReader:
    """Reads one stack's ledger. Every method raises Unreachable."""

    ledger_client: Any
    ledger_table: str

    def head(self) -> Head:
        """The ledger's head: one small consistent read."""
        try:
            found = self.ledger_client.get_item(
                TableName=self.ledger_table, Key=tables.key(tables.HEAD), ConsistentRead=True
            )
        except (BotoCoreError, ClientError) as error:
            raise Unreachable("ledger", str(error)) from error
        return tables.head_of(tables.plain(found.get("Item", {})))

    def files(self) -> list[SourceFile]:
        """Each source's file as last checked."""
        # An item may hold nothing but when it was checked: then no run has believed the file yet.
        return [_file(item) for item in self._items(tables.FILE) if "sha256" in item]

    def runs(self, limit: int = RECENT_RUNS) -> list[Run]:
        """The last runs, newest first."""
        return list(map(tables.run_of, self._items(tables.RUN, newest=limit)))

    def days(self) -> list[Acknowledged]:
        """Every day that was ever acknowledged, oldest first."""
        return list(map(tables.day_of, self._items(tables.DAY)))

    def notices(self, limit: int = RECENT_NOTICES) -> list[Told]:
        """What people were last told, newest first."""
        told = [_told(item) for prefix in NOTICES for item in self._items(prefix, newest=limit)]
        return sorted(told, key=lambda one: one.created_at, reverse=True)[:limit]

    def _items(self, prefix: str, newest: int | None = None) -> list[Item]:
        """The ledger's entries of a kind, in their order; with ``newest``, that many from the end."""
        request: dict[str, Any] = {
            "TableName": self.ledger_table,
            "KeyConditionExpression": "series = :series AND begins_with(entry, :prefix)",
            "ExpressionAttributeValues": {":series": {"S": REGION}, ":prefix": {"S": prefix}},
        }
        if newest is not None:
            request |= {"ScanIndexForward": False, "Limit": newest}
        items: list[Item] = []
        try:
            while True:
                page = self.ledger_client.query(**request)
                items += map(tables.plain, page["Items"])
                if "LastEvaluatedKey" not in page or (newest is not None and len(items) >= newest):
                    return items
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]
        except (BotoCoreError, ClientError) as error:
            raise Unreachable("ledger", str(error)) from error


@dataclass(frozen=True)
class Reader(LedgerReader):
    """Reads one stack whose tables are in Timestream. Rows come in the order of their dates, then of their
    entry.

    Every method raises Unreachable.
    """

    query_client: Any
    database: str
    daily_table: str
    revisions_table: str

    def daily(self) -> list[Row]:
        """Each day as it stands, oldest first; empty before the first run."""
        return self._rows(f'SELECT *, "time" AS date FROM {self._daily} {_region()} ORDER BY "time"')

    def revisions(self, date: dt.date | None = None) -> list[Row]:
        """Every entry ever made of a date, or of all dates: by date, then oldest first."""
        narrowed = f" AND date = '{date.isoformat()}'" if date else ""
        return self._rows(f"SELECT * FROM {self._revisions} {_region()}{narrowed} ORDER BY date, recorded_at")

    def as_of(self, moment: dt.datetime) -> list[Row]:
        """Each day as it was believed at that moment (inclusive), oldest first."""
        when = f"from_milliseconds({version(moment)})"
        return self._rows(
            "SELECT * FROM (SELECT *, "
            'row_number() OVER (PARTITION BY date ORDER BY "time" DESC) AS place '
            f'FROM {self._revisions} {_region()} AND "time" <= {when}) WHERE place = 1 ORDER BY date'
        )

    @property
    def _daily(self) -> str:
        return f'"{self.database}"."{self.daily_table}"'

    @property
    def _revisions(self) -> str:
        return f'"{self.database}"."{self.revisions_table}"'

    def _rows(self, sql: str) -> list[Row]:
        return list(map(day_from_row, self._pages(sql)))

    def _pages(self, sql: str) -> Iterator[dict[str, str | None]]:
        """The result's rows as texts by column; a page may be empty and yet not be the last."""
        request: dict[str, Any] = {"QueryString": sql}
        while True:
            try:
                page = self.query_client.query(**request)
            except self.query_client.exceptions.ValidationException as error:
                if NO_COLUMN.search(str(error)):
                    return
                raise
            names = [column["Name"] for column in page["ColumnInfo"]]
            for row in page["Rows"]:
                yield {name: cell.get("ScalarValue") for name, cell in zip(names, row["Data"], strict=True)}
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]


def stamp(rows: Iterable[Row]) -> int:
    """The sum of the rows' versions: equal to the head's stamp when nothing is missing."""
    return sum(row.version for row in rows)


def _region() -> str:
    return f"WHERE region = '{REGION}'"


def _file(item: Item) -> SourceFile:
    return SourceFile(
        source=item["entry"].removeprefix(tables.FILE),
        sha256=item["sha256"],
        rows=item["rows"],
        newest=dt.date.fromisoformat(item["newest"]),
        checked_at=moment(item["checked_at"]),
    )


def _told(item: Item) -> Told:
    return Told(
        notice=tables.notice_of(item),
        created_at=moment(item["created_at"]),
        state=item["state"],
        sent_at=moment(item["sent_at"]) if "sent_at" in item else None,
    )
