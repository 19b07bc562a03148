"""A run: one attempt of the fetcher and all that comes of it; and what else the ledger knows."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from schemas.day import Counts
from schemas.moment import written

State = Literal["open", "completed", "failed", "incomplete"]
OPEN: State = "open"
COMPLETED: State = "completed"
FAILED: State = "failed"
INCOMPLETE: State = "incomplete"

MAX_VALUE_SHOWN = 40
MAX_REASONS_SHOWN = 20


@dataclass(frozen=True)
class Reason:
    """Why a file, a row or a figure is refused. ``row`` counts lines from 1, the header's."""

    file: str
    problem: str
    row: int | None = None
    date: str | None = None
    field: str | None = None
    value: str | None = None

    def __str__(self) -> str:
        place = [self.file]
        if self.row is not None:
            place.append(f"row {self.row}")
        if self.date is not None and self.date != self.value:
            place.append(shown(self.date)[1:-1])  # both may be whatever the file says
        if self.field is not None:
            place.append(shown(self.field)[1:-1])
        value = "" if self.value is None else f" {shown(self.value)}"
        return f"{', '.join(place)}:{value} {self.problem}"


def shown(value: str) -> str:
    """A value from outside, quoted, on one line and in ASCII, cut to 40 characters."""
    quoted = ascii(value[: MAX_VALUE_SHOWN + 1])[1:-1]
    return f'"{quoted[:MAX_VALUE_SHOWN]}…"' if len(quoted) > MAX_VALUE_SHOWN else f'"{quoted}"'


@dataclass(frozen=True)
class Warning:
    """Something worth telling that does not stop a run. The same condition has the same code on every run."""

    code: str
    text: str


@dataclass(frozen=True)
class Run:
    """``new`` maps each pending date that was never acknowledged to the published date before it."""

    time: dt.datetime
    request: str
    trigger: str
    state: State
    pending: tuple[dt.date, ...] = ()
    new: Mapping[dt.date, dt.date | None] = field(default_factory=dict)
    newest: dt.date | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    etags: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    acceptances: int = 0
    accepted: tuple[str, ...] = ()
    warnings: tuple[Warning, ...] = ()
    begun: frozenset[str] = frozenset()
    ended: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    reason_count: int = 0
    inserted: frozenset[dt.date] = frozenset()
    updated: frozenset[dt.date] = frozenset()
    duplicate: frozenset[dt.date] = frozenset()
    failed: frozenset[dt.date] = frozenset()
    entries: int = 0
    notice: str | None = None

    @property
    def name(self) -> str:
        """How events, notices and people call it: its time and its request."""
        return f"{written(self.time)}#{self.request}"

    @property
    def accounted(self) -> frozenset[dt.date]:
        """The dates whose outcome is known."""
        return self.inserted | self.updated | self.duplicate | self.failed

    @property
    def unaccounted(self) -> tuple[dt.date, ...]:
        """The pending dates of which nothing has been heard, oldest first."""
        known = self.accounted
        return tuple(date for date in self.pending if date not in known)


@dataclass(frozen=True)
class Acknowledged:
    """A day's entry in the ledger. Without a digest it is pending, whatever the sources say."""

    date: dt.date
    counts: Counts
    digest: str | None
    version: int
    revision: int
    event: str
    run: str
    at: dt.datetime


@dataclass(frozen=True)
class Settled:
    """The sources' state at the last run that left nothing undone."""

    etags: Mapping[str, str]
    stamp: int
    code: str
    acceptances: int


@dataclass(frozen=True)
class Head:
    """What the ledger knows of the whole.

    ``stamp`` is the sum of the acknowledged versions; ``warnings`` are those of the last run that
    believed its files; ``failures`` are the runs that have failed since the last success; ``unsent``
    are notices that nobody has marked sent; ``moves`` counts the transactions, for conditions.
    """

    last_acknowledged: dt.date | None = None
    stamp: int = 0
    open: frozenset[str] = frozenset()
    last_run: dt.datetime | None = None
    last_success: dt.datetime | None = None
    settled: Settled | None = None
    warnings: tuple[Warning, ...] = ()
    failures: tuple[str, ...] = ()
    unsent: frozenset[str] = frozenset()
    acceptances: int = 0
    moves: int = 0


@dataclass(frozen=True)
class SourceFile:
    """One version of what a source published, as last checked."""

    source: str
    sha256: str
    rows: int
    newest: dt.date
    checked_at: dt.datetime
