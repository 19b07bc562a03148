"""All that is kept, as it lies there: the value that the invariants are held against.

It is read raw (storage/raw.py), so that a fault of the product's readers hides nothing from the invariants.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from schemas.figures import FIGURES
from schemas.moment import at
from schemas.notice import FOLDED
from schemas.text import days as listed

Values = Mapping[str, int | None]  # a figure's name → its count; None where it is not reported
SETS = ("inserted", "updated", "duplicate", "superseded", "failed")
COMPLETED = "completed"
NO_DATES: frozenset[dt.date] = frozenset()


@dataclass(frozen=True)
class Finding:
    """What is the matter, and where: log, archive, ledger, runs, notices, daily, revisions. ``broken``: an
    invariant doesn't hold. Everything else is worth knowing, and no fault."""

    place: str
    what: str
    broken: bool = True


@dataclass(frozen=True)
class RawDay:
    """An item ``day#…`` of the ledger."""

    date: dt.date
    values: Values
    digest: str
    version: int
    seen: int
    entries: int
    event: str
    run: str
    acknowledged_at: dt.datetime


@dataclass(frozen=True)
class RawHead:
    """The item ``head``, as far as something must hold of it."""

    last_acknowledged: dt.date | None = None
    stamp: int = 0
    entries: int = 0
    owing: frozenset[str] = frozenset()
    last_run: dt.datetime | None = None
    failures: tuple[str, ...] = ()
    told: frozenset[str] = frozenset()  # codes of the warnings that people know of
    unsent: frozenset[str] = frozenset()
    settled: bool = False
    held: bool = False


@dataclass(frozen=True)
class RawRun:
    """An item ``run#…``. ``sets`` has the dates of each of SETS."""

    name: str
    version: int
    state: str
    pending: frozenset[dt.date] = NO_DATES
    new: frozenset[dt.date] = NO_DATES
    files: Mapping[str, str] = field(default_factory=dict)
    sets: Mapping[str, frozenset[dt.date]] = field(default_factory=dict)
    refused: frozenset[dt.date] = NO_DATES
    warnings: frozenset[str] = frozenset()  # codes; none where a newer run was stored before it completed
    begun: frozenset[str] = frozenset()  # of these, what people did not know
    accepted: frozenset[str] = frozenset()  # codes of what an operator took and people did not know
    notice: str | None = None

    def __str__(self) -> str:
        return f"the run {self.name}"

    @property
    def entered(self) -> frozenset[dt.date]:
        return self.sets.get("inserted", NO_DATES) | self.sets.get("updated", NO_DATES)

    @property
    def is_folded(self) -> bool:
        """Whether it is told of in the one report of a backfill."""
        return self.notice == FOLDED

    @cached_property
    def accounted(self) -> frozenset[dt.date]:
        return NO_DATES.union(*self.sets.values())

    @property
    def is_believed(self) -> bool:
        """Whether its files were believed: one without pending dates is completed at once, or was refused."""
        return bool(self.pending) or self.state == COMPLETED


@dataclass(frozen=True)
class RawNotice:
    """An item ``notice#…``."""

    id: str
    topic: str
    subject: str
    email: str
    run: str | None
    state: str


@dataclass(frozen=True)
class LoggedEvent:
    """An event of the log. One that lies in several objects is there as often."""

    id: str
    date: dt.date
    version: int
    values: Values
    previous: Values | None
    run: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class RawRow:
    """A row of either table; only ``revisions`` has the run."""

    date: dt.date
    version: int
    values: Values
    event: str
    run: str | None = None


@dataclass(frozen=True)
class Kept:
    """Ledger, log, files and tables at one moment.

    ``files`` has those that are there and whole, as ``source/sha256``, each with what it says where that was
    asked for. ``findings`` is what the reader could not read. ``moved``: the ledger was changed meanwhile, so
    that what was read doesn't belong together.
    """

    head: RawHead = RawHead()
    days: Mapping[dt.date, RawDay] = field(default_factory=dict)
    runs: Mapping[str, RawRun] = field(default_factory=dict)
    notices: Mapping[str, RawNotice] = field(default_factory=dict)
    accepted: frozenset[tuple[dt.date, str]] = frozenset()
    believed: Mapping[str, str] = field(default_factory=dict)  # source → SHA-256 of its newest believed file
    log: tuple[LoggedEvent, ...] = ()
    daily: tuple[RawRow, ...] = ()
    revisions: tuple[RawRow, ...] = ()
    files: Mapping[str, Mapping[dt.date, Values] | None] = field(default_factory=dict)
    rejected: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    moved: bool = False

    @cached_property
    def events(self) -> Mapping[str, LoggedEvent]:
        """The log's distinct events by id."""
        return {event.id: event for event in self.log}

    @cached_property
    def by_date(self) -> Mapping[dt.date, list[LoggedEvent]]:
        """The log's distinct events of each date, by version."""
        events: dict[dt.date, list[LoggedEvent]] = defaultdict(list)
        for event in sorted(self.events.values(), key=lambda event: (event.version, event.id)):
            events[event.date].append(event)
        return events

    @cached_property
    def runs_by_time(self) -> list[RawRun]:
        """The runs, oldest first."""
        return sorted(self.runs.values(), key=lambda run: (run.version, run.name))

    def owed(self, run: RawRun) -> frozenset[dt.date]:
        """The pending dates of a run that are in none of its sets and not seen at its version or a newer."""
        return frozenset(
            date
            for date in run.pending - run.accounted
            if date not in self.days or self.days[date].seen < run.version
        )

    def in_flight(self, event: LoggedEvent) -> bool:
        """Whether the event is logged and may not be entered yet: its run isn't completed, and doesn't count
        it. Tables and ledger may lack it."""
        run = self.runs.get(event.run)
        return run is not None and run.state != COMPLETED and event.date not in run.entered

    @cached_property
    def lost(self) -> Mapping[tuple[int, dt.date], str]:
        """Version and date of each entry that the log lacks, with a place that knows of it."""
        logged = {(event.version, event.date) for event in self.events.values()}
        known: dict[tuple[int, dt.date], str] = {}
        for day in self.days.values():
            known.setdefault((day.version, day.date), "the ledger")
        for row in self.revisions:
            known.setdefault((row.version, row.date), "revisions")
        for row in self.daily:
            known.setdefault((row.version, row.date), "daily")
        for run in self.runs.values():
            for date in run.entered & run.pending:
                known.setdefault((run.version, date), "its run")
        return {entry: place for entry, place in known.items() if entry not in logged}

    @cached_property
    def lost_days(self) -> Mapping[dt.date, list[int]]:
        """Dates that a run counts as entered and the ledger lacks, with the versions of their entries."""
        versions: dict[dt.date, list[int]] = defaultdict(list)
        for run in self.runs_by_time:
            for date in run.entered & run.pending:
                if date not in self.days:
                    versions[date].append(run.version)
        return versions


def carried(item: Mapping[str, Any]) -> Values:
    """The figures that an item or an event's data carries. Raises KeyError naming one that it lacks."""
    return {
        f.name: item.get(f.name) if f.nullable else item[f.name]
        for f in FIGURES
        if not f.is_later or item.get(f.name) is not None
    }


def when(version: int) -> str:
    """A version for people: the moment that it is."""
    return f"{at(version):%Y-%m-%d %H:%M:%S} UTC"


def dates(dates: Iterable[dt.date]) -> str:
    """``2 days: 2020-03-01, 2020-03-02``."""
    return listed(dates)


def figures(values: Values) -> str:
    """``10 cases, 0 deaths, recovered not reported``, in the order of the declaration."""
    return ", ".join(
        f"{name} {'not reported' if count is None else f'{count:,}'}" for name, count in values.items()
    )
