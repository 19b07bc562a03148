"""Every answer that the record has given for a figure of a day, and what changed between them. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from dashboard import series
from dashboard.series import COUNTS, ONE_DAY, Figure
from dashboard.view import TOTAL, View
from schemas.moment import at
from storage.tables import Row, ranked


@dataclass(frozen=True)
class Answer:
    """A figure, and the moment from which on the record had it. None: no figure any more."""

    moment: dt.datetime
    value: Figure


@dataclass(frozen=True)
class Restatement:
    """A figure of a day that one moment changed."""

    date: dt.date
    series: str
    moment: dt.datetime
    before: Figure
    after: Figure

    @property
    def change(self) -> Figure:
        """In the figure's unit; None where there was or is no figure."""
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def share(self) -> float | None:
        """The change as a part of what was there before; None where that can't be said."""
        return None if self.change is None or not self.before else self.change / abs(self.before)


@dataclass(frozen=True)
class Publication:
    """What one run entered: the dates that are new, those entered again, and each total that changed."""

    moment: dt.datetime
    recorded: tuple[dt.date, ...]
    revised: tuple[dt.date, ...]
    restated: tuple[Restatement, ...]


def answers(entries: Iterable[Row], name: str, show: str = TOTAL) -> dict[dt.date, list[Answer]]:
    """The answers for each date, oldest first, from its first figure on. Two in a row differ.

    A figure of a day is made of several days' totals where it is a difference: it has a new answer whenever
    one of them has.
    """
    choice = View(show=show)
    counts: dict[dt.date, int] = {}
    given: dict[dt.date, list[Answer]] = {}
    in_order = sorted(entries, key=lambda row: (row.version, row.day.date))
    for version, rows in groupby(in_order, key=lambda row: row.version):
        touched: set[dt.date] = set()
        for row in rows:
            value = row.day.counts.values[name]
            if value is None:
                counts.pop(row.day.date, None)
            else:
                counts[row.day.date] = value
            touched |= {row.day.date + days * ONE_DAY for days in range(series.days_before(choice) + 1)}
        for date in touched:
            figure = series.figure(counts, date, choice)
            known = given.get(date)
            if figure != (known[-1].value if known else None):
                given.setdefault(date, []).append(Answer(at(version), figure))
    return dict(sorted(given.items()))


def restatements(answers: Mapping[dt.date, Sequence[Answer]], name: str) -> list[Restatement]:
    """Each change of a figure that was there, by date and then by moment."""
    return [
        Restatement(date, name, after.moment, before.value, after.value)
        for date, given in answers.items()
        for before, after in pairwise(given)
    ]


def publications(entries: Iterable[Row]) -> list[Publication]:
    """What each run entered, the newest first."""
    before: dict[dt.date, Row] = {}
    runs: dict[str | int, list[tuple[Row, Row | None]]] = {}
    for _, row in ranked(entries):
        runs.setdefault(row.run or row.version, []).append((row, before.get(row.day.date)))
        before[row.day.date] = row
    made = [_publication(pairs) for pairs in runs.values()]
    return sorted(made, key=lambda publication: publication.moment, reverse=True)


def _publication(pairs: Sequence[tuple[Row, Row | None]]) -> Publication:
    restated = [
        Restatement(row.day.date, name, row.recorded_at, old, row.day.counts.values[name])
        for row, before in pairs
        if before is not None
        for name in COUNTS
        if (old := before.day.counts.values[name]) != row.day.counts.values[name]
    ]
    return Publication(
        moment=min(row.recorded_at for row, _ in pairs),
        recorded=tuple(row.day.date for row, before in pairs if before is None),
        revised=tuple(row.day.date for row, before in pairs if before is not None),
        restated=tuple(restated),
    )
