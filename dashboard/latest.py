"""What was last read, and when it is worth reading again.

Queries are money: a Timestream query costs about 1.7 cents, a DynamoDB read next to nothing. So each look
asks the ledger's head (once in a few seconds, however many people look), and the tables only when the
head's stamp has changed, or while a table trails: then again after the minutes in ``AGAIN``, as
Timestream's magnetic store may take six hours to show what it has accepted.

When something is out of reach, the last good figures stay, and the view says what is wrong with them.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from dashboard.data import Place, Told, Unreachable, stamp
from schemas.run import Acknowledged, Head, Run, SourceFile
from schemas.tables import Row

HEAD_EVERY = dt.timedelta(seconds=4)
RETRY_EVERY = dt.timedelta(seconds=8)  # after a failure; the SDK has tried four times by then
AGAIN = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 15, 45, 120, 360))  # from the first time
PATIENCE_SECONDS = 3  # how long a viewer waits for news of figures that there are already
FIRST_PATIENCE_SECONDS = 20  # … and of the very first

Answer = TypeVar("Answer")
Clock = Callable[[], dt.datetime]


class Reads(Protocol):
    """What is read from: ``data.Reader``, or a fake of it. Any of it may raise Unreachable."""

    def daily(self) -> list[Row]: ...
    def revisions(self) -> list[Row]: ...
    def head(self) -> Head: ...
    def files(self) -> list[SourceFile]: ...
    def runs(self) -> list[Run]: ...
    def days(self) -> list[Acknowledged]: ...
    def notices(self) -> list[Told]: ...


@dataclass(frozen=True)
class Problem:
    """What is out of reach, and since when."""

    place: Place
    text: str
    since: dt.datetime


@dataclass(frozen=True)
class Ledger:
    """What the ledger tells beside its head; days and notices only once somebody asked for them."""

    files: tuple[SourceFile, ...] = ()
    runs: tuple[Run, ...] = ()
    days: tuple[Acknowledged, ...] = ()
    notices: tuple[Told, ...] = ()


@dataclass(frozen=True)
class Latest:
    """What there is to show: the last good figures, and what is wrong with them.

    ``head`` is None while the ledger has never answered, ``read_at`` (when the tables last answered) while
    they haven't. ``trailing``: the rows are not all that the ledger has acknowledged. ``waiting``: an
    answer is still on its way.
    """

    rows: tuple[Row, ...] = ()
    entries: tuple[Row, ...] = ()
    head: Head | None = None
    ledger: Ledger = field(default_factory=Ledger)
    trailing: bool = False
    entries_trailing: bool = False
    read_at: dt.datetime | None = None
    problems: tuple[Problem, ...] = ()
    waiting: bool = False

    @property
    def version(self) -> str:
        """Equal for as long as nothing that a page shows has changed."""
        head = self.head
        moves = None if head is None else (head.moves, sorted(head.unsent))
        wrong = [(problem.place, problem.since.isoformat()) for problem in self.problems]
        return repr((moves, len(self.rows), stamp(self.rows), self.trailing, self.waiting, wrong))


class Table:
    """One table as last read; ``total`` is what its rows come to when they are all there."""

    def __init__(self, read: Callable[[], list[Row]], total: Callable[[Iterable[Row]], int]) -> None:
        self._read = read
        self._total = total
        self.rows: tuple[Row, ...] = ()
        self.read_at: dt.datetime | None = None
        self._asked_for: int | None = None
        self._first: dt.datetime | None = None
        self._tries = 0

    def trails(self, wanted: int) -> bool:
        return self._total(self.rows) != wanted

    def due(self, wanted: int, now: dt.datetime) -> bool:
        """Whether it is worth a query."""
        if self._asked_for != wanted or self._first is None:
            return True
        return self.trails(wanted) and self._tries < len(AGAIN) and now >= self._first + AGAIN[self._tries]

    def refresh(self, wanted: int, now: dt.datetime) -> None:
        """Raises Unreachable, and then keeps what it has."""
        self.rows = tuple(self._read())
        self.read_at = now
        if self._asked_for != wanted or self._first is None:
            self._asked_for, self._first, self._tries = wanted, now, 0
            return
        while self._tries < len(AGAIN) and now >= self._first + AGAIN[self._tries]:
            self._tries += 1


class Desk:
    """Where everybody looks. One thread asks; nobody waits for it longer than ``patience`` says."""

    def __init__(
        self,
        reader: Reads,
        clock: Clock,
        patience: tuple[float, float] = (PATIENCE_SECONDS, FIRST_PATIENCE_SECONDS),
    ) -> None:
        self.clock = clock
        self._reader = reader
        self._patience = patience
        self._asks = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desk")
        self._daily = Table(reader.daily, stamp)
        self._entries = Table(reader.revisions, newest_stamp)
        self._latest = Latest()
        self._head_at: dt.datetime | None = None
        self._ledger_at: dict[bool, object] = {}
        self._failed: dict[Place, tuple[Problem, dt.datetime]] = {}

    def look(self, *, entries: bool = False, everything: bool = False) -> Latest:
        """What there is; with ``entries``, every entry ever made; with ``everything``, the whole ledger."""
        asked = self._asks.submit(self._refresh, entries, everything)
        try:
            asked.result(self._patience[0 if self._latest.read_at else 1])
        except TimeoutError:
            return replace(self._latest, waiting=True)
        return self._latest

    def _refresh(self, entries: bool, everything: bool) -> None:
        now = self.clock()
        head = self._latest.head
        if self._may_ask("ledger", now) and (self._head_at is None or now >= self._head_at + HEAD_EVERY):
            head = self._ask("ledger", now, self._reader.head) or head
            self._head_at = now
        ledger = self._refreshed_ledger(head, everything, now)
        if head is not None:
            for table in (self._daily, self._entries) if entries else (self._daily,):
                if table.due(head.stamp, now) and self._may_ask("store", now):
                    self._ask("store", now, lambda table=table: table.refresh(head.stamp, now))
        self._latest = Latest(
            rows=self._daily.rows,
            entries=self._entries.rows,
            head=head,
            ledger=ledger,
            trailing=head is not None and self._daily.read_at is not None and self._daily.trails(head.stamp),
            entries_trailing=head is not None
            and self._entries.read_at is not None
            and self._entries.trails(head.stamp),
            read_at=self._daily.read_at,
            problems=tuple(problem for problem, _ in self._failed.values()),
        )

    def _refreshed_ledger(self, head: Head | None, everything: bool, now: dt.datetime) -> Ledger:
        """Read again when a transaction has moved the head, or a notice was sent."""
        known = self._latest.ledger
        if head is None or not self._may_ask("ledger", now):
            return known
        as_it_is = (head.moves, head.unsent)
        if self._ledger_at.get(everything) == as_it_is or self._ledger_at.get(True) == as_it_is:
            return known
        reader = self._reader

        def read() -> Ledger:
            found = replace(known, files=tuple(reader.files()), runs=tuple(reader.runs()))
            if everything:
                found = replace(found, days=tuple(reader.days()), notices=tuple(reader.notices()))
            return found

        found = self._ask("ledger", now, read)
        if found is not None:
            self._ledger_at[everything] = as_it_is
        return found or known

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


def newest_stamp(entries: Iterable[Row]) -> int:
    """The sum of each date's newest version: the head's stamp when no entry is missing."""
    newest: dict[dt.date, int] = {}
    for row in entries:
        newest[row.day.date] = max(row.version, newest.get(row.day.date, 0))
    return sum(newest.values())


def history(entries: Sequence[Row], date: dt.date) -> list[Row]:
    """Every entry of a date, oldest first."""
    return sorted((row for row in entries if row.day.date == date), key=lambda row: row.version)
