"""The reporter: what Lambda could not deliver → the runs marked, the days pending again, one alert.

An operator may ask it for a test message to each topic: nobody but the functions may publish there.
"""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from functions import lifecycle, log, messages, outcome
from functions.clients import client
from functions.errors import AlreadyTold, RequestRefused
from functions.ledger import Ledger
from functions.notices import Notices
from functions.request import scheduled
from functions.settings import ReporterSettings
from functions.stream import Record, read_range
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
        try:
            lifecycle.again(lambda message=message, now=now: report(at, message, now))
        except AlreadyTold as told:
            log.line("told already", notice=str(told))
        holder = message["requestContext"]["requestId"]
        at.notices.send(at.ledger.head().unsent, at.ledger, holder, now)
    return {"messages": len(event["Records"])}


def report(at: Parts, message: Mapping[str, Any], now: dt.datetime) -> None:
    """Tell of one message. Raises AlreadyTold."""
    if "KinesisBatchInfo" in message:
        undelivered(at, message, now)
    else:
        unfetched(at, message, now)


def undelivered(at: Parts, message: Mapping[str, Any], now: dt.datetime) -> None:
    """A batch that the consumer never took: its runs are incomplete, its days pending again."""
    batch = message["KinesisBatchInfo"]
    shard, first, last = batch["shardId"], batch["startSequenceNumber"], batch["endSequenceNumber"]
    records = read_range(at.kinesis, batch["streamArn"], shard, first, last)
    concerned = _concerned(records or [])
    runs = [run for run in (at.ledger.read(name).run for name in sorted(concerned)) if run]
    place = f"{batch['batchSize']} records of {shard}, sequence numbers {first} to {last}"
    if records is None:
        place += ", which the stream no longer holds"
    elif len(records) < batch["batchSize"]:
        place += f", of which the stream still holds {len(records)}"
    problem = f"{message['requestContext']['condition']} after {_attempts(message)}"
    waiting = {run.name: set(run.unaccounted) & concerned[run.name] for run in runs}
    dates = sorted(set().union(*(concerned[run] for run in concerned)))
    name = f"undelivered/{shard}/{first}-{last}"
    alert = messages.undelivered(name, runs, dates, place, problem, at.settings.stack)
    marked = [(run, _incomplete(run, problem, alert.id)) for run in runs if run.state == OPEN]
    log.line("undelivered", shard=shard, first=first, last=last, days=len(dates), runs=len(runs))
    lifecycle.give_up(at.ledger, marked, set().union(*waiting.values()), [alert], now)


def unfetched(at: Parts, message: Mapping[str, Any], now: dt.datetime) -> None:
    """The fetcher failed, retries included: its run failed, stored or not."""
    request = message["requestContext"]["requestId"]
    problem = _problem(message)
    stored = next((run for run in at.ledger.recent_runs() if run.request == request), None)
    if stored and stored.state != OPEN:
        log.line("ended already", run=stored.name, state=stored.state, problem=problem)
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
    log.line("unfetched", run=run.name, problem=problem)
    lifecycle.give_up(at.ledger, [(stored, ending.run)], run.unaccounted, [ending.notice], now)


def _concerned(records: list[Record]) -> dict[str, set[dt.date]]:
    """The dates that the records speak of, by run."""
    found: dict[str, set[dt.date]] = {}
    for record in records:
        run, date = about(record.payload)
        if run and date:
            found.setdefault(run, set()).add(date)
    return found


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
