"""What was last read, and when it is worth reading again.

Queries are money: a Timestream query costs about 1.7 cents, a DynamoDB read next to nothing. So each look
asks the ledger's head (once in a few seconds, however many people look), and the tables only when the
head's stamp has changed, or while a table trails: then again after the minutes in ``AGAIN``, as
Timestream's magnetic store may take six hours to show what it has accepted.

When something is out of reach, the last good figures stay, and the view says what is wrong with them.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, Protocol, TypeVar

from dashboard import series
from dashboard.answers import Publication, publications
from dashboard.milestones import Turn, milestones, turns
from dashboard.settings import Settings
from dashboard.view import View
from schemas import ledger as ledgers
from schemas.ledger import Acknowledged, Head, Run, SentNotice, SourceFile
from storage.change import Reading
from storage.errors import Place, Unreachable
from storage.tables import Row, stamp

RECENT_RUNS = 30
HEAD_EVERY = dt.timedelta(seconds=4)
RETRY_EVERY = dt.timedelta(seconds=8)  # after a failure; the SDK has tried three times by then
AGAIN = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 15, 45, 120, 360))  # from the first time
# Seconds that a viewer waits: for news of figures that there are already, and for the very first.
PATIENCE = (3.0, 20.0)

Answer = TypeVar("Answer")
Clock = Callable[[], dt.datetime]


@dataclass(frozen=True)
class Problem:
    """What is out of reach, and since when."""

    place: Place
    text: str
    since: dt.datetime


@dataclass(frozen=True)
class Details:
    """What the ledger has beside its head. ``owing``: the runs that owe dates, ``days``: what is acknowledged
    of those dates. ``notices`` is None until they were asked for."""

    files: tuple[SourceFile, ...]
    runs: tuple[Run, ...]
    owing: tuple[Run, ...]
    days: Mapping[dt.date, Acknowledged]
    notices: tuple[SentNotice, ...] | None = None


@dataclass(frozen=True)
class Snapshot:
    """What there is to show at that time: the last good figures, and what is wrong with them.

    ``head``, ``details``, ``rows`` and ``entries`` are None while they were never read, which is not the same
    as empty; ``read_at`` and ``entries_read_at`` are when rows and entries were, ``stamp`` and
    ``entries_stamp`` are theirs. ``files``: of each run that
    has an entry, the SHA-256 of its files by source. ``publications``: what each run entered, the newest
    first; ``turns`` and ``milestones``: what stands out among that; ``compact``: the entries for the page's
    script. ``trailing``: the rows are not all that the ledger has acknowledged; ``entries_trailing``: the
    entries are not. ``waiting``: an answer is still on its way.
    """

    settings: Settings
    now: dt.datetime
    rows: tuple[Row, ...] | None = None
    entries: tuple[Row, ...] | None = None
    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    publications: Sequence[Publication] = ()
    turns: Sequence[Turn] = ()
    milestones: Sequence[series.Milestone] = ()
    compact: Mapping[str, object] = field(default_factory=dict)
    head: Head | None = None
    details: Details | None = None
    trailing: bool = False
    entries_trailing: bool = False
    stamp: int = 0
    entries_stamp: int = 0
    read_at: dt.datetime | None = None
    entries_read_at: dt.datetime | None = None
    problems: tuple[Problem, ...] = ()
    waiting: bool = False

    @property
    def version(self) -> str:
        """Equal for as long as nothing that a page shows has changed."""
        head = self.head
        moves = None if head is None else (head.moves, sorted(head.unsent))
        wrong = [(problem.place, problem.since.isoformat()) for problem in self.problems]
        rows = None if self.rows is None else (len(self.rows), self.stamp)
        known = self.entries is None, self.details is None
        return repr((moves, rows, known, self.trailing, self.waiting, wrong))

    @property
    def pending(self) -> list[dt.date]:
        """The dates that some run owes, oldest first; empty where the ledger was never read."""
        return [] if self.details is None else ledgers.pending(self.details.owing, self.details.days)

    def entries_of(self, view: View) -> Sequence[Row]:
        """The entries up to the moment that stands for today; every one where the view names none."""
        if view.known is None:
            return self.entries or ()
        return [row for row in self.entries or () if row.recorded_at <= view.known]

    def seen(self, view: View) -> series.Seen:
        """Raises nothing: without figures there is nothing to see, and that is what is drawn."""
        if view.known is None:
            seen = series.see(self.rows or (), view, self.entries, self.pending)
            return replace(seen, milestones=self.milestones)
        entries = self.entries_of(view)
        seen = series.see(series.believed(entries, view.known), view, entries)
        return replace(seen, is_unread=self.entries is None, milestones=milestones(entries))


class LedgerReads(Protocol):
    """What is read of the ledger. Any of it may raise Unreachable."""

    def head(self) -> Head: ...
    def owing(self) -> Reading: ...
    def files(self) -> list[SourceFile]: ...
    def runs(self, limit: int) -> list[Run]: ...
    def runs_named(self, names: Iterable[str]) -> list[Run]: ...
    def notices(self) -> list[SentNotice]: ...


class TableReads(Protocol):
    """What is read of the tables. Any of it may raise Unreachable."""

    def daily(self) -> list[Row]: ...
    def entries(self) -> list[Row]: ...


class Table:
    """One table as last read; None until it is. One that is ``counted`` holds every entry, not only the
    newest of each date."""

    def __init__(self, read: Callable[[], list[Row]], *, counted: bool) -> None:
        self._read = read
        self._counted = counted
        self.rows: tuple[Row, ...] | None = None
        self.stamp = 0  # of these rows
        self.read_at: dt.datetime | None = None
        self._asked_for: object = None
        self._first: dt.datetime | None = None
        self._tries = 0

    def trails(self, head: Head | None) -> bool:
        """Whether there are rows, and not all that the ledger has acknowledged."""
        if head is None or self.rows is None:
            return False
        return self.stamp != head.stamp or (self._counted and len(self.rows) < head.entries)

    def due(self, head: Head, now: dt.datetime) -> bool:
        """Whether it is worth a query."""
        if self._asked_for != self._wanted(head) or self._first is None:
            return True
        return self.trails(head) and self._tries < len(AGAIN) and now >= self._first + AGAIN[self._tries]

    def refresh(self, head: Head, now: dt.datetime) -> None:
        """Raises Unreachable, and then keeps what it has."""
        rows = tuple(self._read())
        self.stamp = stamp(rows)
        self.rows = rows
        self.read_at = now
        if self._asked_for != self._wanted(head) or self._first is None:
            self._asked_for, self._first, self._tries = self._wanted(head), now, 0
            return
        while self._tries < len(AGAIN) and now >= self._first + AGAIN[self._tries]:
            self._tries += 1

    def _wanted(self, head: Head) -> object:
        return (head.stamp, head.entries) if self._counted else head.stamp


class Desk:
    """Where every page and download looks. One thread asks, once for all who look meanwhile; a look waits no
    longer than ``patience`` says. Once one has waited in vain, the others are answered from memory until
    that answer comes."""

    def __init__(
        self,
        ledger: LedgerReads,
        tables: TableReads,
        settings: Settings,
        clock: Clock,
        patience: tuple[float, float] = PATIENCE,
    ) -> None:
        self.clock = clock
        self._ledger = ledger
        self._patience = patience
        self._asks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk")
        self._daily = Table(tables.daily, counted=False)
        self._entries = Table(tables.entries, counted=True)
        self._settings = settings
        self._latest = Snapshot(settings, clock())
        self._files: Mapping[str, Mapping[str, str]] = {}
        self._files_of: tuple[Row, ...] | None = None
        self._computed_of: tuple[Row, ...] | None = None
        self._computed: dict[str, Any] = {}
        self._head_at: dt.datetime | None = None
        self._details_at: dict[bool, object] = {}
        self._failed: dict[Place, tuple[Problem, dt.datetime]] = {}
        self._lock = Lock()
        self._coming: dict[tuple[bool, bool], Future[None]] = {}
        self._overdue: Future[None] | None = None

    def look(
        self, *, entries: bool = False, notices: bool = False, patience: float | None = None
    ) -> Snapshot:
        """What there is; with ``entries``, every entry ever made; with ``notices``, the last notices.
        ``patience``: the seconds to wait, where they aren't the desk's."""
        coming, first = self._refreshing(entries, notices)
        known = self._daily if not entries or self._daily.rows is None else self._entries
        # Only the first who looks waits long for the very first figures: threads are few.
        if patience is None:
            patience = self._patience[1 if known.rows is None and first else 0]
        if self._overdue is not None and not self._overdue.done():
            patience = 0
        try:
            coming.result(patience)
        except TimeoutError:
            if self._overdue is None or self._overdue.done():
                self._overdue = coming
            return replace(self._latest, now=self.clock(), waiting=True)
        return replace(self._latest, now=self.clock())

    def _refreshing(self, entries: bool, notices: bool) -> tuple[Future[None], bool]:
        """The refresh that is on its way, and whether it was begun for this look."""
        kind = (entries, notices)
        with self._lock:
            coming = self._coming.get(kind)
            if coming is not None and not coming.done():
                return coming, False
            self._coming[kind] = self._asks.submit(self._refresh, entries, notices)
            return self._coming[kind], True

    def _refresh(self, entries: bool, notices: bool) -> None:
        now = self.clock()
        head = self._latest.head
        if self._may_ask("ledger", now) and (self._head_at is None or now >= self._head_at + HEAD_EVERY):
            head = self._ask("ledger", now, self._ledger.head) or head
            self._head_at = now
        head, details = self._with_details(head, notices, now)
        if head is not None:
            for table in (self._daily, self._entries) if entries else (self._daily,):
                if table.due(head, now) and self._may_ask("store", now):
                    self._ask("store", now, lambda table=table: table.refresh(head, now))
        self._latest = Snapshot(
            self._settings,
            now,
            rows=self._daily.rows,
            entries=self._entries.rows,
            files=self._with_files(now) if entries else self._files,
            head=head,
            details=details,
            trailing=self._daily.trails(head),
            entries_trailing=self._entries.trails(head),
            stamp=self._daily.stamp,
            entries_stamp=self._entries.stamp,
            read_at=self._daily.read_at,
            entries_read_at=self._entries.read_at,
            problems=tuple(problem for problem, _ in self._failed.values()),
            **self._of_entries(),
        )

    def _with_details(
        self, head: Head | None, notices: bool, now: dt.datetime
    ) -> tuple[Head | None, Details | None]:
        """Head and details of one reading. They are read again when a transaction has moved the head, or a
        notice was sent."""
        known = self._latest.details
        if head is None or not self._may_ask("ledger", now):
            return head, known
        as_it_is = (head.moves, head.unsent)
        if self._details_at.get(notices) == as_it_is or self._details_at.get(True) == as_it_is:
            return head, known

        def read() -> tuple[Head, Details]:
            ledger, reading = self._ledger, self._ledger.owing()
            details = Details(
                files=tuple(ledger.files()),
                runs=tuple(ledger.runs(RECENT_RUNS)),
                owing=reading.others,
                days=reading.days,
                notices=tuple(ledger.notices()) if notices else known and known.notices,
            )
            return reading.head, details

        answer = self._ask("ledger", now, read)
        if answer is None:
            return head, known
        head = answer[0]
        self._details_at[notices] = (head.moves, head.unsent)
        return answer

    def _of_entries(self) -> dict[str, Any]:
        """What is computed of all entries, once of the same ones."""
        if self._computed_of is not self._entries.rows:
            entries = self._computed_of = self._entries.rows or ()
            self._computed = {
                "publications": publications(entries),
                "turns": turns(entries),
                "milestones": milestones(entries),
                "compact": series.compact(entries),
            }
        return self._computed

    def _with_files(self, now: dt.datetime) -> Mapping[str, Mapping[str, str]]:
        """The files of each run that has an entry. A run is read once: its files don't change."""
        if self._files_of is self._entries.rows:
            return self._files
        unknown = {row.run for row in self._entries.rows or () if row.run} - self._files.keys()
        if unknown and self._may_ask("ledger", now):
            runs = self._ask("ledger", now, lambda: self._ledger.runs_named(sorted(unknown)))
            if runs is not None:
                known = {run.name: run.files for run in runs}
                self._files = {**self._files, **{name: {} for name in unknown}, **known}
                unknown = set()
        self._files_of = None if unknown else self._entries.rows
        return self._files

    def _may_ask(self, place: Place, now: dt.datetime) -> bool:
        return place not in self._failed or now >= self._failed[place][1] + RETRY_EVERY

    def _ask(self, place: Place, now: dt.datetime, ask: Callable[[], Answer]) -> Answer | None:
        """The answer; None where there is none, and then it is known that the place is out of reach."""
        try:
            answer = ask()
        except Unreachable as failure:
            since = self._failed[place][0].since if place in self._failed else now
            self._failed[place] = (Problem(place, failure.problem, since), now)
            return None
        self._failed.pop(place, None)
        return answer
