"""The fetcher: sources → days → what is pending → the stream. Once a day, or when asked."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from functions import lifecycle, log, metrics, outcome
from functions.archive import Archive
from functions.check import check, warnings
from functions.clients import client
from functions.diff import diff, events, unacknowledged
from functions.errors import SourceRefused
from functions.ledger import Ledger
from functions.notices import Notices
from functions.request import Request, read
from functions.settings import FetcherSettings, trace
from functions.sources import Fetched, Sources
from functions.stream import Stream
from functions.transform import Published, transform
from schemas.day import Day
from schemas.notice import ALERTS, DAILY_REPORT
from schemas.run import OPEN, Acknowledged, Head, Run, SourceFile
from schemas.tables import Item, checked_item, file_item


@dataclass(frozen=True)
class Parts:
    """What the fetcher works with."""

    settings: FetcherSettings
    sources: Sources
    ledger: Ledger
    archive: Archive
    stream: Stream
    notices: Notices


@cache
def parts() -> Parts:
    settings = FetcherSettings.read()
    topics = {DAILY_REPORT: settings.daily_report_topic, ALERTS: settings.alerts_topic}
    return Parts(
        settings=settings,
        sources=Sources(settings),
        ledger=Ledger(client("dynamodb"), settings.ledger_table),
        archive=Archive(client("s3"), settings.archive_bucket),
        stream=Stream(client("kinesis"), settings.stream),
        notices=Notices(client("sns"), topics, settings.label),
    )


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """One run. A retried request takes up its stored run; what fails for good, the reporter tells."""
    at = parts()
    request = read(event, context.aws_request_id, trace())
    run = next((run for run in at.ledger.recent_runs() if run.request == request.id), None)
    if run is None:
        run, head = lifecycle.again(lambda: begin(at, request))
    else:
        head = at.ledger.head()
        if run.state == OPEN:
            take_up(at, run)
    sent = at.notices.send(head.unsent, at.ledger, request.id, request.arrived)
    return {"run": run.name, "state": run.state, "pending": len(run.pending), "notices_sent": sent}


def begin(at: Parts, request: Request) -> tuple[Run, Head]:
    """A new run, stored, and whatever is pending on the stream."""
    head = at.ledger.head()
    if head.open:
        age = dt.timedelta(seconds=at.settings.record_age_seconds)
        lifecycle.settle(at.ledger, head.open, request.time, age, at.settings.stack)
        head = at.ledger.head()
    fetched = at.sources.fetch(unchanged_since(head, at.settings.code))
    run = Run(
        time=lifecycle.next_time(head, request.time),
        request=request.id,
        trigger=request.trigger,
        state=OPEN,
        files={source: at.archive.keep_file(source, payload) for source, payload in fetched.files.items()},
        etags=fetched.etags,
        code=at.settings.code,
        acceptances=head.acceptances,
        warnings=head.warnings,
    )
    if not fetched.files:
        checked = [checked_item(source, run.time) for source in fetched.etags]
        return nothing_pending(at, run, head, checked)
    try:
        acknowledged = at.ledger.days()
        published, run = believe(at, run, head, fetched, acknowledged)
    except SourceRefused as refusal:
        return refuse(at, run, head, refusal)
    files = [file_item(file) for file in checked_files(published, run)]
    pending = diff(published.days, acknowledged)
    log.line("decided", run=run.name, published=len(published.days), pending=len(pending))
    metrics.count(at.settings.stack, run.time, **{metrics.DAYS_PENDING: len(pending)})
    if not pending:
        return nothing_pending(at, run, head, files)
    after = replace(lifecycle.stored(run, head), warnings=run.warnings)
    after = at.ledger.commit((head, after), runs=[(None, run)], files=files, now=run.time)
    emit(at, pending, acknowledged, run)
    return run, after


def unchanged_since(head: Head, code: str) -> Mapping[str, str] | None:
    """The ETags to ask with; None unless nothing at all has moved since the sources were settled."""
    settled = head.settled
    if settled and (settled.stamp, settled.code, settled.acceptances) == (head.stamp, code, head.acceptances):
        return settled.etags
    return None


def believe(
    at: Parts, run: Run, head: Head, fetched: Fetched, acknowledged: Mapping[dt.date, Acknowledged]
) -> tuple[Published, Run]:
    """What the files say, and the run with its pending dates and warnings. Raises SourceRefused."""
    today = run.time.date()
    published = transform(fetched.files["nyt"], fetched.files["jhu"], today)
    accepted = at.ledger.acceptances() if head.acceptances else {}
    reasons = check(published, acknowledged, accepted)
    if reasons:
        raise SourceRefused(reasons)
    overruled = check(published, acknowledged, ()) if accepted else []
    words = {date.isoformat(): words for (date, _), words in accepted.items()}
    pending = diff(published.days, acknowledged)
    new = unacknowledged(published.days, pending, acknowledged)
    late = [date for date in new if head.last_acknowledged and date < head.last_acknowledged]
    found = warnings(published, today, late)
    codes = {warning.code for warning in found}
    return published, replace(
        run,
        pending=tuple(day.date for day in pending),
        new=new,
        newest=published.newest,
        accepted=tuple(f'{reason} (accepted: "{words.get(reason.date or "")}")' for reason in overruled),
        warnings=tuple(found),
        begun=frozenset(codes - {warning.code for warning in head.warnings}),
        ended=tuple(warning.text for warning in head.warnings if warning.code not in codes),
    )


def checked_files(published: Published, run: Run) -> list[SourceFile]:
    """What is known of each file now."""
    rows: dict[str, Mapping[dt.date, Any]] = {"nyt": published.cases, "jhu": published.recoveries}
    return [
        SourceFile(source, run.files[source], len(dates), max(dates), run.time)
        for source, dates in rows.items()
    ]


def nothing_pending(at: Parts, run: Run, head: Head, files: list[Item]) -> tuple[Run, Head]:
    """The run completes at once, and reports 0."""
    reached = max(filter(None, (head.last_acknowledged, run.newest)), default=None)
    open_ = replace(lifecycle.stored(run, head), warnings=run.warnings, last_acknowledged=reached)
    ending = outcome.completed(run, open_, run.time, at.settings.stack)
    after = at.ledger.commit(
        (head, ending.head), runs=[(None, ending.run)], files=files, notices=[ending.notice], now=run.time
    )
    lifecycle.tell_completed(ending.run, after, run.time, at.settings.stack)
    return ending.run, after


def refuse(at: Parts, run: Run, head: Head, refusal: SourceRefused) -> tuple[Run, Head]:
    """The run failed: its reasons are kept, one alert is made, and nothing is emitted."""
    at.archive.keep_reasons(run.name, refusal.reasons)
    ending = outcome.refused(run, lifecycle.stored(run, head), refusal.reasons, at.settings.stack)
    after = at.ledger.commit(
        (head, ending.head), runs=[(None, ending.run)], notices=[ending.notice], now=run.time
    )
    first = str(refusal.reasons[0])
    log.line("refused", log.ERROR, run=run.name, reasons=len(refusal.reasons), first=first)
    metrics.count(at.settings.stack, run.time, **{metrics.RUNS_FAILED: 1})
    return ending.run, after


def take_up(at: Parts, run: Run) -> None:
    """Send what this run has not been answered for, from the files that it read."""
    files = {source: at.archive.file(source, sha256) for source, sha256 in run.files.items()}
    published = transform(files["nyt"], files["jhu"], run.time.date())
    waiting = set(run.unaccounted)
    pending = [day for day in published.days if day.date in waiting]
    emit(at, pending, at.ledger.days(), run)


def emit(at: Parts, pending: list[Day], acknowledged: Mapping[dt.date, Acknowledged], run: Run) -> None:
    """Put one event a pending day onto the stream, oldest first."""
    count = at.stream.put(events(pending, acknowledged, run, at.settings.stack))
    log.line("emitted", run=run.name, events=count)
