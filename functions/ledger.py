"""The ledger, in DynamoDB: what has been acknowledged, and what every run came to.

Whatever changes the ledger is one transaction that also moves the head, on the condition that nobody
moved it since it was read. So what a caller computed from its reads still holds, or nothing is written.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from botocore.exceptions import ClientError

from functions.clients import code
from functions.errors import AlreadyTold, LedgerMoved, StoreBusy
from schemas import tables
from schemas.day import REGION
from schemas.moment import written
from schemas.notice import Notice
from schemas.run import Acknowledged, Head, Run

LEASE = dt.timedelta(minutes=5)
RECENT_RUNS = 10
MAX_TRIES = 5


@dataclass(frozen=True)
class Reading:
    """The ledger as read at one moment: the head, a run, and the entries of some days."""

    head: Head
    run: Run | None
    entries: Mapping[dt.date, Acknowledged]


class Ledger:
    """One region's series in the ledger table."""

    def __init__(self, client: Any, table: str, region: str = REGION) -> None:
        self._client = client
        self._table = table
        self._region = region

    def of(self, region: str) -> Self:
        """Another region's series in the same table."""
        return type(self)(self._client, self._table, region)

    def head(self) -> Head:
        """The head; as it is before anything when there is none."""
        found = self._client.get_item(TableName=self._table, Key=self._key(tables.HEAD), ConsistentRead=True)
        return tables.head_of(tables.plain(found.get("Item", {})))

    def days(self) -> dict[dt.date, Acknowledged]:
        """Every day that was ever acknowledged, oldest first."""
        return {day.date: day for day in map(tables.day_of, self._query(tables.DAY))}

    def acceptances(self) -> dict[tuple[dt.date, str], str]:
        """What operators took responsibility for: date, and the day's digest or "gone"; with their reason."""
        found = {}
        for item in self._query(tables.ACCEPT):
            _, date, digest = item["entry"].split("#")
            found[dt.date.fromisoformat(date), digest] = item.get("reason", "")
        return found

    def recent_runs(self, limit: int = RECENT_RUNS) -> list[Run]:
        """The last runs, newest first."""
        return [tables.run_of(item) for item in self._query(tables.RUN, newest=limit)]

    def read(self, run: str | None, dates: Iterable[dt.date] = ()) -> Reading:
        """Head, run and days in one consistent look. At most 98 dates. ``run`` in the answer is None
        where the ledger doesn't know it. Raises StoreBusy where the table can't answer it all."""
        wanted = [tables.HEAD, *(tables.DAY + date.isoformat() for date in dates)]
        wanted += [] if run is None else [tables.RUN + run]
        request: Any = {
            self._table: {"Keys": [self._key(entry) for entry in wanted], "ConsistentRead": True},
        }
        items: list[tables.Item] = []
        for _ in range(MAX_TRIES):
            found = self._client.batch_get_item(RequestItems=request)
            items += map(tables.plain, found["Responses"].get(self._table, []))
            request = found.get("UnprocessedKeys")
            if not request:
                break
        else:
            raise StoreBusy(f"{self._table} left keys unread in {MAX_TRIES} tries")
        by_entry = {item["entry"]: item for item in items}
        head = tables.head_of(by_entry.pop(tables.HEAD, {}))
        stored = by_entry.pop(tables.RUN + run, None) if run else None
        days = map(tables.day_of, by_entry.values())
        return Reading(head, tables.run_of(stored) if stored else None, {day.date: day for day in days})

    def commit(
        self,
        head: tuple[Head, Head],
        *,
        runs: Sequence[tuple[Run | None, Run]] = (),
        days: Sequence[tuple[Acknowledged | None, Acknowledged]] = (),
        files: Sequence[tables.Item] = (),
        notices: Sequence[Notice] = (),
        now: dt.datetime,
    ) -> Head:
        """All of it or nothing; the head as it stands afterwards, the notices among its unsent ones.

        Raises LedgerMoved when anything was changed since it was read, AlreadyTold when a notice exists.
        """
        before, after = head
        unsent = after.unsent | {notice.id for notice in notices}
        after = replace(after, unsent=unsent, moves=before.moves + 1)
        told = [self._put(None, tables.notice_item(notice, now), None) for notice in notices]
        operations = [
            *told,
            self._update(tables.head_item(before), tables.head_item(after), "moves", before.moves or None),
            *(self._run(*change) for change in runs),
            *(self._put("version", tables.day_item(new), old.version if old else None) for old, new in days),
            *(self._set(item) for item in files),
        ]
        try:
            self._client.transact_write_items(TransactItems=operations)
        except ClientError as error:
            if code(error) != "TransactionCanceledException":
                raise
            codes = _reasons(error)
            if "ConditionalCheckFailed" in codes[: len(told)]:
                raise AlreadyTold(", ".join(notice.id for notice in notices)) from error
            if set(codes) <= {"None", "ConditionalCheckFailed", "TransactionConflict"}:
                raise LedgerMoved(str(codes)) from error
            raise
        return after

    def told(self, notice: str) -> bool:
        """Whether there is a notice of this id, sent or not."""
        entry = self._key(tables.NOTICE + notice)
        found = self._client.get_item(
            TableName=self._table, Key=entry, ProjectionExpression="entry", ConsistentRead=True
        )
        return "Item" in found

    def lease(self, notice: str, holder: str, now: dt.datetime) -> Notice | None:
        """The notice, ours to send for five minutes; None when it was sent or another holds it."""
        try:
            found = self._client.update_item(
                TableName=self._table,
                Key=self._key(tables.NOTICE + notice),
                UpdateExpression="SET #state = :leased, holder = :holder, leased_until = :until",
                ConditionExpression="#state = :unsent OR (#state = :leased AND "
                "(holder = :holder OR leased_until < :now))",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=tables.attributes(
                    {
                        ":unsent": "unsent",
                        ":leased": "leased",
                        ":holder": holder,
                        ":until": written(now + LEASE),
                        ":now": written(now),
                    }
                ),
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if code(error) == "ConditionalCheckFailedException":
                return None
            raise
        return tables.notice_of(tables.plain(found["Attributes"]))

    def mark_sent(self, notice: str, now: dt.datetime) -> None:
        """The notice is sent, and no longer among the head's unsent ones. Tried again where another moves
        the head at that moment: not marked, it would be sent a second time."""
        done = {"entry": tables.NOTICE + notice, "state": "sent", "sent_at": written(now)}
        removal = {
            "TableName": self._table,
            "Key": self._key(tables.HEAD),
            "UpdateExpression": "DELETE unsent :notice",
            "ExpressionAttributeValues": {":notice": {"SS": [notice]}},
        }
        for tries in range(1, MAX_TRIES + 1):
            try:
                self._client.transact_write_items(TransactItems=[self._set(done), {"Update": removal}])
                return
            except ClientError as error:
                if "TransactionConflict" not in _reasons(error) or tries == MAX_TRIES:
                    raise

    def _key(self, entry: str) -> dict[str, Any]:
        return tables.key(entry, self._region)

    def _query(self, prefix: str, newest: int | None = None) -> list[tables.Item]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "series = :series AND begins_with(entry, :prefix)",
            "ExpressionAttributeValues": {":series": {"S": self._region}, ":prefix": {"S": prefix}},
            "ConsistentRead": True,
        }
        if newest is not None:
            request |= {"ScanIndexForward": False, "Limit": newest}
        items: list[tables.Item] = []
        while True:
            page = self._client.query(**request)
            items += map(tables.plain, page["Items"])
            if "LastEvaluatedKey" not in page or (newest is not None and len(items) >= newest):
                return items[:newest]
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _run(self, before: Run | None, after: Run) -> dict[str, Any]:
        if before is None:
            return self._put("entries", tables.run_item(after), None)
        update = self._update(tables.run_item(before), tables.run_item(after), "entries", before.entries)
        change = update["Update"]  # what ends a run counts no entry
        change["ConditionExpression"] += " AND #was = :was"
        change["ExpressionAttributeNames"]["#was"] = "state"
        change["ExpressionAttributeValues"][":was"] = {"S": before.state}
        return update

    def _put(self, counter: str | None, item: tables.Item, expected: int | None) -> dict[str, Any]:
        """Put where ``counter`` is as expected; None: where there is no such item."""
        put: dict[str, Any] = {
            "TableName": self._table,
            "Item": self._key(item["entry"]) | tables.attributes(item),
            "ConditionExpression": "attribute_not_exists(entry)",
        }
        if expected is not None:
            put["ConditionExpression"] = "#counter = :expected"
            put["ExpressionAttributeNames"] = {"#counter": counter}
            put["ExpressionAttributeValues"] = {":expected": {"N": str(expected)}}
        return {"Put": put}

    def _set(self, item: tables.Item) -> dict[str, Any]:
        """Set these attributes and leave the others."""
        return self._update({"entry": item["entry"]}, item)

    def _update(
        self, before: tables.Item, after: tables.Item, counter: str | None = None, expected: int | None = None
    ) -> dict[str, Any]:
        """What turns one item into the other. Sets grow and shrink by their members, so that what
        another added meanwhile stays."""
        old, new = tables.attributes(before), tables.attributes(after)
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        clauses: dict[str, list[str]] = {}

        def clause(verb: str, text: str, name: str, value: Any = None) -> None:
            names[f"#{name}"] = name
            if value is not None:
                values[f":{name}"] = value
            clauses.setdefault(verb, []).append(text.format(name=f"#{name}", value=f":{name}"))

        for name in sorted((old.keys() | new.keys()) - {"entry"}):
            had, has = old.get(name), new.get(name)
            if had == has:
                continue
            members = [set((side or {"SS": []}).get("SS", [])) for side in (had, has)]
            added, gone = members[1] - members[0], members[0] - members[1]
            if added and not gone:
                clause("ADD", "{name} {value}", name, {"SS": sorted(added)})
            elif gone and not added:
                clause("DELETE", "{name} {value}", name, {"SS": sorted(gone)})
            elif has is None:
                clause("REMOVE", "{name}", name)
            else:
                clause("SET", "{name} = {value}", name, has)
        update: dict[str, Any] = {
            "TableName": self._table,
            "Key": self._key(after["entry"]),
            "UpdateExpression": " ".join(f"{verb} {', '.join(texts)}" for verb, texts in clauses.items()),
        }
        if expected is not None:
            names["#counter"] = str(counter)
            values[":expected"] = {"N": str(expected)}
            update["ConditionExpression"] = "#counter = :expected"
        elif counter is not None:
            names["#counter"] = counter
            update["ConditionExpression"] = "attribute_not_exists(#counter)"
        if values:
            update["ExpressionAttributeValues"] = values
        update["ExpressionAttributeNames"] = names
        return {"Update": update}


def _reasons(error: ClientError) -> list[str]:
    """Why a transaction was cancelled: a word for each of its operations, in their order."""
    return [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]
