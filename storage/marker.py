"""The marker in the ledger's head, by which a rebuild or a backfill holds the pipeline: docs/adr/0014."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

from schemas.ledger import Head, Held
from storage.errors import HeldByAnother
from storage.ledger import Ledger


def hold(ledger: Ledger, held: Held, check: Callable[[Head], None] = lambda _: None) -> bool:
    """Set the marker; False where one of the same work stands already. ``check`` may raise on the very head
    that gets it. Raises HeldByAnother where the other work's stands."""

    is_new = False

    def marked(head: Head) -> Head:
        nonlocal is_new
        if is_new := head.held is None:
            check(head)
            return replace(head, held=held)
        if head.held.work != held.work:
            raise HeldByAnother(head.held.reason)
        return head

    ledger.amend(held.since, marked)
    return is_new


def release(ledger: Ledger, now: dt.datetime) -> None:
    ledger.amend(now, lambda head: replace(head, held=None))
