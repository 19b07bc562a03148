"""A run's life in the ledger: it is stored, completed, or given up; each step one transaction."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from functions import log, metrics, outcome
from functions.errors import AlreadyTold, LedgerMoved
from functions.ledger import Ledger
from schemas.moment import MILLISECOND
from schemas.notice import Notice
from schemas.run import OPEN, Head, Run

Result = TypeVar("Result")

MAX_TRIES = 5
DAYS_PER_TRANSACTION = 90  # of DynamoDB's 100 items; head, runs and a notice go along


def again(attempt: Callable[[], Result]) -> Result:
    """What the attempt gives; made again, from fresh reads, when the ledger moved under it."""
    for _ in range(MAX_TRIES - 1):
        try:
            return attempt()
        except LedgerMoved as moved:
            log.line("ledger moved", problem=str(moved))
    return attempt()


def next_time(head: Head, time: dt.datetime) -> dt.datetime:
    """The run's time: as asked for, or 1 ms after the last stored run where that is later."""
    return time if head.last_run is None else max(time, head.last_run + MILLISECOND)


def stored(run: Run, head: Head) -> Head:
    """The head once this run is stored and open: nothing is settled until a run says so."""
    return replace(head, last_run=run.time, open=head.open | {run.name}, settled=None)


def complete(ledger: Ledger, run: Run, head: Head, now: dt.datetime, stack: str) -> Head:
    """End an open run whose pending dates are all accounted for; its report is made, unsent. Where the
    fetcher and the consumer both do so, the second leaves it at that."""
    ending = outcome.completed(run, head, now, stack)
    try:
        after = ledger.commit((head, ending.head), runs=[(run, ending.run)], notices=[ending.notice], now=now)
    except AlreadyTold as told:
        log.line("told already", notice=str(told))
        return ledger.read(None).head
    tell_completed(ending.run, after, now, stack)
    return after


def tell_completed(run: Run, head: Head, now: dt.datetime, stack: str) -> None:
    """Into the log, and for CloudWatch to count."""
    log.line("completed", log.INFO, run=run.name, **counts(run))
    values = {
        metrics.RUNS_COMPLETED: 1,
        metrics.DAYS_PENDING: 0,
        metrics.DAYS_INSERTED: len(run.inserted),
        metrics.DAYS_UPDATED: len(run.updated),
        metrics.RUN_SECONDS: (now - run.time).total_seconds(),
    }
    if run.newest and head.last_acknowledged:
        values[metrics.LAG_DAYS] = (run.newest - head.last_acknowledged).days
    metrics.count(stack, now, **values)


def counts(run: Run) -> dict[str, int]:
    return {
        "pending": len(run.pending),
        "inserted": len(run.inserted),
        "updated": len(run.updated),
        "duplicate": len(run.duplicate),
        "failed": len(run.failed),
    }


def settle(ledger: Ledger, names: Iterable[str], now: dt.datetime, age: dt.timedelta, stack: str) -> None:
    """Look after the runs that are open: complete what is accounted for, give up what is older than the
    mapping retries its records. A younger one stays open."""
    for name in sorted(names):
        again(lambda name=name: _settle_one(ledger, name, now, age, stack))


def _settle_one(ledger: Ledger, name: str, now: dt.datetime, age: dt.timedelta, stack: str) -> None:
    reading = ledger.read(name)
    run, head = reading.run, reading.head
    if run is None or run.state != OPEN:
        return
    if not run.unaccounted:
        complete(ledger, run, head, now, stack)
    elif now - run.time > age:
        ending = outcome.incomplete(run, head, stack)
        give_up(ledger, [(run, ending.run)], run.unaccounted, [ending.notice], now)
        log.line("incomplete", log.ERROR, run=run.name, days=len(run.unaccounted))
        metrics.count(stack, now, **{metrics.RUNS_FAILED: 1})


def give_up(
    ledger: Ledger,
    runs: Sequence[tuple[Run | None, Run]],
    dates: Iterable[dt.date],
    notices: Sequence[Notice],
    now: dt.datetime,
) -> Head:
    """Take the digests from these dates, so that they are pending whatever the sources say; then end the
    runs badly, with an alert. Raises AlreadyTold when that was done before, and takes nothing then: the
    dates may have been entered anew since. Raises LedgerMoved when a run moved since it was read."""
    if known := [notice.id for notice in notices if ledger.told(notice.id)]:
        raise AlreadyTold(", ".join(known))
    remaining = iter(sorted(set(dates)))
    while batch := list(islice(remaining, DAYS_PER_TRANSACTION)):
        again(lambda batch=batch: _forget(ledger, batch, now))
    return _end(ledger, runs, notices, now)


def _forget(ledger: Ledger, dates: Sequence[dt.date], now: dt.datetime) -> None:
    reading = ledger.read(None, dates)
    held = [entry for entry in reading.entries.values() if entry.digest]
    if held:
        forgotten = [(entry, replace(entry, digest=None)) for entry in held]
        ledger.commit((reading.head, replace(reading.head, settled=None)), days=forgotten, now=now)


def _end(
    ledger: Ledger, runs: Sequence[tuple[Run | None, Run]], notices: Sequence[Notice], now: dt.datetime
) -> Head:
    before = head = ledger.head()
    for _, run in runs:
        head = outcome.ended_badly(run, head)
        head = replace(head, last_run=max(filter(None, (head.last_run, run.time))))
    return ledger.commit((before, head), runs=runs, notices=notices, now=now)
