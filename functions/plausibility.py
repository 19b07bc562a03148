"""Whether the files are believable, against the ledger and within themselves.

The bounds lie well outside everything that the sources have really done up to 2020-12-31: restatements of
0.3 %, falls of 1.1 %, rises of 2.5 times, from 100,000 on of 1.28 times.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from functions.transform import Published
from schemas.figures import FIGURES, SOURCES, Counts
from schemas.ledger import GONE, Acknowledged, Reason

SMALL = 1_000  # below it a count is not checked
LARGE = 100_000  # from here on it may rise by half at the most

Accepted = Collection[tuple[dt.date, str]]  # the date, and the digest of its values or GONE


@dataclass(frozen=True)
class _Reported:
    """A field's previous reported figure; ``vouched`` where the ledger or an operator knows its day."""

    date: dt.date
    value: int
    vouched: bool


def check(
    published: Published, acknowledged: Mapping[dt.date, Acknowledged], accepted: Accepted
) -> list[Reason]:
    """Every reason not to believe the files, oldest date first; empty when they are believable.

    A figure that is acknowledged already, or accepted by an operator for exactly this day's values (its
    digest) or withdrawal ("gone"), is not questioned; a new date before it that doesn't fit is.
    """
    reasons = list(_withdrawn(published, acknowledged, accepted))
    previous: dict[str, _Reported] = {}
    for date in sorted(set().union(*(published.rows[source] for source in SOURCES))):
        day = acknowledged.get(date)
        held = day.counts.values if day else {}
        trusted = bool(accepted) and (date, figures_digest(published, date)) in accepted
        for figure in FIGURES:
            name, row = figure.name, published.rows[figure.source].get(date)
            value = None if row is None else getattr(row, name)
            if value is None:
                continue
            before, previous[name] = previous.get(name), _Reported(date, value, day is not None or trusted)
            if trusted or held.get(name) == value:
                if not trusted and before and not before.vouched and _leap(value, before.value):
                    problem = f"can't come before the {value:,} of {date}"
                    reasons.append(_doubt(published, figure.source, before.date, name, before.value, problem))
                continue
            problems = []
            if (believed := held.get(name)) is not None and _differs(value, believed):
                problems.append(f"is more than 20 % off the acknowledged {believed:,}")
            if before and (problem := _leap(value, before.value)):
                problems.append(f"{problem} the {before.value:,} of {before.date}")
            reasons += [_doubt(published, figure.source, date, name, value, problem) for problem in problems]
    return sorted(reasons, key=lambda reason: reason.date or "")


def _doubt(published: Published, source: str, date: dt.date, field: str, value: int, problem: str) -> Reason:
    return Reason(source, problem, published.lines[source][date], date.isoformat(), field, str(value))


def figures_digest(published: Published, date: dt.date) -> str:
    """The digest of a date's values as published, be it in one file only: what an acceptance names."""
    rows = {figure.name: published.rows[figure.source].get(date) for figure in FIGURES}
    values = {name: None if row is None else getattr(row, name) for name, row in rows.items()}
    return Counts.read(
        {f.name: 0 if values[f.name] is None and not f.nullable else values[f.name] for f in FIGURES}
    ).digest


def _withdrawn(
    published: Published, acknowledged: Mapping[dt.date, Acknowledged], accepted: Accepted
) -> Iterator[Reason]:
    for date, day in sorted(acknowledged.items()):
        if (date, GONE) in accepted:
            continue
        for source in SOURCES:
            if date not in published.rows[source]:
                yield Reason(source, "is acknowledged, and missing from the file", None, date.isoformat())
        for figure in FIGURES:
            row, believed = published.rows[figure.source].get(date), day.counts.values[figure.name]
            if row is not None and believed is not None and getattr(row, figure.name) is None:
                problem = f"is not reported any more; {believed:,} is acknowledged"
                line = published.lines[figure.source][date]
                yield Reason(figure.source, problem, line, date.isoformat(), figure.name)


def _differs(value: int, believed: int) -> bool:
    return max(value, believed) >= SMALL and abs(value - believed) * 5 > believed


def _leap(value: int, previous: int) -> str | None:
    if max(value, previous) < SMALL:
        return None
    if value * 5 < previous * 4:
        return "falls by more than 20 % from"
    if value > previous * 4:
        return "rises more than fourfold from"
    if previous >= LARGE and value * 2 > previous * 3:
        return "rises by more than half from"
    return None
