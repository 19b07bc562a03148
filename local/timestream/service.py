"""A stand-in for Amazon Timestream for LiveAnalytics: databases, tables and WriteRecords, by the documents.

Requests and responses are the wire's JSON: PascalCase keys, numbers, strings. Query: see timestream_query.
Times are kept to the microsecond, as DuckDB does; identities to the nanosecond.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from local.timestream.records import NANOSECONDS, Record, Rejected, ServiceError, invalid, merged, parsed
from local.timestream.table import EPOCH, Table, open_store, quoted

# https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html
MAX_RECORDS_PER_WRITE = 100
MAX_MEMORY_HOURS = 8_766
MAX_MAGNETIC_DAYS = 73_000
DEFAULT_MEMORY_HOURS = 6
FUTURE_WINDOW = timedelta(minutes=15)
MAX_RESULTS = 20  # a page of ListTables and ListDatabases
RESOURCE_NAME = re.compile(r"[a-zA-Z0-9_.-]{3,256}")

Request = dict[str, Any]
Response = dict[str, Any]
Report = Callable[[str, str, bytes], None]  # bucket, key, body


class HasNow(Protocol):
    def now(self) -> datetime: ...


class Timestream:
    """All databases of one account. Thread-safe. Magnetic writes may be seen later, on AWS up to 6 hours."""

    def __init__(
        self,
        clock: HasNow,
        report: Report | None = None,
        magnetic_visible_after: timedelta = timedelta(0),
        endpoint: str = "http://127.0.0.1",
    ) -> None:
        self.clock = clock
        self.report = report
        self.magnetic_visible_after = magnetic_visible_after
        self.endpoint = endpoint
        self.lock = threading.RLock()
        self.connection = open_store()
        self._databases: dict[str, datetime] = {}
        self._tables: dict[tuple[str, str], Table] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self._serial = 0

    def handle(self, action: str, request: Request) -> Response:
        """`action` is the operation's name, like WriteRecords. Raises ServiceError."""
        operation = OPERATIONS.get(action)
        if operation is None:
            raise ServiceError("UnknownOperationException", f"The stand-in for Timestream has no {action}.")
        with self.lock:
            return operation(self, request) or {}

    def close(self) -> None:
        with self.lock:
            self.connection.close()

    def table(self, database: str, name: str) -> Table | None:
        return self._tables.get((database, name))

    def load(self) -> None:
        """Makes the rows that are visible now known to DuckDB."""
        now = self.clock.now()
        for table in self._tables.values():
            table.load(now)

    def describe_endpoints(self, _request: Request) -> Response:
        # With its scheme, or botocore would put https:// before it.
        return {"Endpoints": [{"Address": self.endpoint, "CachePeriodInMinutes": 1440}]}

    def create_database(self, request: Request) -> Response:
        name = _resource_name(request, "DatabaseName")
        if name in self._databases:
            raise ServiceError("ConflictException", f"The database {name} already exists.")
        self._databases[name] = self.clock.now()
        self.connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(name)}")
        return {"Database": self._describe_database(name)}

    def describe_database(self, request: Request) -> Response:
        return {"Database": self._describe_database(self._database(request))}

    def delete_database(self, request: Request) -> None:
        name = self._database(request)
        if any(database == name for database, _ in self._tables):
            raise invalid(f"The database {name} can't be deleted: it contains tables.")
        del self._databases[name]

    def list_databases(self, request: Request) -> Response:
        names, token = _page(sorted(self._databases), request)
        return {"Databases": [self._describe_database(name) for name in names], **token}

    def create_table(self, request: Request) -> Response:
        key = self._database(request), _resource_name(request, "TableName")
        if key in self._tables:
            raise ServiceError("ConflictException", f"The table {key[1]} already exists.")
        retention = _retention(request, DEFAULT_MEMORY_HOURS, MAX_MAGNETIC_DAYS)
        magnetic_writes = request.get("MagneticStoreWriteProperties") or {"EnableMagneticStoreWrites": False}
        now = self.clock.now()
        self._serial += 1
        table = Table(
            self.connection, self._serial, *key, *retention, magnetic_writes, created=now, updated=now
        )
        self._tables[key] = table
        return {"Table": _describe_table(table)}

    def describe_table(self, request: Request) -> Response:
        return {"Table": _describe_table(self._table(request))}

    def update_table(self, request: Request) -> Response:
        """A longer retention holds at once; on AWS the new window fills with time."""
        table = self._table(request)
        table.memory_hours, table.magnetic_days = _retention(request, table.memory_hours, table.magnetic_days)
        table.magnetic_writes = request.get("MagneticStoreWriteProperties") or table.magnetic_writes
        table.updated = self.clock.now()
        return {"Table": _describe_table(table)}

    def delete_table(self, request: Request) -> None:
        table = self._table(request)
        table.drop()
        del self._tables[table.database, table.name]

    def list_tables(self, request: Request) -> Response:
        within = self._database(request) if request.get("DatabaseName") else None
        keys, token = _page(sorted(key for key in self._tables if within in (None, key[0])), request)
        return {"Tables": [_describe_table(self._tables[key]) for key in keys], **token}

    def tag_resource(self, request: Request) -> None:
        tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        self._tags.setdefault(request["ResourceARN"], {}).update(tags)

    def list_tags_for_resource(self, request: Request) -> Response:
        tags = self._tags.get(request["ResourceARN"], {})
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def write_records(self, request: Request) -> Response:
        table = self._table(request)
        items = request.get("Records") or []
        if not 1 <= len(items) <= MAX_RECORDS_PER_WRITE:
            raise invalid(f"1 to {MAX_RECORDS_PER_WRITE} records can be written at once, not {len(items)}.")
        whole = [merged(request.get("CommonAttributes") or {}, item) for item in items]

        ingested = {"Total": 0, "MemoryStore": 0, "MagneticStore": 0}
        rejected: list[dict[str, Any]] = []
        reported: list[dict[str, Any]] = []
        for index, item in enumerate(whole):
            try:
                conflict, store = self._write(table, parsed(item))
            except Rejected as error:
                rejected.append(_rejection(index, error))
                continue
            if conflict is not None:
                reported.append({**_rejection(index, conflict), "Record": item})
            ingested["Total"] += 1
            ingested[store] += 1
        if reported:
            self._report(table, reported)
        if rejected:
            message = "One or more records have been rejected. See RejectedRecords for details."
            raise ServiceError("RejectedRecordsException", message, RejectedRecords=rejected)
        return {"RecordsIngested": ingested}

    def _write(self, table: Table, record: Record) -> tuple[Rejected | None, str]:
        """Gives the store, and a conflict that the magnetic store keeps to itself. Raises Rejected."""
        store = self._store_for(table, record)
        if store == "MemoryStore":
            table.write(record, self.clock.now())
            return None, store
        try:
            table.write(record, self.clock.now() + self.magnetic_visible_after)
        except Rejected as conflict:
            if conflict.existing_version is None:
                raise
            return conflict, store
        return None, store

    def _store_for(self, table: Table, record: Record) -> str:
        now = self.clock.now()
        memory_from, magnetic_from = table.windows(now)
        magnetic = table.magnetic_writes.get("EnableMagneticStoreWrites", False)
        earliest, latest = min(memory_from, magnetic_from) if magnetic else memory_from, now + FUTURE_WINDOW
        if not _nanoseconds(earliest) <= record.time_ns <= _nanoseconds(latest):
            store, window = (
                "magnetic" if magnetic else "memory",
                f"[{earliest.isoformat()}, {latest.isoformat()}]",
            )
            raise Rejected(f"The record timestamp is outside the time range {window} of the {store} store.")
        return "MemoryStore" if record.time_ns >= _nanoseconds(memory_from) else "MagneticStore"

    def _report(self, table: Table, records: list[dict[str, Any]]) -> None:
        """On AWS some time later, here at once. The object's key and body are ours: AWS documents neither."""
        location = table.magnetic_writes.get("MagneticStoreRejectedDataLocation", {}).get(
            "S3Configuration", {}
        )
        if self.report is None or not location.get("BucketName"):
            return
        self._serial += 1
        name = f"{self.clock.now():%Y-%m-%dT%H-%M-%S}-{self._serial}.json"
        prefix = location.get("ObjectKeyPrefix", "").strip("/")
        key = "/".join(part for part in (prefix, table.database, table.name, name) if part)
        body = {"DatabaseName": table.database, "TableName": table.name, "RejectedRecords": records}
        self.report(location["BucketName"], key, json.dumps(body).encode())

    def _database(self, request: Request) -> str:
        name = request.get("DatabaseName", "")
        if name not in self._databases:
            raise ServiceError("ResourceNotFoundException", f"The database {name} does not exist.")
        return name

    def _table(self, request: Request) -> Table:
        table = self._tables.get((self._database(request), request.get("TableName", "")))
        if table is None:
            raise ServiceError(
                "ResourceNotFoundException", f"The table {request.get('TableName')} does not exist."
            )
        return table

    def _describe_database(self, name: str) -> Response:
        created = self._databases[name].timestamp()
        return {
            "Arn": _arn(name),
            "DatabaseName": name,
            "TableCount": sum(database == name for database, _ in self._tables),
            "CreationTime": created,
            "LastUpdatedTime": created,
        }


OPERATIONS: dict[str, Callable[[Timestream, Request], Response | None]] = {
    "DescribeEndpoints": Timestream.describe_endpoints,
    "CreateDatabase": Timestream.create_database,
    "DescribeDatabase": Timestream.describe_database,
    "DeleteDatabase": Timestream.delete_database,
    "ListDatabases": Timestream.list_databases,
    "CreateTable": Timestream.create_table,
    "DescribeTable": Timestream.describe_table,
    "UpdateTable": Timestream.update_table,
    "DeleteTable": Timestream.delete_table,
    "ListTables": Timestream.list_tables,
    "TagResource": Timestream.tag_resource,
    "ListTagsForResource": Timestream.list_tags_for_resource,
    "WriteRecords": Timestream.write_records,
}


def _rejection(index: int, error: Rejected) -> dict[str, Any]:
    existing = {} if error.existing_version is None else {"ExistingVersion": error.existing_version}
    return {"RecordIndex": index, "Reason": error.reason, **existing}


def _nanoseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * NANOSECONDS["MICROSECONDS"]


def _retention(request: Request, memory_hours: int, magnetic_days: int) -> tuple[int, int]:
    given = request.get("RetentionProperties") or {}
    memory_hours = given.get("MemoryStoreRetentionPeriodInHours", memory_hours)
    magnetic_days = given.get("MagneticStoreRetentionPeriodInDays", magnetic_days)
    if not 1 <= memory_hours <= MAX_MEMORY_HOURS:
        raise invalid(f"The memory store keeps 1 to {MAX_MEMORY_HOURS} hours, not {memory_hours}.")
    if not 1 <= magnetic_days <= MAX_MAGNETIC_DAYS:
        raise invalid(f"The magnetic store keeps 1 to {MAX_MAGNETIC_DAYS} days, not {magnetic_days}.")
    return memory_hours, magnetic_days


def _resource_name(request: Request, key: str) -> str:
    name = request.get(key, "")
    if not RESOURCE_NAME.fullmatch(name):
        raise invalid(
            f"{key} must be 3 to 256 letters, digits, dots, dashes or underscores, not {name[:40]!r}."
        )
    return name


def _page(keys: list[Any], request: Request) -> tuple[list[Any], dict[str, str]]:
    start, size = int(request.get("NextToken") or 0), request.get("MaxResults") or MAX_RESULTS
    more = {"NextToken": str(start + size)} if start + size < len(keys) else {}
    return keys[start : start + size], more


def _arn(database: str, table: str | None = None) -> str:
    path = f"database/{database}" + (f"/table/{table}" if table else "")
    return f"arn:aws:timestream:us-east-1:123456789012:{path}"


def _describe_table(table: Table) -> Response:
    return {
        "Arn": _arn(table.database, table.name),
        "DatabaseName": table.database,
        "TableName": table.name,
        "TableStatus": "ACTIVE",
        "RetentionProperties": {
            "MemoryStoreRetentionPeriodInHours": table.memory_hours,
            "MagneticStoreRetentionPeriodInDays": table.magnetic_days,
        },
        "MagneticStoreWriteProperties": table.magnetic_writes,
        "CreationTime": table.created.timestamp(),
        "LastUpdatedTime": table.updated.timestamp(),
    }
