"""The consumer: records → decide → archive → tables → ledger → notices.

What it enters live, and what it follows out of the log, is one change of the ledger (``changes.entered``).
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions import changes, log, metrics, notice_text
from functions.completion import complete, end
from functions.decide import Decided, Outcome, decide, is_behind
from functions.errors import PipelineHeld
from functions.notices import Notices
from functions.settings import ConsumerSettings
from functions.stream import Record, chunks, delivered
from schemas.event import DayEvent, about
from schemas.ledger import MAX_DAYS, OPEN, Head, Run, owed
from schemas.notice import ALERTS, DAILY_REPORT
from storage.archive import Archive
from storage.aws import client
from storage.change import Change, Reading
from storage.errors import AlreadyTold, Damaged, LedgerMoved, Unreachable
from storage.ledger import Ledger
from storage.replay import REPLAY
from storage.tables import Tables, open_tables, row

MAX_TRIES = 8  # at a transaction under which the ledger moves
AFTER_ANOTHER = "an older entry of its date is refused"
# Damaged too: an object of the log that is brought back from an earlier version can be read again.
PASSING = (Unreachable, LedgerMoved, PipelineHeld, Damaged)


@dataclass(frozen=True)
class Parts:
    """What the consumer works with."""

    settings: ConsumerSettings
    ledger: Ledger
    archive: Archive
    tables: Tables
    notices: Notices


@cache
def parts() -> Parts:
    settings = ConsumerSettings.read()
    topics = {DAILY_REPORT: settings.daily_report_topic, ALERTS: settings.alerts_topic}
    return Parts(
        settings=settings,
        ledger=Ledger(client("dynamodb"), settings.ledger_table),
        archive=Archive(client("s3"), settings.archive_bucket),
        tables=open_tables(vars(settings), client),
        notices=Notices(client("sns"), topics, settings.label),
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 Lambda's signature
    """A batch of records. On a passing fault, everything from the first record not entered comes again."""
    at, delivery = parts(), delivered(event)
    now = delivery.newest_arrival
    head: Head | None = None
    failures = []
    for chunk in chunks(delivery.records, MAX_DAYS):
        try:
            if delivery.is_live:
                head = enter(at, chunk, now)
            else:
                follow_logged(at, delivery.source, [record.event for record in chunk if record.event], now)
        except PASSING as fault:
            problem = f"{type(fault).__name__}: {fault}"
            log.line("passing fault", log.WARN, sequence=chunk[0].sequence, problem=problem)
            failures.append({"itemIdentifier": chunk[0].sequence})
            break
    if head:
        at.notices.send(head.unsent, at.ledger, delivery.records[0].sequence, now)
    return {"batchItemFailures": failures}


def enter(at: Parts, chunk: Sequence[Record], now: dt.datetime) -> Head:
    """Enter consecutive records of one run, no date twice, or set aside the one that can't be read; the head
    afterwards."""
    events = [record.event for record in chunk if record.event]
    if not events:
        return set_aside(at, chunk[0], chunk[0].problem or "", now)
    logged: frozenset[str] = frozenset()
    for _ in range(MAX_TRIES):
        reading = at.ledger.read(events[0].run, [event.day.date for event in events])
        if reading.head.held and reading.head.is_rebuilding:
            raise PipelineHeld(reading.head.held.reason)
        if strangers := [record for record in chunk if not _belongs(record.event, reading.run)]:
            for record in strangers:
                set_aside(at, record, "no run of this name sends this date with this version", now)
            rest = [record for record in chunk if record not in strangers]
            return enter(at, rest, now) if rest else at.ledger.head()
        before_them = follow_others(at, reading, events, now)
        if before_them.followed:
            reading = at.ledger.read(events[0].run, [event.day.date for event in events])
        logged |= in_log(at, reading, events)
        decided = decide(events, reading.days, reading.run, logged, now)
        waiting = {d.event.id: AFTER_ANOTHER for d in decided if d.is_new and d.date in before_them.refused}
        good = [item for item in decided if item.event.id not in waiting]
        new = [item.event for item in good if item.outcome is Outcome.ENTERED]
        if unlogged := [event for event in new if event.id not in logged]:
            at.archive.keep_events(unlogged)
            logged |= {event.id for event in unlogged}
        refused = {**waiting, **write(at, good)}
        try:
            return finish(at, reading, changes.entered(reading, decided, refused, now), refused)
        except LedgerMoved as moved:  # decide again, from fresh reads
            log.line("ledger moved", problem=str(moved))
    raise LedgerMoved(f"under {MAX_TRIES} attempts")


def follow_logged(at: Parts, source: str, events: Sequence[DayEvent], now: dt.datetime) -> None:
    """What an operator feeds: events out of the log, or records out of the stream, of which those that the
    log holds are followed. The others were never entered, and a run that owes them sends them."""
    if source != REPLAY and events:
        logged = at.archive.events_of(events[0].version)
        events = [event for event in events if event.id in logged]
    if events:
        follow(at, events, now)


def follow(at: Parts, events: Sequence[DayEvent], now: dt.datetime) -> frozenset[dt.date]:
    """Make tables and ledger follow these events of one run, which the log holds; the dates whose rows a
    table refuses."""
    logged = {event.id for event in events}
    for _ in range(MAX_TRIES):
        reading = at.ledger.read(events[0].run, [event.day.date for event in events])
        decided = decide(events, reading.days, reading.run, logged, now)
        refused = write(at, decided)
        try:
            finish(at, reading, changes.entered(reading, decided, refused, now), refused)
        except LedgerMoved as moved:
            log.line("ledger moved", problem=str(moved))
            continue
        return frozenset(item.date for item in decided if item.event.id in refused)
    raise LedgerMoved(f"under {MAX_TRIES} attempts")


def write(at: Parts, decided: Sequence[Decided]) -> Mapping[str, str]:
    """Write the rows of the entries among these events; the events whose rows a table refuses, and why."""
    entries = [item for item in decided if item.is_entry]
    behind = {i.event.id for i in entries if i.before and i.event.version < i.before.version}
    return at.tables.write([row(item.event) for item in entries], behind)


@dataclass(frozen=True)
class Others:
    """What was followed for other runs: whether anything was, and the dates whose rows a table refuses."""

    followed: bool = False
    refused: frozenset[dt.date] = frozenset()


def follow_others(at: Parts, reading: Reading, events: Iterable[DayEvent], now: dt.datetime) -> Others:
    """Follow what the log holds of these dates for other runs that owe them, oldest run first. A batch that
    was given up after the log, or that another works on, would be passed over."""
    dates = {event.day.date for event in events}
    others = Others()
    for other in reading.others:
        owes = dates & {*owed(other, reading.days)}
        logged = at.archive.events_of(other.version).values() if owes else ()
        if found := [event for event in logged if event.run == other.name and event.day.date in owes]:
            others = Others(True, others.refused | follow(at, found, now))
    return others


def in_log(at: Parts, reading: Reading, events: Iterable[DayEvent]) -> frozenset[str]:
    """The ids of those events that the log holds, though nothing in the ledger accounts for them."""
    run = reading.run
    behind = [event.id for event in events if run and is_behind(event, reading.days.get(event.day.date), run)]
    return frozenset(behind) & at.archive.events_of(run.version).keys() if run and behind else frozenset()


def finish(at: Parts, reading: Reading, change: Change, refused: Mapping[str, str]) -> Head:
    """Make the change; then complete the run, and older ones, that owe nothing by now. The head afterwards.
    Raises LedgerMoved where the change could not be made."""
    stack = at.settings.stack
    done = at.ledger.commit(change)
    log.line(
        "acknowledged", run=reading.run and reading.run.name, days=len(change.days), refused=len(refused)
    )
    if not done.runs or done.runs[0].name not in done.head.owing:
        return done.head
    run = done.runs[0]
    if refused and run.state == OPEN:
        problem = f"{len(refused)} of its rows can't be entered: {next(iter(refused.values()))}"
        days = {**reading.days, **{new.date: new for _, new in change.days}}
        telling = changes.incomplete(done.head, [run], days, problem, change.at, stack)
        done = end(at.ledger, telling, stack) or done
    if run.unaccounted and run.time == done.head.last_run:
        return done.head
    ended = max(change.at, at.ledger.answered or change.at)  # a replay's events are of long ago
    alone = done.head.owing == {run.name} and not run.unaccounted
    owing = Reading(done.head, run, (), {}) if alone else at.ledger.owing()
    return complete(at.ledger, owing, ended, stack)


def set_aside(at: Parts, record: Record, problem: str, now: dt.datetime) -> Head:
    """Keep the bytes of a record that is no event of a known run, and tell people once; the head
    afterwards."""
    at.archive.keep_rejected(record.sequence, record.payload)
    names = about(record.payload)
    log.line("set aside", log.ERROR, sequence=record.sequence, run=names.run, problem=problem)
    alert = notice_text.set_aside(record.sequence, names.run, names.date, problem, at.settings.stack)
    for _ in range(MAX_TRIES):
        try:
            head = at.ledger.commit(changes.set_aside(at.ledger.head(), alert, now)).head
        except AlreadyTold:
            return at.ledger.head()
        except LedgerMoved as moved:
            log.line("ledger moved", problem=str(moved))
            continue
        metrics.count(at.settings.stack, now, **{metrics.RECORDS_SET_ASIDE: 1})
        return head
    raise LedgerMoved(f"under {MAX_TRIES} attempts")


def _belongs(event: DayEvent | None, run: Run | None) -> bool:
    """Whether the run sends this date with this version."""
    if event is None or run is None:
        return False
    return event.version == run.version and event.day.date in run.sends
