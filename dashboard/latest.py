"""What there is to show, as values: what was last read of ledger and tables, and what is wrong with it."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.ledger import Acknowledged, Head, Run, SentNotice, SourceFile
from storage.errors import Place
from storage.tables import Row, stamp


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
class Latest:
    """What there is to show: the last good figures, and what is wrong with them.

    ``head``, ``details``, ``rows`` and ``entries`` are None while they were never read, which is not the same
    as empty; ``read_at`` and ``entries_read_at`` are when rows and entries were. ``trailing``: the rows are
    not all that the ledger has acknowledged; ``entries_trailing``: the entries are not. ``waiting``: an
    answer is still on its way.
    """

    rows: tuple[Row, ...] | None = None
    entries: tuple[Row, ...] | None = None
    head: Head | None = None
    details: Details | None = None
    trailing: bool = False
    entries_trailing: bool = False
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
        rows = None if self.rows is None else (len(self.rows), stamp(self.rows))
        known = self.entries is None, self.details is None
        return repr((moves, rows, known, self.trailing, self.waiting, wrong))


def history(entries: Sequence[Row], date: dt.date) -> list[Row]:
    """Every entry of a date, oldest first."""
    return [row for row in entries if row.day.date == date]
