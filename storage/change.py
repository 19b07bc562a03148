"""The ledger as values: what was read of it, and the change that one transaction makes."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.ledger import Acceptance, Acknowledged, Head, Run, SourceFile
from schemas.notice import Notice


@dataclass(frozen=True)
class Reading:
    """The ledger as read: the head, one run, other runs that owe dates, and some days."""

    head: Head
    run: Run | None  # None where no run was asked for, or the ledger does not know it
    others: tuple[Run, ...]  # the runs of ``head.owing`` but for that one, oldest first
    days: Mapping[dt.date, Acknowledged]


@dataclass(frozen=True)
class Change:
    """Pairs of what was read and what it becomes; None where it is new. ``at`` is when the change is made."""

    at: dt.datetime
    head: tuple[Head, Head]
    runs: tuple[tuple[Run | None, Run], ...] = ()
    days: tuple[tuple[Acknowledged | None, Acknowledged], ...] = ()
    files: tuple[SourceFile, ...] = ()  # as read and believed now
    unchanged: tuple[str, ...] = ()  # sources that answered 304
    acceptances: tuple[Acceptance, ...] = ()
    notices: tuple[Notice, ...] = ()  # new ones, unsent

    @property
    def is_empty(self) -> bool:
        """Whether nothing becomes other than it was read."""
        before, after = self.head
        pairs = [(before, after), *self.runs, *self.days]
        new = (self.files, self.unchanged, self.acceptances, self.notices)
        return not any(new) and all(old == new for old, new in pairs)
