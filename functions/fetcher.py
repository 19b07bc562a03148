"""The fetcher: sources → days → what is pending → the stream. Once a day, or when asked."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from functions import changes, history, log, metrics, new_run
from functions.completion import complete, end
from functions.diff import events, reached
from functions.errors import LEDGER, NotAdmitted, PipelineHeld, SourceRefused
from functions.new_run import Known
from functions.notices import Notices
from functions.request import EVENT_AGE, Request, read
from functions.settings import FetcherSettings
from functions.sources import Fetched, Sources
from functions.stream import Stream
from functions.transform import Published, transform
from schemas.event import DayEvent
from schemas.ledger import OPEN, Acknowledged, Head, Reason, Run, Settled, SourceFile, owed
from schemas.notice import ALERTS, DAILY_REPORT
from schemas.text import ONE_DAY
from storage.archive import Archive, sha256
from storage.aws import client
from storage.change import Change
from storage.errors import AlreadyTold, LedgerMoved
from storage.ledger import Committed, Ledger
from storage.ledger_items import MAX_RUN_BYTES, largest

MAX_TRIES = 20  # at storing a run; under a first load that is being entered the ledger moves all the time
MARGIN = dt.timedelta(minutes=30)


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
    """One run. A retried request resumes its stored run if that is still the newest, and sends nothing
    otherwise. A failure for good is the reporter's to tell."""
    at = parts()
    head = at.ledger.head()
    request = read(event, context.aws_request_id, at.ledger.answered)
    try:
        return make(at, request, head, holder=context.aws_request_id)
    except NotAdmitted as refusal:
        log.line("not admitted", log.WARN, trigger=request.trigger, problem=str(refusal))
        return {"refused": str(refusal)}


def make(at: Parts, request: Request, head: Head, holder: str) -> dict[str, Any]:
    """The run of a request, and what the function answers. Raises NotAdmitted."""
    admit(request, head)
    run = stored_of(at, request)
    if run is None:
        done = begin(at, request, head)
        run, head = done.runs[0], done.head
    elif run.time == head.last_run:
        take_up(at, run, head)
    sent = at.notices.send(head.unsent, at.ledger, holder, request.arrived)
    return {"run": run.name, "state": run.state, "pending": len(run.pending), "notices_sent": sent}


def admit(request: Request, head: Head) -> None:
    """Raises PipelineHeld while a rebuild is under way; NotAdmitted for any other run beside a backfill, as
    that would date its later entries today, and for a backfill's without its marker."""
    if head.held and head.is_rebuilding:
        raise PipelineHeld(head.held.reason)
    if head.held and not request.is_backfill:
        raise NotAdmitted(f"{head.held.reason}: no other run is made until it has ended")
    if request.is_backfill and not head.is_backfilling:
        raise NotAdmitted("a backfill's runs are made only while its marker stands in the ledger")


def stored_of(at: Parts, request: Request) -> Run | None:
    """The run of this request; None where none was stored. A backfill's is known by its name, however long
    ago it was made."""
    if request.is_backfill:
        return next(iter(at.ledger.runs_named([history.run_name(request.time.date())])), None)
    return at.ledger.run_asked_by(request.id)


def begin(at: Parts, request: Request, head: Head) -> Committed:
    """Store a new run, and put its pending days on the stream."""
    head = look_after(at, request, head)
    if request.is_backfill:
        dated(head, (), request)
        addresses = history.addresses(request.time.date(), at.settings.history_base)
        at = replace(at, sources=Sources(at.settings, addresses))
    fetched = fetch(at, head)
    for _ in range(MAX_TRIES):
        try:
            return store(at, request, fetched, head)
        except (LedgerMoved, AlreadyTold) as moved:
            # It is decided again; and where a newer run was stored, fetched again.
            log.line("ledger moved", problem=str(moved))
            before, head = head, at.ledger.head()
            if twin := stored_of(at, request):  # the request was delivered twice at once
                return Committed(head, (twin,))
            if head.last_run != before.last_run or not (fetched.files or conditions(at, head)):
                fetched = fetch(at, head)
    raise LedgerMoved(f"under {MAX_TRIES} attempts")


def look_after(at: Parts, request: Request, head: Head) -> Head:
    """Complete the runs that owe nothing by now, and tell people of open ones whose records can't come any
    more; the head afterwards."""
    if not head.owing:
        return head
    stack = at.settings.stack
    head = complete(at.ledger, at.ledger.owing(), request.arrived, stack)
    owing = at.ledger.owing()
    overdue = [run for run in owing.others if run.state == OPEN and is_too_old(at, run, request)]
    for run in overdue:
        problem = "its records have not arrived within the time that they are tried"
        change = changes.incomplete(owing.head, [run], owing.days, problem, request.arrived, stack)
        end(at.ledger, change, stack)
        owing = at.ledger.owing()
    return owing.head if overdue else head


def is_too_old(at: Parts, run: Run, request: Request) -> bool:
    """Whether the run's records can't come any more: Lambda retries its request for an hour, and the mapping
    each record for so many seconds."""
    age = EVENT_AGE + dt.timedelta(seconds=at.settings.record_age_seconds) + MARGIN
    return request.arrived - (run.arrived or run.time) > age


def fetch(at: Parts, head: Head) -> Fetched:
    """Both files, kept in the archive; no files where nothing has changed since the sources were settled."""
    settled = conditions(at, head)
    fetched = at.sources.fetch(settled and settled.etags)
    for source, payload in fetched.files.items():
        at.archive.keep_file(source, payload)
    return fetched


def conditions(at: Parts, head: Head) -> Settled | None:
    """What requests may be conditional on; None unless nothing at all has moved since it was settled."""
    settled = head.settled
    if settled is None:
        return None
    then = (settled.stamp, settled.code, settled.acceptances, dict(settled.addresses))
    return settled if then == (head.stamp, at.settings.code, head.acceptances, at.sources.addresses) else None


def store(at: Parts, request: Request, fetched: Fetched, head: Head) -> Committed:
    """Decide what the run comes to, store it, and put its events. Raises LedgerMoved where the ledger was
    changed since ``head`` was read."""
    admit(request, head)
    stack, settled = at.settings.stack, conditions(at, head)
    run = Run(
        time=dated(head, (), request),
        request=request.id,
        trigger=request.trigger,
        state=OPEN,
        arrived=request.arrived,
        code=at.settings.code,
    )
    if not fetched.files:
        if settled is None:
            raise LedgerMoved("what was settled is so no longer")
        run = new_run.unchanged(run, head, settled)
        return commit(at, changes.stored(head, run, stack, unchanged=tuple(settled.etags)), len(run.pending))
    known = look_up(at, head)
    run = replace(
        run,
        files={source: sha256(payload) for source, payload in fetched.files.items()},
    )
    bare = run
    try:
        check_ledger(at, known)
        published = transform(fetched.files, run.time.date())
        acceptances = at.ledger.acceptances() if head.acceptances else []
        run = new_run.believed(run, known, published, acceptances)
        sent = [known.days[date] for date in run.pending if date in known.days]
        run = replace(run, time=dated(head, sent, request))
        run = replace(run, basis=new_run.basis(run, head, published, at.sources.addresses, fetched.etags))
        check_size(run)
    except SourceRefused as refusal:
        if request.is_backfill and refusal.is_of_ledger:
            raise  # stored, it would stand for that date's files, which nobody has refused
        at.archive.keep_reasons(bare.name, refusal.reasons)
        return commit(at, changes.refused(head, bare, refusal.reasons, stack), len(known.owed))
    give_up_withdrawn(at, request, known, published)
    files = [
        SourceFile(s, run.files[s], len(rows), max(rows), run.asked_at) for s, rows in published.rows.items()
    ]
    change = changes.stored(head, run, stack, reached(published.days, known.days), files)
    done = commit(at, change, len(known.owed.union(run.pending)))
    put(at, run, known, published)
    return done


def dated(head: Head, sent: Iterable[Acknowledged], request: Request) -> dt.datetime:
    """The time of a request's run, which sends these days. Raises NotAdmitted where a backfill's would not be
    that of its publications: right after the listed day before it, and before everything newer."""
    time = changes.next_time(head, sent, request.time)
    if not request.is_backfill:
        return time
    dates, date = history.dates(), request.time.date()
    is_next = date == dates[0] or (head.last_run is not None and head.last_run >= time - ONE_DAY)
    if date not in dates or time != request.time or not is_next:
        last = f"the last run is of {head.last_run}" if head.last_run else "no run has been made yet"
        raise NotAdmitted(f"{request.id} is out of order: {last}")
    return time


def commit(at: Parts, change: Change, pending: int) -> Committed:
    """Store the change's run; in the log and the metrics too."""
    done = at.ledger.commit(change)
    run = change.runs[0][1]
    log.line("stored", run=run.name, state=run.state, pending=len(run.pending))
    metrics.ended(change, at.settings.stack)
    metrics.gauge(done.head, pending, run.asked_at, at.settings.stack)
    return done


def look_up(at: Parts, head: Head) -> Known:
    """The whole ledger, as far as a run needs it."""
    return Known(head, at.ledger.days(), at.ledger.runs_named(head.owing) if head.owing else ())


def check_ledger(at: Parts, known: Known) -> None:
    """Raises SourceRefused where the days' versions don't sum up to the stamp, so that an item was lost;
    LedgerMoved where the ledger was changed while it was read."""
    total = sum(day.version for day in known.days.values())
    if total == known.head.stamp:
        return
    if at.ledger.head().moves != known.head.moves:
        raise LedgerMoved("while it was read")
    problem = (
        f"has days whose versions sum up to {total}, and the stamp {known.head.stamp}: an item was lost."
    )
    raise SourceRefused([Reason(LEDGER, f"{problem} daybook replay puts it right")])


def check_size(run: Run) -> None:
    """Raises SourceRefused where the run's item could outgrow what DynamoDB takes."""
    if (size := largest(run)) > MAX_RUN_BYTES:
        problem = f"would make a run of {len(run.pending):,} dates, whose item may grow to {size:,} bytes"
        raise SourceRefused(
            [Reason(LEDGER, f"{problem}; at most {MAX_RUN_BYTES:,} fit into DynamoDB's 400 KB")]
        )


def give_up_withdrawn(at: Parts, request: Request, known: Known, published: Published) -> None:
    """Give up what runs that are too old owe, the files no longer have and the log does not hold. Raises
    LedgerMoved where there was such a date: the runs are looked up again."""
    dates = {day.date for day in published.days}
    for run in known.owing:
        gone = set(owed(run, known.days)) - dates if is_too_old(at, run, request) else set()
        if gone:
            gone -= {event.day.date for event in at.archive.events_of(run.version).values()}
        if gone:
            at.ledger.commit(changes.no_longer_published(known.head, run, gone, request.arrived))
            complete(at.ledger, at.ledger.owing(), request.arrived, at.settings.stack)
            raise LedgerMoved(f"{len(gone)} dates are no longer published")


def take_up(at: Parts, run: Run, head: Head) -> None:
    """Put the days that this stored run still owes, from the files that it read."""
    known = look_up(at, head)
    if not known.owing:
        return
    published = None
    if owed(run, known.days):
        files = {source: at.archive.file(source, digest) for source, digest in run.files.items()}
        published = transform(files, run.time.date())
    put(at, run, known, published)


def put(at: Parts, run: Run, known: Known, published: Published | None) -> None:
    """What was logged goes first: the events of older runs that the log holds and the ledger has not seen.
    Then one event for each day that the run itself owes, oldest first."""
    again = [event for older in known.owing if older.time < run.time for event in logged(at, older, known)]
    owes = set(owed(run, known.days))
    days = [day for day in published.days if day.date in owes] if published else []
    count = at.stream.put([*again, *events(days, known.days, run, at.settings.stack)])
    log.line("emitted", run=run.name, events=count, of_older_runs=len(again))


def logged(at: Parts, run: Run, known: Known) -> list[DayEvent]:
    """The events of a run that the log holds for the dates that it owes, oldest first."""
    owes = set(owed(run, known.days))
    found = at.archive.events_of(run.version).values()
    chosen = [event for event in found if event.run == run.name and event.day.date in owes]
    return sorted(chosen, key=lambda event: event.day.date)
