"""The tables in Timestream for LiveAnalytics."""

import datetime as dt
import re
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from schemas.day import REGION, Day
from schemas.figures import FIGURES, Counts
from schemas.moment import version
from storage.aws import asking, code
from storage.errors import Unreachable
from storage.tables import Row

MEASURE = "day"
MAX_RECORDS_PER_WRITE = 100  # Timestream WriteRecords
FIRST_DATE = dt.date(1970, 1, 1)  # an earlier time is no valid request, and fails the whole call
# Timestream knows a column only once a record has carried it: a table that was never written to has none.
NO_COLUMN = re.compile(r"Column '?\"?\w+'?\"? does not exist", re.IGNORECASE)
PROPERTIES = ("RetentionProperties", "MagneticStoreWriteProperties")
MAX_TRIES = 60
SECONDS = 2.0  # between two attempts at making a table while the old one is being deleted


class TimestreamTables:
    """The two tables of one database."""

    def __init__(self, client: Callable[[str], Any], database: str, daily: str, revisions: str) -> None:
        self._client = client
        self._database = database
        self._daily = daily
        self._revisions = revisions

    @cached_property
    def _write_client(self) -> Any:
        return self._client("timestream-write")

    @cached_property
    def _query_client(self) -> Any:
        return self._client("timestream-query")

    def write(self, rows: Sequence[Row], behind: Collection[str] = ()) -> Mapping[str, str]:
        # An older row would be a version conflict, which the magnetic store reports hours later.
        refused = {row.event: "lies before 1970" for row in rows if row.day.date < FIRST_DATE}
        refused |= self._write(self._revisions, [r for r in rows if r.event not in refused], revision_record)
        current = [r for r in rows if r.event not in refused and r.event not in behind]
        return refused | self._write(self._daily, current, daily_record)

    @asking("store")
    def _write(self, table: str, rows: Iterable[Row], record: Any) -> dict[str, str]:
        """Write, and give back the refused rows' event ids with the reason."""
        refused: dict[str, str] = {}
        remaining = iter(rows)
        while batch := list(islice(remaining, MAX_RECORDS_PER_WRITE)):
            try:
                self._write_client.write_records(
                    DatabaseName=self._database, TableName=table, Records=[record(row) for row in batch]
                )
            except ClientError as error:
                if code(error) != "RejectedRecordsException":
                    raise
                reply: Any = error.response
                for rejected in reply["RejectedRecords"]:
                    if not (table == self._daily and _is_older(rejected)):
                        refused[batch[rejected["RecordIndex"]].event] = rejected["Reason"]
        return refused

    def daily(self) -> list[Row]:
        return self._rows(
            f'SELECT *, "time" AS date FROM {self._name(self._daily)} {REGIONAL} ORDER BY "time"'
        )

    def entries(self, date: dt.date | None = None) -> list[Row]:
        narrowed = f" AND date = '{date.isoformat()}'" if date else ""
        table = self._name(self._revisions)
        return self._rows(f"SELECT * FROM {table} {REGIONAL}{narrowed} ORDER BY date, recorded_at")

    def as_of(self, moment: dt.datetime) -> list[Row]:
        table, when = self._name(self._revisions), f"from_milliseconds({version(moment)})"
        return self._rows(
            "SELECT * FROM (SELECT *, "
            'row_number() OVER (PARTITION BY date ORDER BY "time" DESC) AS place '
            f'FROM {table} {REGIONAL} AND "time" <= {when}) WHERE place = 1 ORDER BY date'
        )

    def _name(self, table: str) -> str:
        return f'"{self._database}"."{table}"'

    @asking("store")
    def _rows(self, sql: str) -> list[Row]:
        return [row_of(texts) for texts in self._pages(sql) if has_every_column(texts)]

    def _pages(self, sql: str) -> Iterator[dict[str, str | None]]:
        """The result's rows as texts by column; a page may be empty and yet not be the last."""
        request: dict[str, Any] = {"QueryString": sql}
        while True:
            try:
                page = self._query_client.query(**request)
            except self._query_client.exceptions.ValidationException as error:
                if NO_COLUMN.search(str(error)):
                    return
                raise
            names = [column["Name"] for column in page["ColumnInfo"]]
            for row in page["Rows"]:
                yield {name: cell.get("ScalarValue") for name, cell in zip(names, row["Data"], strict=True)}
            if not page.get("NextToken"):
                return
            request["NextToken"] = page["NextToken"]

    @asking("store")
    def empty(self) -> None:
        """Delete the tables and make them again with the same properties: Timestream deletes no rows. One
        table at a time: where an earlier attempt ended in between, the other one still has the properties."""
        for table, other in ((self._daily, self._revisions), (self._revisions, self._daily)):
            self._make_again(table, other)

    def _make_again(self, table: str, other: str) -> None:
        write = self._write_client
        found = self._describe(table)
        tags: list[Any] = []
        if found is None:
            found = self._describe(other) or {}
            location = found.get("MagneticStoreWriteProperties", {}).get(
                "MagneticStoreRejectedDataLocation", {}
            )
            if "S3Configuration" in location:
                location["S3Configuration"]["ObjectKeyPrefix"] = table
        else:
            tags = write.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"]
            write.delete_table(DatabaseName=self._database, TableName=table)
        properties = {name: found[name] for name in PROPERTIES if name in found}
        for _ in range(MAX_TRIES):
            try:
                write.create_table(DatabaseName=self._database, TableName=table, Tags=tags, **properties)
                return
            except write.exceptions.ConflictException:  # the old one isn't gone yet
                threading.Event().wait(SECONDS)
        raise Unreachable("store", f"the table {table} was deleted, and can't be made again yet")

    def _describe(self, table: str) -> Any:
        write = self._write_client
        try:
            return write.describe_table(DatabaseName=self._database, TableName=table)["Table"]
        except write.exceptions.ResourceNotFoundException:
            return None


REGIONAL = f"WHERE region = '{REGION}'"
COLUMNS = {"date", "event_id", "recorded_at"}  # beside those of the figures


def _is_older(rejected: Mapping[str, Any]) -> bool:
    """Whether the row was refused because a newer version stands, which AWS does not always number."""
    return "ExistingVersion" in rejected or "record version" in rejected["Reason"].lower()


def daily_record(row: Row) -> dict[str, Any]:
    """The row of ``daily``: its time is the date at 00:00 UTC, its Version decides which entry stands."""
    midnight = dt.datetime.combine(row.day.date, dt.time(), dt.UTC)
    return _record(row, version(midnight), [("region", REGION)], [])


def revision_record(row: Row) -> dict[str, Any]:
    """The row of ``revisions``: its time is when the day was entered, so that every entry stays."""
    dimensions = [("region", REGION), ("date", row.day.date.isoformat())]
    return _record(row, row.version, dimensions, [("run", row.run, "VARCHAR")])


def _record(row: Row, time: int, dimensions: list[tuple[str, str]], more: list[Any]) -> dict[str, Any]:
    measures: list[tuple[str, Any, str]] = []
    carried = row.day.counts.carried
    for figure in (figure for figure in FIGURES if figure.name in carried):
        value = carried[figure.name]
        if figure.nullable:
            # Timestream has no way to write a null: readers believe the figure only where this is true.
            measures.append((figure.reported, "false" if value is None else "true", "BOOLEAN"))
        if value is not None:
            measures.append((figure.name, value, "BIGINT"))
    measures += [("event_id", row.event, "VARCHAR"), ("recorded_at", row.version, "TIMESTAMP"), *more]
    return {
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
        "MeasureName": MEASURE,
        "MeasureValueType": "MULTI",
        "MeasureValues": [
            {"Name": name, "Value": str(value), "Type": kind} for name, value, kind in measures
        ],
        "Time": str(time),
        "TimeUnit": "MILLISECONDS",
        "Version": row.version,
    }


def has_every_column(texts: Mapping[str, str | None]) -> bool:
    """Whether a row can be read. The columns of a new table do not all appear at once: a row that lacks some
    is not visible yet. No row from before a later figure has its columns."""
    figures = {f.reported if f.nullable else f.name for f in FIGURES if not f.is_later}
    reported = {figure.name for figure in FIGURES if figure.nullable and texts.get(figure.reported) == "true"}
    return texts.keys() >= COLUMNS | figures | reported


def row_of(texts: Mapping[str, str | None]) -> Row:
    """A row out of a query's texts by column."""
    values = {
        figure.name: int(str(texts[figure.name]))
        for figure in FIGURES
        if not figure.nullable or texts.get(figure.reported) == "true"
    }
    recorded = dt.datetime.fromisoformat(str(texts["recorded_at"])[:23]).replace(tzinfo=dt.UTC)
    return Row(
        day=Day(dt.date.fromisoformat(str(texts["date"])[:10]), Counts.read(values)),
        version=version(recorded),
        event=str(texts["event_id"]),
        run=texts.get("run"),
    )
