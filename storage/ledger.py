"""The ledger, in DynamoDB: what has been acknowledged, and what every run came to.

A change is one transaction. Each item in it is written on the condition that nobody changed it since it was
read, so that what a caller computed from its reads still holds, or nothing is written.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from schemas.day import REGION
from schemas.ledger import Acceptance, Acknowledged, Head, Run, SentNotice, SourceFile
from schemas.moment import moment, written
from schemas.notice import FOLDED, Notice
from storage import ledger_items as items
from storage.aws import asking, cancellation_codes, code, delete
from storage.change import Change, Reading
from storage.errors import AlreadyTold, LedgerMoved, Unreachable

LEASE = dt.timedelta(minutes=5)
RECENT_RUNS = 10
KEYS_PER_READ = 100  # DynamoDB BatchGetItem
MAX_TRIES = 5
MAX_AMENDMENTS = 20  # of the head, which live runs move
# A run's notices begin with its time; the others are about a record, a batch or a backfill.
NOTICES = tuple(items.NOTICE + kind for kind in ("2", "aside/", "undelivered/", FOLDED))
RECENT_NOTICES = 20


@dataclass(frozen=True)
class Committed:
    """The head and the runs of a change once it is made, the new notices among the head's unsent ones."""

    head: Head
    runs: tuple[Run, ...]


class Ledger:
    """The ledger table. Every read is consistent, and raises Unreachable where it fails."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        self.answered: dt.datetime | None = None  # Date header of the last read by key

    @asking("ledger")
    def head(self) -> Head:
        """The head; as it is before anything where there is none."""
        reply = self._client.get_item(TableName=self._table, Key=items.key(items.HEAD), ConsistentRead=True)
        return items.head_of(items.plain(self._dated(reply).get("Item", {})))

    def _dated(self, reply: dict[str, Any]) -> dict[str, Any]:
        date = reply.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        self.answered = parsedate_to_datetime(date).astimezone(dt.UTC) if date else None
        return reply

    def days(self) -> dict[dt.date, Acknowledged]:
        """Every day that was ever acknowledged, oldest first."""
        return {day.date: day for day in map(items.day_of, self._query(items.DAY))}

    def acceptances(self) -> list[Acceptance]:
        """What operators took responsibility for, oldest date first."""
        return [items.acceptance_of(item) for item in self._query(items.ACCEPT)]

    def runs(self, limit: int | None = RECENT_RUNS) -> list[Run]:
        """The last runs, newest first; every run, oldest first, where there is no limit."""
        return [items.run_of(item) for item in self._query(items.RUN, newest=limit)]

    def run_asked_by(self, request: str) -> Run | None:
        """The run of this request, a recent one; None where none was stored."""
        return next((run for run in self.runs() if run.request == request), None)

    def files(self) -> list[SourceFile]:
        """Each source's file as last checked; a source whose file was never believed is left out."""
        return [items.file_of(item) for item in self._query(items.FILE) if "sha256" in item]

    def notices(self, limit: int = RECENT_NOTICES) -> list[SentNotice]:
        """The last notices, newest first."""
        kinds = [items.sent_notice_of(item) for kind in NOTICES for item in self._query(kind, newest=limit)]
        return sorted(kinds, key=lambda sent: sent.created_at, reverse=True)[:limit]

    def read(self, run: str | None, dates: Iterable[dt.date] = ()) -> Reading:
        """The head, the run, these days, and every other run that owes dates."""
        wanted = [items.HEAD, *(items.DAY + date.isoformat() for date in dates)]
        wanted += [] if run is None else [items.RUN + run]
        by_entry = {item["entry"]: item for item in self._get(wanted)}
        head = items.head_of(by_entry.pop(items.HEAD, {}))
        stored = by_entry.pop(items.RUN + run, None) if run else None
        return Reading(
            head=head,
            run=items.run_of(stored) if stored else None,
            others=tuple(self.runs_named(head.owing - {run})),
            days={day.date: day for day in map(items.day_of, by_entry.values())},
        )

    def owing(self) -> Reading:
        """The head, every run that owes dates, and the days that are known of the dates they owe."""
        head = self.head()
        runs = tuple(self.runs_named(head.owing))
        dates = sorted({date for run in runs for date in run.unaccounted})
        return Reading(head, None, runs, self.days_of(dates))

    def runs_named(self, names: Iterable[str]) -> list[Run]:
        """These runs, oldest first; a name that the ledger does not know is left out."""
        return sorted(
            map(items.run_of, self._get(items.RUN + name for name in names)), key=lambda run: run.time
        )

    def days_of(self, dates: Iterable[dt.date]) -> dict[dt.date, Acknowledged]:
        """These days as acknowledged; one that never was is left out."""
        found = map(items.day_of, self._get(items.DAY + date.isoformat() for date in dates))
        return {day.date: day for day in found}

    def made(self, notices: Iterable[str]) -> frozenset[str]:
        """The ids among these of which there is a notice, sent or not."""
        found = self._get(items.NOTICE + notice for notice in notices)
        return frozenset(item["entry"].removeprefix(items.NOTICE) for item in found)

    @asking("ledger")
    def _get(self, entries: Iterable[str]) -> list[items.Item]:
        remaining = iter(entries)
        found: list[items.Item] = []
        while keys := [items.key(entry) for entry in islice(remaining, KEYS_PER_READ)]:
            request: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
            for _ in range(MAX_TRIES):
                reply = self._dated(self._client.batch_get_item(RequestItems=request))
                found += map(items.plain, reply["Responses"].get(self._table, []))
                request = reply.get("UnprocessedKeys")
                if not request:
                    break
            else:
                raise Unreachable("ledger", f"{self._table} left keys unread in {MAX_TRIES} tries")
        return found

    @asking("ledger")
    def _query(self, prefix: str, newest: int | None = None) -> list[items.Item]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "series = :series AND begins_with(entry, :prefix)",
            "ExpressionAttributeValues": {":series": {"S": REGION}, ":prefix": {"S": prefix}},
            "ConsistentRead": True,
        }
        if newest is not None:
            request |= {"ScanIndexForward": False, "Limit": newest}
        found: list[items.Item] = []
        while True:
            page = self._client.query(**request)
            found += map(items.plain, page["Items"])
            if "LastEvaluatedKey" not in page or (newest is not None and len(found) >= newest):
                return found[:newest]
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def commit(self, change: Change) -> Committed:
        """Do all of the change or nothing; head and runs as they stand afterwards.

        Raises LedgerMoved when anything was changed since it was read, AlreadyTold when a notice exists,
        Unreachable when it is not known what became of the transaction, or when it was refused.
        """
        before, after = change.head
        runs = tuple(new if old == new else replace(new, moves=new.moves + 1) for old, new in change.runs)
        if change.is_empty:
            return Committed(after, runs)
        after = replace(after, unsent=after.unsent | {notice.id for notice in change.notices})
        notices = [self._create(items.notice_item(notice, change.at)) for notice in change.notices]
        operations = [
            *notices,
            *([self._change(items.head_item(before), items.head_item(after))] if after != before else []),
            *(self._run(old, new) for old, new in change.runs if old != new),
            *(self._day(old, new) for old, new in change.days),
            *(self._set(items.file_item(file)) for file in change.files),
            *(self._set(items.checked_item(source, change.at)) for source in change.unchanged),
            *(self._create(items.acceptance_item(acceptance)) for acceptance in change.acceptances),
        ]
        try:
            self._client.transact_write_items(TransactItems=operations)
        except ClientError as error:
            codes = cancellation_codes(error)
            if "ConditionalCheckFailed" in codes[: len(notices)]:
                raise AlreadyTold(", ".join(notice.id for notice in change.notices)) from error
            if codes and set(codes) <= {"None", "ConditionalCheckFailed", "TransactionConflict"}:
                raise LedgerMoved(str(codes)) from error
            raise Unreachable("ledger", str(error)) from error
        except BotoCoreError as error:
            raise Unreachable("ledger", str(error)) from error
        return Committed(replace(after, moves=before.moves + 1) if after != before else after, runs)

    def amend(self, now: dt.datetime, amended: Callable[[Head], Head]) -> Head:
        """Change the head alone; the head afterwards. Raises LedgerMoved where it moves all the time."""
        for _ in range(MAX_AMENDMENTS):
            head = self.head()
            try:
                return self.commit(Change(now, (head, amended(head)))).head
            except LedgerMoved:
                continue
        raise LedgerMoved(f"under {MAX_AMENDMENTS} attempts at changing its head")

    @asking("ledger")
    def lease(self, notice: str, holder: str, now: dt.datetime) -> Notice | None:
        """The notice, ours to send for five minutes; None when it was sent or another holds it."""
        try:
            reply = self._client.update_item(
                TableName=self._table,
                Key=items.key(items.NOTICE + notice),
                UpdateExpression="SET #state = :leased, holder = :holder, leased_until = :until",
                ConditionExpression="#state = :unsent OR (#state = :leased AND "
                "(holder = :holder OR leased_until < :now))",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=items.attributes(
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
        return items.notice_of(items.plain(reply["Attributes"]))

    @asking("ledger")
    def mark_sent(self, notice: str, now: dt.datetime) -> None:
        """The notice is sent, and no longer among the head's unsent ones. Tried again where another changes
        the head at that moment: not marked, it would be sent a second time."""
        done = {"entry": items.NOTICE + notice, "state": "sent", "sent_at": written(now)}
        removal = {
            "TableName": self._table,
            "Key": items.key(items.HEAD),
            "UpdateExpression": "DELETE unsent :notice",
            "ExpressionAttributeValues": {":notice": {"SS": [notice]}},
        }
        for tries in range(1, MAX_TRIES + 1):
            try:
                self._client.transact_write_items(TransactItems=[self._set(done), {"Update": removal}])
                return
            except ClientError as error:
                if not cancellation_codes(error) or tries == MAX_TRIES:
                    raise

    @asking("ledger")
    def empty(self, dates: Iterable[dt.date]) -> None:
        """Delete these days. For a rebuild, which enters them again."""
        delete(self._client, self._table, [items.key(items.DAY + date.isoformat()) for date in dates])

    @asking("ledger")
    def mark_rebuilt(self, now: dt.datetime) -> None:
        """Remember that the tables were made anew: Timestream may show them incomplete from then on."""
        item = {"entry": items.REBUILT, "at": written(now)}
        self._client.put_item(TableName=self._table, Item=items.key(items.REBUILT) | items.attributes(item))

    def rebuilt_at(self) -> dt.datetime | None:
        """When the tables were last made anew; None where they never were."""
        return next((moment(item["at"]) for item in self._get([items.REBUILT])), None)

    def _run(self, before: Run | None, after: Run) -> dict[str, Any]:
        if before is None:
            return self._create(items.run_item(replace(after, moves=1)))
        return self._change(items.run_item(before), items.run_item(after))

    def _day(self, before: Acknowledged | None, after: Acknowledged) -> dict[str, Any]:
        put = self._create(items.day_item(after))
        if before is not None:
            put["Put"] |= {
                "ConditionExpression": "version = :version AND seen = :seen AND entries = :entries",
                "ExpressionAttributeValues": items.attributes(
                    {":version": before.version, ":seen": before.seen, ":entries": before.entries}
                ),
            }
        return put

    def _create(self, item: items.Item) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": items.key(item["entry"]) | items.attributes(item),
                "ConditionExpression": "attribute_not_exists(entry)",
            }
        }

    def _set(self, item: items.Item) -> dict[str, Any]:
        """Set these attributes and leave the others."""
        return self._update({"entry": item["entry"]}, item)

    def _change(self, before: items.Item, after: items.Item) -> dict[str, Any]:
        """Update an item that counts its ``moves``, where they are as they were read."""
        moves = before["moves"]
        update = self._update(before, after | {"moves": moves + 1})
        if moves:
            update["Update"]["ConditionExpression"] = "#moves = :read"
            update["Update"]["ExpressionAttributeValues"][":read"] = {"N": str(moves)}
        else:
            update["Update"]["ConditionExpression"] = "attribute_not_exists(#moves)"
        return update

    def _update(self, before: items.Item, after: items.Item) -> dict[str, Any]:
        """Turn one item into the other. Sets grow and shrink by their members, so that what another added
        meanwhile stays."""
        old, new = items.attributes(before), items.attributes(after)
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
            "Key": items.key(after["entry"]),
            "UpdateExpression": " ".join(f"{verb} {', '.join(texts)}" for verb, texts in clauses.items()),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        return {"Update": update}
