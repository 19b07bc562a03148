"""The reporter: what Lambda could not deliver → the runs marked, the days pending again, one alert.

An operator may ask it for a test message to each topic: nobody but the functions may publish there.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from functions import lifecycle, log, messages, metrics, outcome
from functions.clients import client
from functions.errors import AlreadyTold, NoticesUnsent, RequestRefused
from functions.ledger import Ledger, Reading
from functions.notices import Notices
from functions.request import scheduled
from functions.settings import ReporterSettings
from functions.stream import Record, read_range, series_of
from schemas.day import REGION
from schemas.event import about
from schemas.moment import moment
from schemas.notice import ALERTS, DAILY_REPORT
from schemas.run import FAILED, INCOMPLETE, OPEN, Run

TRIAL = "trial"
TOPICS = (DAILY_REPORT, ALERTS)


@dataclass(frozen=True)
class Parts:
    """What the reporter works with."""

    settings: ReporterSettings
    ledger: Ledger
    kinesis: Any
    notices: Notices


@cache
def parts() -> Parts:
    settings = ReporterSettings.read()
    topics = {DAILY_REPORT: settings.daily_report_topic, ALERTS: settings.alerts_topic}
    return Parts(
        settings=settings,
        ledger=Ledger(client("dynamodb"), settings.ledger_table),
        kinesis=client("kinesis"),
        notices=Notices(client("sns"), topics, settings.label),
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 Lambda's signature
    """On-failure messages of either kind. One that was told already is told no second time."""
    at = parts()
    if event.get("trigger") == TRIAL:
        return {
            "sent": {topic: at.notices.publish(messages.trial(topic, at.settings.stack)) for topic in TOPICS}
        }
    for item in event["Records"]:
        message = json.loads(item["Sns"]["Message"])
        now = moment(item["Sns"]["Timestamp"])
        if "KinesisBatchInfo" in message:
            records = _lost(at, message)
            for region, part in _by_region(at, records or []).items():
                series = replace(at, ledger=at.ledger.of(region))
                left = None if records is None else len(records)
                tell(series, partial(undelivered, series, message, part, left, now), message, now)
        else:
            tell(at, partial(unfetched, at, message, now), message, now)
    return {"messages": len(event["Records"])}


def tell(at: Parts, attempt: Callable[[], None], message: Mapping[str, Any], now: dt.datetime) -> None:
    """Mark what the message means, once, and send whatever is unsent."""
    try:
        lifecycle.again(attempt)
    except AlreadyTold as told:
        log.line("told already", notice=str(told))
    at.notices.send(at.ledger.head().unsent, at.ledger, message["requestContext"]["requestId"], now)


def undelivered(
    at: Parts, message: Mapping[str, Any], records: Sequence[Record], left: int | None, now: dt.datetime
) -> None:
    """A region's records in a batch that Lambda gave up: of those that were not entered the runs are
    incomplete, the days pending again. Of the batch the stream still holds ``left``; None: it is gone.
    Raises AlreadyTold."""
    batch = message["KinesisBatchInfo"]
    shard, first, last = batch["shardId"], batch["startSequenceNumber"], batch["endSequenceNumber"]
    readings = {name: at.ledger.read(name, dates) for name, dates in _concerned(records).items()}
    missing = [record for record in records if not _accounted(record, readings)]
    if records and not missing and left == batch["batchSize"]:
        log.line("entered already", shard=shard, first=first, last=last)  # only the telling had failed
        return
    concerned = _concerned(missing)
    runs = [run for name in sorted(concerned) if (run := readings[name].run)]
    place = f"{batch['batchSize']} records of {shard}, sequence numbers {first} to {last}"
    if left is None:
        place += ", which the stream no longer holds"
    elif left < batch["batchSize"]:
        place += f", of which the stream still holds {left}"
    problem = f"{message['requestContext']['condition']} after {_attempts(message)}"
    left_open = _concerned(record for record in missing if not _superseded(record, readings))
    waiting = {run.name: set(run.unaccounted) & left_open.get(run.name, set()) for run in runs}
    dates = sorted(set().union(*(concerned[run] for run in concerned)))
    name = f"undelivered/{shard}/{first}-{last}"
    alert = messages.undelivered(name, runs, dates, place, problem, at.settings.stack)
    marked = [(run, _incomplete(run, problem, alert.id)) for run in runs if run.state == OPEN]
    log.line("undelivered", log.ERROR, shard=shard, first=first, last=last, days=len(dates), runs=len(runs))
    lifecycle.give_up(at.ledger, marked, set().union(*waiting.values()), [alert], now)
    given_up = {metrics.RECORDS_GIVEN_UP: batch["batchSize"], metrics.RUNS_FAILED: len(marked)}
    metrics.count(at.settings.stack, now, **given_up)


def unfetched(at: Parts, message: Mapping[str, Any], now: dt.datetime) -> None:
    """The fetcher failed, retries included: its run failed, stored or not. Raises AlreadyTold."""
    request = message["requestContext"]["requestId"]
    problem = _problem(message)
    stored = next((run for run in at.ledger.recent_runs() if run.request == request), None)
    told_only = _mapping(message, "responsePayload").get("errorType") == NoticesUnsent.__name__
    if stored and (stored.state != OPEN or told_only):
        log.line("needs no ending", run=stored.name, state=stored.state, problem=problem)
        return
    head = at.ledger.head()
    # Never ahead: a request is refused for just that, and later runs must be later than this one.
    time = min(_scheduled(message) or now, now)
    run = stored or Run(
        time=lifecycle.next_time(head, time),
        request=request,
        trigger=str(_mapping(message, "requestPayload").get("trigger", "manual"))[:40],
        state=FAILED,
    )
    ending = outcome.broken_off(run, head, problem, at.settings.stack)
    log.line("unfetched", log.ERROR, run=run.name, problem=problem)
    lifecycle.give_up(at.ledger, [(stored, ending.run)], run.unaccounted, [ending.notice], now)
    metrics.count(at.settings.stack, now, **{metrics.RUNS_FAILED: 1})


def _lost(at: Parts, message: Mapping[str, Any]) -> list[Record] | None:
    """The batch's records, as far as the stream still holds them."""
    batch = message["KinesisBatchInfo"]
    first, last = batch["startSequenceNumber"], batch["endSequenceNumber"]
    return read_range(at.kinesis, batch["streamArn"], batch["shardId"], first, last)


def _by_region(at: Parts, records: Iterable[Record]) -> Mapping[str, Sequence[Record]]:
    """The records by the series that accounts for them; of none at all, the United States hear."""
    regions = at.settings.regions.split(",")
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(series_of(record.payload, regions), []).append(record)
    return found or {REGION: []}


def _concerned(records: Iterable[Record]) -> dict[str, set[dt.date]]:
    """The dates that the records speak of, by run."""
    found: dict[str, set[dt.date]] = {}
    for record in records:
        of = about(record.payload)
        if of.run and of.date:
            found.setdefault(of.run, set()).add(of.date)
    return found


def _accounted(record: Record, readings: Mapping[str, Reading]) -> bool:
    """Whether its run has heard what became of it, and the ledger still holds by that."""
    of = about(record.payload)
    reading = readings.get(of.run or "")
    if reading is None or reading.run is None or of.date is None:
        return False
    day = reading.entries.get(of.date)
    entered = of.date in reading.run.accounted and day is not None and day.digest is not None
    told = of.date in reading.run.failed
    return entered or told or (reading.run.state != OPEN and _superseded(record, readings))


def _superseded(record: Record, readings: Mapping[str, Reading]) -> bool:
    """Whether a newer event has entered the day since: whatever this one left in the tables is replaced."""
    if record.event is None or (reading := readings.get(record.event.run)) is None:
        return False
    day = reading.entries.get(record.event.day.date)
    return day is not None and day.digest is not None and day.version > record.event.version


def _incomplete(run: Run, problem: str, notice: str) -> Run:
    return replace(run, state=INCOMPLETE, reasons=(problem,), reason_count=1, notice=notice)


def _attempts(message: Mapping[str, Any]) -> str:
    count = message["requestContext"].get("approximateInvokeCount", "?")
    return "1 attempt" if count == 1 else f"{count} attempts"


def _problem(message: Mapping[str, Any]) -> str:
    found = _mapping(message, "responsePayload")
    kind, text = found.get("errorType", "no answer"), found.get("errorMessage", "")
    return f"{message['requestContext']['condition']} after {_attempts(message)}: {kind}: {text}"[:1000]


def _scheduled(message: Mapping[str, Any]) -> dt.datetime | None:
    try:
        return scheduled(_mapping(message, "requestPayload"))
    except RequestRefused:
        return None


def _mapping(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of the message; empty where it is absent or, as whoever invokes may send anything, no object."""
    found = message.get(name)
    return found if isinstance(found, Mapping) else {}
