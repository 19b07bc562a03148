"""The consumer: records → decide → archive → store → ledger → notices."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions import lifecycle, log, messages, metrics
from functions.archive import Archive
from functions.clients import client
from functions.decide import Decision, advanced, counted, decide
from functions.errors import AlreadyTold, LedgerMoved, NoticesUnsent, RowsRejected, StoreBusy
from functions.ledger import Ledger
from functions.notices import Notices
from functions.settings import ConsumerSettings
from functions.stores import Writer, open_store
from functions.stream import Record, chunks, delivered, series_of
from schemas.event import about
from schemas.notice import ALERTS, DAILY_REPORT
from schemas.run import OPEN, Head, Run

# One transaction acknowledges a chunk: DynamoDB takes 100 items, two of them are the head and the run.
MAX_DAYS = 98
PASSING = (StoreBusy, LedgerMoved, NoticesUnsent, ClientError, BotoCoreError)


@dataclass(frozen=True)
class Parts:
    """What the consumer works with; the ledger's series is that of the records in hand."""

    settings: ConsumerSettings
    ledger: Ledger
    archive: Archive
    store: Writer
    notices: Notices


@cache
def parts() -> Parts:
    settings = ConsumerSettings.read()
    topics = {DAILY_REPORT: settings.daily_report_topic, ALERTS: settings.alerts_topic}
    return Parts(
        settings=settings,
        ledger=Ledger(client("dynamodb"), settings.ledger_table),
        archive=Archive(client("s3"), settings.archive_bucket),
        store=open_store(settings, client),
        notices=Notices(client("sns"), topics, settings.label),
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 Lambda's signature
    """A batch of records. On a passing fault, everything from the first record not entered comes again."""
    at = parts()
    regions = at.settings.regions.split(",")
    records, replayed = delivered(event, regions)
    now = max(record.arrival for record in records)
    refused = 0
    for chunk in chunks(records, MAX_DAYS):
        try:
            series = at.ledger.of(series_of(chunk[0].payload, regions))
            refused += enter(replace(at, ledger=series), chunk, now, replayed)
        except PASSING as fault:
            problem = f"{type(fault).__name__}: {fault}"
            log.line("passing fault", log.WARNING, sequence=chunk[0].sequence, problem=problem)
            return {"batchItemFailures": [{"itemIdentifier": chunk[0].sequence}]}
    # Whoever replays is told here; of the stream's own records everybody was told by an alert.
    return {"batchItemFailures": []} | ({"refused": refused} if replayed else {})


def enter(at: Parts, chunk: list[Record], now: dt.datetime, replayed: bool) -> int:
    """Enter consecutive records of one run and region, no date twice; or set aside the one that can't be
    read. How many can never be entered."""
    first = chunk[0]
    if first.event is None:
        if not replayed:
            head = set_aside(at, first, first.problem or "", now)
            at.notices.send(head.unsent, at.ledger, first.sequence, now)
        return 1
    if not replayed:
        at.archive.keep_events([record.event for record in chunk if record.event])
    name = None if replayed else first.event.run
    run, head, refused = lifecycle.again(lambda: acknowledge(at, chunk, name, now))
    if run and run.state == OPEN and not run.unaccounted:
        head = lifecycle.complete(at.ledger, run, head, now, at.settings.stack)
    if not replayed:
        at.notices.send(head.unsent, at.ledger, first.sequence, now)
    return refused


def acknowledge(
    at: Parts, chunk: list[Record], name: str | None, now: dt.datetime
) -> tuple[Run | None, Head, int]:
    """Write the rows and only then acknowledge their days; the run and the head as they stand after it, and
    how many of the records the store refuses for good."""
    replayed = name is None
    events = {record.event.day.date: record.event for record in chunk if record.event}
    reading = at.ledger.read(name, events)
    decision, refused = write(at, decide(events.values(), reading.entries, now))
    run = counted(reading.run, decision) if reading.run else None
    head = at.ledger.commit(
        (reading.head, advanced(reading.head, run, decision, reading.entries)),
        runs=[(reading.run, run)] if run else [],
        days=[(reading.entries.get(day.date), day) for day in decision.days],
        now=now,
    )
    ids = [record.event.id for record in chunk if record.event]
    log.line(
        "acknowledged",
        run=name,
        rows=len(decision.rows),
        days=len(decision.days),
        refused=len(refused),
        first=ids[0],
        last=ids[-1],
    )
    for record in chunk:  # replayed ones were set aside long ago
        if not replayed and record.event and record.event.id in refused:
            head = set_aside(at, record, f"refused by the store: {refused[record.event.id]}", now)
    return (at.ledger.read(name).run if refused and name else run), head, len(refused)


def write(at: Parts, decision: Decision) -> tuple[Decision, Mapping[str, str]]:
    """Write the rows; the decision without the days that the store refuses for good, and why it does."""
    try:
        at.store.write(decision.rows)
    except RowsRejected as rejection:
        refused = {row.day.date for row in decision.rows if row.event in rejection.reasons}
        kept = replace(
            decision,
            days=[day for day in decision.days if day.date not in refused],
            inserted=decision.inserted - refused,
            updated=decision.updated - refused,
            duplicate=decision.duplicate - refused,
        )
        return kept, rejection.reasons
    return decision, {}


def set_aside(at: Parts, record: Record, problem: str, now: dt.datetime) -> Head:
    """Keep the bytes of a record that can never succeed; its day is pending again, its run counts it as
    failed, and there is one alert, however often it comes."""
    at.archive.keep_rejected(record.sequence, record.payload)
    of = about(record.payload)
    name, date = of.run, of.date
    log.line("set aside", log.ERROR, sequence=record.sequence, run=name, date=date, problem=problem)
    alert = messages.set_aside(record.sequence, name, date, problem, at.settings.stack)

    def attempt() -> tuple[Run | None, Head]:
        reading = at.ledger.read(name, [date] if date else [])
        run = reading.run
        failed = run
        if run and date and date in run.unaccounted:
            failed = replace(run, failed=run.failed | {date}, entries=run.entries + 1)
        held = [entry for entry in reading.entries.values() if entry.digest]
        head = at.ledger.commit(
            (reading.head, replace(reading.head, settled=None)),
            runs=[(run, failed)] if run and failed and failed is not run else [],
            days=[(entry, replace(entry, digest=None)) for entry in held],
            notices=[alert],
            now=now,
        )
        return failed, head

    try:
        run, head = lifecycle.again(attempt)
        metrics.count(at.settings.stack, now, **{metrics.RECORDS_SET_ASIDE: 1})
    except AlreadyTold:
        reading = at.ledger.read(name)
        run, head = reading.run, reading.head
    if run and run.state == OPEN and not run.unaccounted:
        head = lifecycle.complete(at.ledger, run, head, now, at.settings.stack)
    return head
