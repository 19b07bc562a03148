"""``replay --rebuild``: tables and day entries emptied, and filled again from the log alone.

Started again after an interruption it begins anew, and ends the same.
"""

import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ops.errors import AWS, BROKEN, PENDING, Problem
from ops.output import say
from ops.replay import log_names
from ops.replaying import feed, from_archive, readable
from ops.target import Target
from schemas import tables
from schemas.moment import written
from schemas.tables import DYNAMODB

REBUILT = "rebuilt"  # the ledger's entry that says when: on AWS the tables may trail from then on
MAX_TRIES = 60
SECONDS = 2.0  # between two looks at a table that is being deleted
DELETIONS = 25  # DynamoDB's BatchWriteItem
PROPERTIES = ("RetentionProperties", "MagneticStoreWriteProperties")


def rebuild(target: Target) -> int:
    """How many events the tables are made of now. Raises Problem, with what to do, where it can't be."""
    head = target.ledger.head()
    if head.open:
        raise Problem(
            f"{len(head.open)} run is still under way: {', '.join(sorted(head.open))}",
            "Nothing was changed.",
            "Wait for it (`python -m ops run --wait` follows one), then start again.",
            PENDING,
        )
    count = readable(target)
    before = target.ledger.days().keys()
    say(f"The log can be read: {count:,} events. Emptying the tables …")
    with _alone(target):
        for place in ("daily_table", "revisions_table"):
            _make_anew(target, target.facts[place])
        _forget_days(target)
        total = len(log_names(target.client("s3"), target.facts["archive_bucket"]))
        done, _ = feed(target, from_archive(target, None, None), total)
        _mark(target)
    lost = before - target.ledger.days().keys()
    if lost:
        raise Problem(
            f"{len(lost)} days were acknowledged and are not in the log: {min(lost)} to {max(lost)}.",
            "They are pending: the next run enters them again.",
            "python -m ops run --wait",
            BROKEN,
        )
    return done


@contextmanager
def _alone(target: Target) -> Iterator[None]:
    """Nobody else may enter anything meanwhile. On this machine nobody does; on AWS the mapping rests, and
    the fetcher's invocations wait in Lambda's queue."""
    if not target.aws:
        yield
        return
    functions, name = target.client("lambda"), target.facts["fetcher"]
    reserved = functions.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
    functions.update_event_source_mapping(UUID=target.facts["mapping"], Enabled=False)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    say("The mapping and the fetcher rest until this is done; after a crash, run it again to wake them.")
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=target.facts["mapping"], Enabled=True)
        if reserved:
            functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
        else:
            functions.delete_function_concurrency(FunctionName=name)


def _make_anew(target: Target, table: str) -> None:
    """Have the table empty."""
    if target.facts["store"] == DYNAMODB:
        _empty(target, table)
    else:
        _delete_and_make(target, table)


def _empty(target: Target, table: str) -> None:
    """Take every item out: a table of DynamoDB can be protected from deletion, and has its backups."""
    dynamodb = target.client("dynamodb")
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table, ProjectionExpression="series, entry", ConsistentRead=True
    )
    _delete(dynamodb, table, [item for page in pages for item in page["Items"]])


def _delete(dynamodb: Any, table: str, keys: Sequence[Any]) -> None:
    for place in range(0, len(keys), DELETIONS):
        request: Any = {table: [{"DeleteRequest": {"Key": key}} for key in keys[place : place + DELETIONS]]}
        while request:
            request = dynamodb.batch_write_item(RequestItems=request).get("UnprocessedItems")


def _delete_and_make(target: Target, table: str) -> None:
    """Delete the table and make it again with the same properties. One table at a time: where an earlier
    rebuild died in between, the other one still says what they were."""
    write, database = target.client("timestream-write"), target.facts["database"]
    found = _describe(write, database, table)
    if found is None:
        (other,) = {target.facts["daily_table"], target.facts["revisions_table"]} - {table}
        found = dict(_describe(write, database, other) or {})
        location = found.get("MagneticStoreWriteProperties", {}).get("MagneticStoreRejectedDataLocation", {})
        if "S3Configuration" in location:
            location["S3Configuration"]["ObjectKeyPrefix"] = table
        tags: list[Any] = []
    else:
        tags = write.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"]
        write.delete_table(DatabaseName=database, TableName=table)
    properties = {name: found[name] for name in PROPERTIES if name in found}
    for _ in range(MAX_TRIES):
        try:
            write.create_table(DatabaseName=database, TableName=table, Tags=tags, **properties)
            return
        except write.exceptions.ConflictException:  # the old one isn't gone yet
            threading.Event().wait(SECONDS)
    raise Problem(
        f"The table {table} was deleted and can't be made again: the old one is still there.",
        "The log has everything.",
        "Start the rebuild again in a few minutes.",
        AWS,
    )


def _describe(write: Any, database: str, table: str) -> Any:
    try:
        return write.describe_table(DatabaseName=database, TableName=table)["Table"]
    except write.exceptions.ResourceNotFoundException:
        return None


def _forget_days(target: Target) -> None:
    """Take the day entries from the ledger, and then its stamp and what was settled."""
    dynamodb, table = target.client("dynamodb"), target.facts["ledger_table"]
    _delete(dynamodb, table, [tables.key(tables.DAY + date.isoformat()) for date in target.ledger.days()])
    dynamodb.update_item(
        TableName=table,
        Key=tables.key(tables.HEAD),
        UpdateExpression="SET stamp = :none REMOVE settled ADD moves :one",
        ExpressionAttributeValues={":none": {"N": "0"}, ":one": {"N": "1"}},
    )


def _mark(target: Target) -> None:
    item = tables.key(REBUILT) | tables.attributes({"at": written(target.now())})
    target.client("dynamodb").put_item(TableName=target.facts["ledger_table"], Item=item)


def rebuilt_at(target: Target) -> dt.datetime | None:
    """When the tables were last made anew; None where they never were."""
    found = target.client("dynamodb").get_item(
        TableName=target.facts["ledger_table"], Key=tables.key(REBUILT), ConsistentRead=True
    )
    item = tables.plain(found.get("Item", {}))
    return dt.datetime.fromisoformat(item["at"]) if item else None
