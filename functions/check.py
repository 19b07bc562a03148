"""Is what the files say believable, against the ledger and within itself? And what is worth a warning?

The bounds lie well outside everything that the sources have really done up to 2020-12-31: restatements of
0.3 %, falls of 1.1 %, rises of 2.5 times, from 100,000 on of 1.28 times.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Mapping

from functions.transform import NAMES, Published
from schemas.day import Counts
from schemas.run import Acknowledged, Reason, Warning

SMALL = 1_000  # below it a count may do what it likes
LARGE = 100_000  # from here on it may rise by half at the most
ENDED_AFTER = dt.timedelta(days=14)  # Johns Hopkins has lagged by nine days and come back
MAX_WARNINGS = 50  # in a mail, and in the run's and the head's items, of which DynamoDB takes 400 KB
ONE_DAY = dt.timedelta(days=1)
GONE = "gone"

Figure = tuple[str, str, int | None]  # source, field, value
Reported = tuple[dt.date, int, bool]  # …; whether nobody has vouched for it: neither ledger nor operator


def check(
    published: Published,
    acknowledged: Mapping[dt.date, Acknowledged],
    accepted: Collection[tuple[dt.date, str]],
) -> list[Reason]:
    """Every reason not to believe the files, oldest date first; empty when they are believable.

    A figure that is acknowledged already, or accepted by an operator for exactly this day's values
    (its digest) or withdrawal ("gone"), is not questioned; a new date before it that doesn't fit is.
    """
    reasons = list(_withdrawn(published, acknowledged, accepted))
    reported: dict[str, Reported] = {}  # the previous reported figure of each field
    for date in sorted(published.cases.keys() | published.recoveries.keys()):
        stored = acknowledged.get(date)
        held = {} if stored is None else {field: value for _, field, value in _figures(stored.counts)}
        trusted = bool(accepted) and (date, figures_digest(published, date)) in accepted
        for source, field, value in _published_figures(published, date):
            if value is None:
                continue
            previous = reported.get(field)
            reported[field] = (date, value, stored is None and not trusted)
            if trusted or (stored and stored.digest and held[field] == value):
                if not trusted and previous and previous[2] and _leap(value, previous[1]):
                    problem = f"can't come before the {value:,} of {date}"
                    reasons.append(_doubt(published, source, previous[0], field, previous[1], problem))
                continue
            problems = []
            if stored and (believed := held[field]) is not None and _differs(value, believed):
                problems.append(f"is more than 20 % off the acknowledged {believed:,}")
            if previous and (problem := _leap(value, previous[1])):
                problems.append(f"{problem} the {previous[1]:,} of {previous[0]}")
            reasons += [_doubt(published, source, date, field, value, problem) for problem in problems]
    return sorted(reasons, key=lambda reason: reason.date or "")


def _doubt(published: Published, source: str, date: dt.date, field: str, value: int, problem: str) -> Reason:
    return Reason(source, problem, published.lines[source][date], date.isoformat(), field, str(value))


def figures_digest(published: Published, date: dt.date) -> str:
    """The digest of a date's values as published, be it in one file only: what an acceptance names."""
    values = {field: value for _, field, value in _published_figures(published, date)}
    return Counts(values.get("cases", 0) or 0, values.get("deaths", 0) or 0, values.get("recovered")).digest


def _figures(counts: Counts) -> Iterator[Figure]:
    yield "nyt", "cases", counts.cases
    yield "nyt", "deaths", counts.deaths
    yield "jhu", "recovered", counts.recovered


def _published_figures(published: Published, date: dt.date) -> Iterator[Figure]:
    if row := published.cases.get(date):
        yield "nyt", "cases", row.cases
        yield "nyt", "deaths", row.deaths
    if recovery := published.recoveries.get(date):
        yield "jhu", "recovered", recovery.recovered


def _withdrawn(
    published: Published,
    acknowledged: Mapping[dt.date, Acknowledged],
    accepted: Collection[tuple[dt.date, str]],
) -> Iterator[Reason]:
    for date, stored in sorted(acknowledged.items()):
        if (date, GONE) in accepted:
            continue
        for source, rows in (("nyt", published.cases), ("jhu", published.recoveries)):
            if date not in rows:
                yield Reason(source, "is acknowledged, and missing from the file", None, date.isoformat())
        recovery = published.recoveries.get(date)
        if recovery and recovery.recovered is None and stored.counts.recovered is not None:
            problem = f"is not reported any more; {stored.counts.recovered:,} is acknowledged"
            yield Reason("jhu", problem, published.lines["jhu"][date], date.isoformat(), "recovered")


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


def warnings(published: Published, today: dt.date, late: Iterable[dt.date]) -> list[Warning]:
    """What is worth telling though the files are believed; of more than fifty, how many more. ``late``:
    pending dates that were first published behind the last acknowledged one."""
    found = [Warning(f"late/{date}", f"{date} was first published after later days") for date in late]
    newest = {"nyt": max(published.cases), "jhu": max(published.recoveries)}
    for source, other in (("nyt", "jhu"), ("jhu", "nyt")):
        mine, its = (published.cases, published.recoveries)[:: 1 if source == "nyt" else -1]
        name = NAMES[source]
        if today - newest[source] > ENDED_AFTER:
            found.append(Warning(f"ended/{source}", f"{name} has ended: its newest date is {newest[source]}"))
        elif newest[source] < newest[other]:
            text = f"{name} is behind: its newest date is {newest[source]}, the other's {newest[other]}"
            found.append(Warning(f"behind/{source}", text))
        span = (min(mine), newest[source])
        for first, last in _stretches(date for date in _every(*span) if date not in mine):
            found.append(Warning(f"gap/{source}/{first}", f"{name} has nothing for {_span(first, last)}"))
        alone = (date for date in mine if date not in its and date < max(min(its), newest[other]))
        for first, last in _stretches(alone):
            found.append(Warning(f"alone/{source}/{first}", f"only {name} has {_span(first, last)}"))
    found += _falls("cases", "nyt", {date: row.cases for date, row in published.cases.items()})
    found += _falls("deaths", "nyt", {date: row.deaths for date, row in published.cases.items()})
    recovered = {date: row.recovered for date, row in published.recoveries.items()}
    found += _falls("recovered", "jhu", recovered)
    found += _unreported(recovered)
    more = len(found) - MAX_WARNINGS
    return [*found[:MAX_WARNINGS], Warning(f"more/{more}", f"and {more} more")] if more > 0 else found


def _falls(field: str, source: str, series: Mapping[dt.date, int | None]) -> Iterator[Warning]:
    previous = 0
    for date, value in series.items():
        if value is None:
            continue
        if value < previous:
            text = f"{NAMES[source]}: {field} fall on {date}, from {previous:,} to {value:,}"
            yield Warning(f"fall/{source}/{field}/{date}", text)
        previous = value


def _unreported(recovered: Mapping[dt.date, int | None]) -> Iterator[Warning]:
    """Recoveries that stop and don't come back; a gap within them is a stretch of its own."""
    for first, last in _stretches(date for date, value in recovered.items() if value is None):
        when = f"since {first}" if last == max(recovered) else f"for {_span(first, last)}"
        yield Warning(f"unreported/jhu/{first}", f"{NAMES['jhu']} has not reported recoveries {when}")


def _every(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    while first <= last:
        yield first
        first += ONE_DAY


def _stretches(dates: Iterable[dt.date]) -> list[tuple[dt.date, dt.date]]:
    """Dates in order as runs of consecutive ones: first and last of each."""
    stretches: list[tuple[dt.date, dt.date]] = []
    for date in dates:
        if stretches and date - stretches[-1][1] == ONE_DAY:
            stretches[-1] = (stretches[-1][0], date)
        else:
            stretches.append((date, date))
    return stretches


def _span(first: dt.date, last: dt.date) -> str:
    return str(first) if first == last else f"{first} to {last}"
