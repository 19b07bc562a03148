"""Completing the runs that owe nothing any more: the batch that ends one, and the next run, do so."""

import datetime as dt

from functions import changes, log, metrics
from schemas.ledger import Head
from storage.change import Change, Reading
from storage.errors import AlreadyTold, LedgerMoved
from storage.ledger import Committed, Ledger

MAX_TRIES = 5  # a busy ledger is left to the next batch or run


def complete(ledger: Ledger, reading: Reading, now: dt.datetime, stack: str) -> Head:
    """Complete every run of the reading that owes nothing by now; the head afterwards. Where another moves
    the ledger all the time, the next batch or run completes them."""
    for _ in range(MAX_TRIES):
        ending = changes.finished(reading, now, stack)
        if ending is None:
            return reading.head
        if done := end(ledger, ending, stack):
            metrics.gauge(done.head, None if done.head.owing else 0, now, stack)
            if len(ending.runs) < changes.MAX_RUNS:
                return done.head
        reading = ledger.owing()
    return reading.head


def end(ledger: Ledger, change: Change, stack: str) -> Committed | None:
    """Make a change that tells people about runs; None where the ledger moved, or where it is made
    already."""
    try:
        done = ledger.commit(change)
    except (LedgerMoved, AlreadyTold) as moved:
        log.line("ledger moved", problem=str(moved))
        return None
    metrics.ended(change, stack)
    return done
