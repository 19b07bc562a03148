"""What the ledger knows: runs, acknowledged days, the head; and what is owed, pending and lagging.

A run is one attempt of the fetcher and all that comes of it. Its states say what people were told; they
forbid nothing. The table of states is in functions/changes.py.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from schemas.figures import Counts
from schemas.moment import version, written
from schemas.notice import Notice
from schemas.text import quoted

State = Literal["open", "completed", "failed", "incomplete"]
OPEN: State = "open"
COMPLETED: State = "completed"
FAILED: State = "failed"
INCOMPLETE: State = "incomplete"
Work = Literal["rebuild", "backfill"]
REBUILD: Work = "rebuild"
BACKFILL: Work = "backfill"  # also the trigger of its runs, and how their requests' ids begin

MAX_DAYS = 98  # of a batch: with the head and the run, the 100 items of a DynamoDB transaction
MAX_REASONS_SHOWN = 20
GONE = "gone"  # accepts that a date or one of its figures is not published any more; others name a digest
ACCEPTED = "accepted/"  # the code of a warning that names a figure taken on an operator's word
NO_DATES: frozenset[dt.date] = frozenset()
SETS = ("inserted", "updated", "duplicate", "superseded", "failed", "refused")  # of dates, in a run


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
            place.append(quoted(self.date)[1:-1])  # both may be whatever the file says
        if self.field is not None:
            place.append(quoted(self.field)[1:-1])
        value = "" if self.value is None else f" {quoted(self.value)}"
        return f"{', '.join(place)}:{value} {self.problem}"


@dataclass(frozen=True)
class Warning:
    """A remark that does not stop a run. The same condition has the same code on every run."""

    code: str
    text: str


@dataclass(frozen=True)
class Settled:
    """The sources as they were when nothing was left to do. Requests are conditional only while stamp, code,
    acceptances and addresses are still these."""

    addresses: Mapping[str, str]  # source → URL
    etags: Mapping[str, str]  # source → ETag
    newest: Mapping[str, dt.date]  # source → newest date of its file
    code: str = ""  # hash of the deployed code
    acceptances: int = 0
    stamp: int = 0


@dataclass(frozen=True)
class Run:
    """One attempt of the fetcher. Every set holds dates out of ``pending``, each date in one set at most."""

    time: dt.datetime  # scheduled or asked for; at least 1 ms after the last stored run's
    request: str  # Lambda's request id; a retry has the same
    trigger: str  # what asked for the run: schedule, operator, …
    state: State
    arrived: dt.datetime | None = None  # when the request arrived; the age of its records counts from then
    pending: tuple[dt.date, ...] = ()  # the dates that the run sends, oldest first
    new: Mapping[dt.date, dt.date | None] = field(default_factory=dict)
    # Pending dates that were never acknowledged → the published date before each, None for the first of all.
    newest: dt.date | None = None  # the newest date that both files have
    files: Mapping[str, str] = field(default_factory=dict)  # source → SHA-256; empty after two 304s
    basis: Settled | None = None  # what the run settles when it completes; None where an ETag is missing
    code: str = ""  # hash of the deployed code
    accepted: tuple[Warning, ...] = ()  # figures taken on an operator's word that people do not know of yet
    warnings: tuple[Warning, ...] = ()  # every remark that holds, as far as the head keeps them
    begun: frozenset[str] = frozenset()  # codes of the warnings that people do not know yet
    ended: tuple[str, ...] = ()  # texts of warnings that people know and that no longer hold
    reasons: tuple[str, ...] = ()  # why it failed or is incomplete, the first twenty
    reason_count: int = 0
    entries_before: int = 0  # the head's entries when the run was stored
    inserted: frozenset[dt.date] = NO_DATES  # first entry of its date
    updated: frozenset[dt.date] = NO_DATES  # a later entry of its date
    duplicate: frozenset[dt.date] = NO_DATES  # its values were acknowledged already
    superseded: frozenset[dt.date] = NO_DATES  # a newer run's event was decided first
    failed: frozenset[dt.date] = NO_DATES  # given up: no longer published, and never logged
    refused: frozenset[dt.date] = NO_DATES  # a table refuses the row, or an older one of its date: still owed
    notice: str | None = None  # id of the last notice about the run
    moves: int = 0  # how many transactions changed the run: the condition of the next one

    @property
    def name(self) -> str:
        """How events and notices call the run: its time and its request."""
        return f"{written(self.time)}#{self.request}"

    @property
    def asked_at(self) -> dt.datetime:
        """When the run was asked for. The time of a backfill's run is that of a publication of long ago."""
        return (self.arrived or self.time) if self.is_backfilled else self.time

    @property
    def is_backfilled(self) -> bool:
        """Whether it was made from the sources' public history."""
        return self.trigger == BACKFILL

    @property
    def version(self) -> int:
        """The version of each of the run's events: its time in epoch milliseconds."""
        return version(self.time)

    @cached_property
    def sends(self) -> frozenset[dt.date]:
        """The pending dates, to look one up in."""
        return frozenset(self.pending)

    @cached_property
    def entered(self) -> frozenset[dt.date]:
        """The dates whose event is an entry."""
        return self.inserted | self.updated

    @cached_property
    def accounted(self) -> frozenset[dt.date]:
        """The dates that are in a set."""
        return self.entered | self.duplicate | self.superseded | self.failed

    @cached_property
    def unaccounted(self) -> tuple[dt.date, ...]:
        """The pending dates that are in no set, oldest first."""
        known = self.accounted
        return tuple(date for date in self.pending if date not in known)


@dataclass(frozen=True)
class Acknowledged:
    """A day as the ledger believes it."""

    date: dt.date
    counts: Counts
    version: int  # of the entry that is believed
    seen: int  # version of the newest event that was decided, entered or not
    entries: int  # how many events of the date are entries
    event: str  # id of the entry that is believed
    run: str  # name of its run
    acknowledged_at: dt.datetime


@dataclass(frozen=True)
class Held:
    """The marker of a rebuild or a backfill. While a rebuild's stands, the fetcher refuses to run and the
    consumer refuses live records; replayed ones are entered. While a backfill's stands, the fetcher makes its
    runs and no other."""

    reason: str
    since: dt.datetime
    work: Work = REBUILD


@dataclass(frozen=True)
class Head:
    """What the ledger knows of the whole."""

    last_acknowledged: dt.date | None = None  # it and every earlier published day were acknowledged once
    newest: dt.date | None = None  # newest date that both files had when they were last believed
    stamp: int = 0  # sum of the days' acknowledged versions
    entries: int = 0  # sum of the days' entries
    owing: frozenset[str] = frozenset()  # names of the runs that owe dates
    last_run: dt.datetime | None = None  # time of the newest stored run
    last_success: dt.datetime | None = None  # when a run last completed
    failures: tuple[str, ...] = ()  # names of failed and incomplete runs that nothing has made good
    told: tuple[Warning, ...] = ()  # the warnings that people know of
    unsent: frozenset[str] = frozenset()  # ids of notices that are not marked sent
    settled: Settled | None = None  # None while anything is left to do
    held: Held | None = None  # set while a rebuild or a backfill is under way
    acceptances: int = 0  # how many acceptances operators have entered
    moves: int = 0  # how many transactions changed the head: the condition of the next one

    @property
    def is_rebuilding(self) -> bool:
        return self.held is not None and self.held.work == REBUILD

    @property
    def is_backfilling(self) -> bool:
        return self.held is not None and self.held.work == BACKFILL


@dataclass(frozen=True)
class SourceFile:
    """One version of what a source published, as last checked."""

    source: str
    sha256: str
    rows: int
    newest: dt.date
    checked_at: dt.datetime


@dataclass(frozen=True)
class SentNotice:
    """A notice and its state: unsent, leased or sent."""

    notice: Notice
    created_at: dt.datetime
    state: str
    sent_at: dt.datetime | None


@dataclass(frozen=True)
class Acceptance:
    """An operator's word for one day's values (``digest``), or for its withdrawal (``GONE``)."""

    date: dt.date
    digest: str
    reason: str
    run: str  # name of the run that was refused
    figures: tuple[str, ...]  # the reasons of the refusal
    accepted_at: dt.datetime


def is_backfilled(run: str) -> bool:
    """Whether the run of this name was made from the sources' public history."""
    return run.partition("#")[2].startswith(f"{BACKFILL}/")


def owed(run: Run, days: Mapping[dt.date, Acknowledged]) -> tuple[dt.date, ...]:
    """The dates that a run owes, oldest first: pending, in none of its sets, and not seen at its version or
    at a newer one. ``days`` holds at least those of the run's unaccounted dates that the ledger knows."""
    return tuple(date for date in run.unaccounted if date not in days or days[date].seen < run.version)


def pending(owing: Iterable[Run], days: Mapping[dt.date, Acknowledged]) -> list[dt.date]:
    """The dates that are known to be pending, oldest first: what the runs of ``head.owing`` owe."""
    return sorted({date for run in owing for date in owed(run, days)})


def decided(runs: Iterable[Run]) -> dict[dt.date, int]:
    """The newest version of each date that these runs count as decided, duplicates among them, which are in
    no log."""
    newest: dict[dt.date, int] = {}
    for run in runs:
        for date in run.entered | run.duplicate | run.superseded:
            newest[date] = max(run.version, newest.get(date, 0))
    return newest


def lag(head: Head) -> int | None:
    """Days from the last acknowledged date to the newest published one; None before either is known."""
    if head.newest is None or head.last_acknowledged is None:
        return None
    return max(0, (head.newest - head.last_acknowledged).days)
