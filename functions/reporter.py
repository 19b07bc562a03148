"""The reporter: what Lambda gave up → the runs marked, one alert. It forgets nothing: the next run sends what
is owed.

An operator may ask it for a test message to each topic: only the functions may publish there.
"""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from functions import changes, history, log, metrics, notice_text
from functions.completion import complete
from functions.errors import RequestRefused
from functions.notice_text import aside
from functions.notices import Notices
from functions.request import backfilled, scheduled
from functions.settings import Settings
from functions.stream import Record, read_range
from schemas.event import about
from schemas.ledger import BACKFILL, FAILED, OPEN, Acknowledged, Run, owed
from schemas.moment import moment
from schemas.notice import ALERTS, DAILY_REPORT
from schemas.text import ONE_DAY, without_account
from storage.aws import client
from storage.change import Change, Reading
from storage.errors import AlreadyTold, LedgerMoved
from storage.ledger import Ledger

TRIAL = "trial"
TOPICS = (DAILY_REPORT, ALERTS)
MAX_TRIES = 8  # at a transaction under which the ledger moves
TOO_OLD = "EventAgeExceeded"  # Lambda's word
MAX_PROBLEM = 1_000  # characters of an error in a message


@dataclass(frozen=True)
class Parts:
    """What the reporter works with."""

    settings: Settings
    ledger: Ledger
    kinesis: Any
    notices: Notices


@cache
def parts() -> Parts:
    settings = Settings.read()
    topics = {DAILY_REPORT: settings.daily_report_topic, ALERTS: settings.alerts_topic}
    return Parts(
        settings=settings,
        ledger=Ledger(client("dynamodb"), settings.ledger_table),
        kinesis=client("kinesis"),
        notices=Notices(client("sns"), topics, settings.label),
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 Lambda's signature
    """On-failure messages of either kind. What was told already is told no second time."""
    at = parts()
    if event.get("trigger") == TRIAL:
        return {
            "sent": {
                topic: at.notices.publish(notice_text.trial(topic, at.settings.stack)) for topic in TOPICS
            }
        }
    for item in event["Records"]:
        message = json.loads(item["Sns"]["Message"])
        now = moment(item["Sns"]["Timestamp"])
        report(at, message, now)
        holder = message["requestContext"]["requestId"]
        at.notices.send(at.ledger.head().unsent, at.ledger, holder, now)
    return {"messages": len(event["Records"])}


def report(at: Parts, message: Mapping[str, Any], now: dt.datetime) -> None:
    """Mark in the ledger what the message means, with an alert, once."""
    is_batch = "KinesisBatchInfo" in message
    records = lost(at, message) if is_batch else None
    for _ in range(MAX_TRIES):
        change = undelivered(at, message, records, now) if is_batch else unfetched(at, message, now)
        if change is None:
            return
        try:
            at.ledger.commit(change)
        except AlreadyTold as told:
            log.line("told already", notice=str(told))
            return
        except LedgerMoved as moved:
            log.line("ledger moved", problem=str(moved))
            continue
        metrics.ended(change, at.settings.stack)
        if is_batch:
            size = message["KinesisBatchInfo"]["batchSize"]
            metrics.count(at.settings.stack, now, **{metrics.RECORDS_GIVEN_UP: size})
        return
    raise LedgerMoved(f"under {MAX_TRIES} attempts")


def lost(at: Parts, message: Mapping[str, Any]) -> list[Record] | None:
    """The batch's records, as far as the stream still holds them; None where it holds none."""
    batch = message["KinesisBatchInfo"]
    first, last = batch["startSequenceNumber"], batch["endSequenceNumber"]
    return read_range(at.kinesis, batch["streamArn"], batch["shardId"], first, last)


def undelivered(
    at: Parts, message: Mapping[str, Any], records: list[Record] | None, now: dt.datetime
) -> Change | None:
    """A batch that the mapping gave up: the runs that owe some of its dates are incomplete. None where they
    owe none, so that all was entered before."""
    batch = message["KinesisBatchInfo"]
    shard, first, last = batch["shardId"], batch["startSequenceNumber"], batch["endSequenceNumber"]
    reading = at.ledger.owing()
    complete(at.ledger, reading, now, at.settings.stack)
    reading = at.ledger.owing()
    last_arrival = moment(batch["approximateArrivalOfLastRecord"])
    named = _named(records or [])
    dates: set[dt.date] = set()
    runs = []
    for run in reading.others:
        # Where the records are gone, every run is concerned that was stored before the last of them arrived.
        of_batch = (
            named.get(run.name, set()) if records else {*(run.pending if run.time <= last_arrival else ())}
        )
        if owes := of_batch & {*owed(run, reading.days)}:
            runs.append(run)
            dates |= owes
    if not runs and not strangers(at, records or []):
        log.line("entered already", shard=shard, first=first, last=last)
        return None
    place = f"{batch['batchSize']} records of {shard}, sequence numbers {first} to {last}"
    if records is None:
        place += ", which the stream no longer holds"
    elif len(records) < batch["batchSize"]:
        place += f", of which the stream still holds {len(records)}"
    problem = _ending(message)
    log.line("undelivered", log.ERROR, shard=shard, first=first, last=last, days=len(dates), runs=len(runs))
    name = f"undelivered/{shard}/{first}-{last}"
    alert = notice_text.undelivered(name, runs, dates if records else (), place, problem, at.settings.stack)
    return changes.undelivered(reading.head, runs, alert, problem, now)


def strangers(at: Parts, records: list[Record]) -> list[Record]:
    """The records that are no event of a run that the ledger knows, and that the consumer had not come to set
    aside: no run owes them."""
    names = {record.event.run for record in records if record.event}
    known = {run.name for run in at.ledger.runs_named(names)}
    strange = [record for record in records if record.event is None or record.event.run not in known]
    told = at.ledger.made(aside(record.sequence) for record in strange)
    return [record for record in strange if aside(record.sequence) not in told]


def unfetched(at: Parts, message: Mapping[str, Any], now: dt.datetime) -> Change | None:
    """A fetcher that failed, retries included: its run failed, stored or not. None where the run needs no
    such end, because it has one."""
    request = message["requestContext"]["requestId"]
    problem = _problem(message)
    asked = _mapping(message, "requestPayload")
    date = _backfilled(asked)
    stored = _of_history(at, date) if date else at.ledger.run_asked_by(request)
    kind = _mapping(message, "responsePayload").get("errorType")
    log.line("unfetched", log.ERROR, run=stored and stored.name, problem=problem, error=kind)
    if stored and stored.state != OPEN:
        return None
    head = at.ledger.head()
    if (asked.get("trigger") == BACKFILL) != head.is_backfilling:
        return None  # it would date the record's next entries: fetcher.admit makes no run of it either
    days: Mapping[dt.date, Acknowledged] = at.ledger.days_of(stored.unaccounted) if stored else {}
    if stored and not owed(stored, days):
        return changes.finished(Reading(head, stored, (), days), now, at.settings.stack)
    # Never ahead: a request is refused for just that, and later runs must be later than this one.
    time = min(_scheduled(message) or now, now)
    if head.is_backfilling:  # … and noon of the date is the time of the attempt that succeeds
        if date is None:
            return None
        time = head.last_run or history.moment_of(date) - ONE_DAY
        problem = f"{date}: {problem}"
    run = stored or Run(
        time=changes.next_time(head, (), time),
        request=request,
        trigger=ascii(asked.get("trigger", "manual")).strip("'")[:40],
        state=FAILED,
        arrived=now,
    )
    return changes.broken_off(
        Reading(head, stored, (), days), run, without_account(problem), now, at.settings.stack
    )


def _named(records: Iterable[Record]) -> dict[str, set[dt.date]]:
    """The dates that the records name, by run."""
    found: dict[str, set[dt.date]] = {}
    for record in records:
        names = about(record.payload)
        if names.run and names.date:
            found.setdefault(names.run, set()).add(names.date)
    return found


def _ending(message: Mapping[str, Any]) -> str:
    """Why Lambda has ended its attempts, and after how many."""
    context = message["requestContext"]
    count = context.get("approximateInvokeCount", "?")
    ending = "too old" if context["condition"] == TOO_OLD else "given up"
    return f"{ending} after {'1 attempt' if count == 1 else f'{count} attempts'}"


def _problem(message: Mapping[str, Any]) -> str:
    answer = _mapping(message, "responsePayload")
    text = answer.get("errorMessage") or "no answer"
    return f"{_ending(message)}: {text}"[:MAX_PROBLEM]


def _scheduled(message: Mapping[str, Any]) -> dt.datetime | None:
    try:
        return scheduled(_mapping(message, "requestPayload"))
    except RequestRefused:
        return None


def _backfilled(asked: Mapping[str, Any]) -> dt.date | None:
    """The date that a backfill's request names; None for any other request."""
    try:
        return backfilled(asked)
    except RequestRefused:
        return None


def _of_history(at: Parts, date: dt.date) -> Run | None:
    return next(iter(at.ledger.runs_named([history.run_name(date)])), None)


def _mapping(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of the message; empty where it is absent or, as anything may be sent to a function, no
    object."""
    part = message.get(name)
    return part if isinstance(part, Mapping) else {}
