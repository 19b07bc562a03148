"""What is worth telling though the files are believed: remarks that begin, hold and end.

A remark's code says its kind, and where it is about one date, ends with it. Of more than fifty the newest are
kept, and the number of the others.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from functions.transform import Published
from schemas.ended import ENDED
from schemas.figures import FIGURES, PUBLISHERS, SOURCES, Figure
from schemas.ledger import ACCEPTED, Warning
from schemas.text import ONE_DAY, ranges, span

ENDED_AFTER = dt.timedelta(days=14)  # Johns Hopkins has lagged by nine days and come back
MAX_WARNINGS = 50  # in a mail, and in the run's and the head's items, of which DynamoDB takes 400 KB
LATE, MORE = "late/", "more/"
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class News:
    """The remarks that hold now, as far as they are kept; of these, the codes of those that people do not
    know yet; and the texts of those that people know and that hold no longer."""

    warnings: tuple[Warning, ...]
    begun: frozenset[str]
    ended: tuple[str, ...]


def news(now: Collection[Warning], told: Collection[Warning]) -> News:
    """What is new in the remarks that hold now, against those that people know of.

    A date's being late is an event, and never ends. A remark that was cut off with the oldest ones, then or
    now, has neither begun nor ended.
    """
    kept = _newest(now)
    codes, known = {warning.code for warning in now}, {warning.code for warning in told}
    was_cut = any(warning.code.startswith(MORE) for warning in told)
    oldest = min(filter(None, map(_date, told)), default="") if was_cut else ""
    new = (w for w in kept if w.code not in known and not w.code.startswith(MORE))
    begun = frozenset(w.code for w in new if not _date(w) or _date(w) >= oldest)
    ended = tuple(
        w.text for w in told if w.code not in codes and not w.code.startswith((LATE, MORE, ACCEPTED))
    )
    return News(kept, begun, ended)


def of_time(newest: Mapping[str, dt.date], today: dt.date) -> list[Warning]:
    """The remarks that come of time alone: the sources that have ended."""
    return [
        Warning(f"{ENDED}{source}", f"{PUBLISHERS[source]} has ended: its newest date is {newest[source]}")
        for source in SOURCES
        if today - newest[source] > ENDED_AFTER
    ]


def since(told: Iterable[Warning], newest: Mapping[str, dt.date], today: dt.date) -> list[Warning]:
    """The remarks that hold after two unchanged files: those that held, but for what comes of time."""
    ended = of_time(newest, today)
    sources = {warning.code.removeprefix(ENDED) for warning in ended}
    behind = {f"behind/{source}" for source in sources}
    kept = [w for w in told if not w.code.startswith((ENDED, LATE, ACCEPTED)) and w.code not in behind]
    return [*ended, *kept]


def remarks(published: Published, today: dt.date, late: Iterable[dt.date]) -> list[Warning]:
    """Every remark about the files. ``late``: pending dates that were first published behind the last
    acknowledged one."""
    found = [Warning(f"{LATE}{date}", f"{date} was first published after later days") for date in late]
    newest = {source: max(published.rows[source]) for source in SOURCES}
    ended = of_time(newest, today)
    found += ended
    for source, other in (SOURCES, SOURCES[::-1]):
        mine, its = published.rows[source], published.rows[other]
        name = PUBLISHERS[source]
        if not any(warning.code == ENDED + source for warning in ended) and newest[source] < newest[other]:
            text = f"{name} is behind: its newest date is {newest[source]}, the other's {newest[other]}"
            found.append(Warning(f"behind/{source}", text))
        for first, last in ranges(date for date in _every(min(mine), newest[source]) if date not in mine):
            found.append(Warning(f"gap/{source}/{first}", f"{name} has nothing for {span(first, last)}"))
        alone = (date for date in mine if date not in its and date < max(min(its), newest[other]))
        for first, last in ranges(alone):
            found.append(Warning(f"alone/{source}/{first}", f"only {name} has {span(first, last)}"))
    for figure in FIGURES:
        series = {date: getattr(row, figure.name) for date, row in published.rows[figure.source].items()}
        found += _falls(figure, series)
        if figure.nullable:
            found += _unreported(figure.title.lower(), figure.source, series)
    return found


def _falls(figure: Figure, series: Mapping[dt.date, int | None]) -> Iterator[Warning]:
    source, title = figure.source, figure.title.lower()
    previous = 0
    for date, value in series.items():
        if value is None:
            continue
        if value < previous:
            text = f"{PUBLISHERS[source]}: {title} fall on {date}, from {previous:,} to {value:,}"
            yield Warning(f"fall/{source}/{figure.name}/{previous}-{value}/{date}", text)
        previous = value


def _unreported(title: str, source: str, series: Mapping[dt.date, int | None]) -> Iterator[Warning]:
    """A remark for each stretch of dates without the figure; "since" where it reaches the newest date."""
    for first, last in ranges(date for date, value in series.items() if value is None):
        when = f"since {first}" if last == max(series) else f"for {span(first, last)}"
        yield Warning(f"unreported/{source}/{first}", f"{PUBLISHERS[source]} has not reported {title} {when}")


def _newest(warnings: Collection[Warning]) -> tuple[Warning, ...]:
    """At most fifty: those without a date, then the newest dates; in their order, and how many were cut, now
    or before."""
    counted = [w for w in warnings if not w.code.startswith(MORE)]
    by_date = sorted(counted, key=lambda warning: (not _date(warning), _date(warning)), reverse=True)
    kept = set(by_date[:MAX_WARNINGS])
    cut_before = sum(int(w.code.removeprefix(MORE)) for w in warnings if w.code.startswith(MORE))
    more = len(counted) - len(kept) + cut_before
    rest = (Warning(f"{MORE}{more}", f"and {more} more, older"),) if more else ()
    return (*(w for w in counted if w in kept), *rest)


def _date(warning: Warning) -> str:
    """The date that a remark is about, as text; empty for none."""
    tail = warning.code.rpartition("/")[2]
    return tail if DATE.fullmatch(tail) else ""


def _every(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    while first <= last:
        yield first
        first += ONE_DAY
