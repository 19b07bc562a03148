"""A synthetic publishing history: no figure of it is real, all of it is always the same.

It has what the real one has: restatements, a malformed file and its cure, a source that lags, recoveries
that stop, a fall, a day without news, and a change of layout.
"""

import datetime as dt
from dataclasses import dataclass
from math import exp

from local.sources.history import History

LABEL = "synthetic sample"
FIRST = dt.date(2020, 2, 1)
DAYS = 300
LOADED = 288  # published by the first publication; after it, one more a day
TIME = dt.time(11, 30)  # of publication, half an hour before the run
START = FIRST + dt.timedelta(days=LOADED)  # of the first run: the day after the last one published
PUBLICATIONS = DAYS - LOADED + 1
ONE_DAY = dt.timedelta(days=1)

Series = dict[dt.date, int]
# Three waves: the day of their middle, how many days they take to double or so, how many cases they bring.
WAVES = ((70, 9.0, 1_900_000), (160, 14.0, 3_400_000), (265, 12.0, 6_800_000))


@dataclass(frozen=True)
class Publication:
    """What is published on one day, and what happens to it: the step's number counts from 0."""

    number: int
    nyt: bytes
    jhu: bytes


def histories() -> tuple[History, History]:
    """The publishing histories of both files."""
    found = [_publication(number) for number in range(PUBLICATIONS)]
    moments = tuple(moment(number) for number in range(PUBLICATIONS))
    return (
        History(moments, tuple(publication.nyt for publication in found)),
        History(moments, tuple(publication.jhu for publication in found)),
    )


def moment(number: int) -> dt.datetime:
    """When the publication of this number was made."""
    return dt.datetime.combine(START + number * ONE_DAY, TIME, dt.UTC)


def _publication(number: int) -> Publication:
    newest = LOADED + number - 1  # the day of this number is the newest, counted from 0
    cases, deaths, recovered = _truth(newest)
    for step, back, length, percent in RESTATEMENTS:
        if number < step:  # until it is restated, a stretch of days is published too low
            for day in range(LOADED - back, LOADED - back + length):
                date = FIRST + day * ONE_DAY
                cases[date] -= cases[date] * percent // 1000
                deaths[date] -= deaths[date] * percent // 2000
    if number >= FALL:  # the source takes some cases back
        cases[START + (FALL - 1) * ONE_DAY] = cases[START + (FALL - 2) * ONE_DAY] - 1_500
    if number >= STOPPED:
        recovered |= {date: 0 for date in recovered if date >= START + (STOPPED - 1) * ONE_DAY}
    if number == LAGGING:
        recovered = {
            date: count for date, count in recovered.items() if date < START + (LAGGING - 1) * ONE_DAY
        }
    if number >= NO_NEWS:  # the day of no news: what was published before comes again
        cases = dict(list(cases.items())[:-1])
        deaths, recovered = dict(list(deaths.items())[:-1]), dict(list(recovered.items())[:-1])
    nyt = _nyt_file(cases, deaths)
    if number == MALFORMED:
        nyt = nyt.replace(str(START).encode(), f"{START:%Y-%d-%m}".encode())
    jhu = (
        _old_layout(cases, deaths, recovered)
        if number < NEW_LAYOUT
        else _new_layout(cases, deaths, recovered)
    )
    return Publication(number, nyt, jhu)


# Publication, days before the first one's end, length in days, and how much too low in thousandths.
RESTATEMENTS = ((1, 6, 3, 4), (2, 40, 20, 3), (10, 110, 60, 2))
MALFORMED = 3
NEW_LAYOUT = 5
LAGGING = 6
FALL = 7
STOPPED = 8
NO_NEWS = 9


def _truth(newest: int) -> tuple[Series, Series, Series]:
    """Cumulative cases, deaths and recoveries up to that day."""
    dates = [FIRST + day * ONE_DAY for day in range(newest + 1)]
    counts = [_cases(day) for day in range(newest + 1)]
    deaths = [_cases(day - 14) * 17 // 1000 if day >= 14 else 0 for day in range(newest + 1)]
    recovered = [_cases(day - 21) * 62 // 100 if day >= 21 else 0 for day in range(newest + 1)]
    return (
        dict(zip(dates, counts, strict=True)),
        dict(zip(dates, deaths, strict=True)),
        dict(zip(dates, recovered, strict=True)),
    )


def _cases(day: int) -> int:
    """Sums of logistic waves, with a weekly rhythm as reporting has it."""
    total = sum(size / (1 + exp((middle - day) / width)) for middle, width, size in WAVES)
    before = sum(size / (1 + exp((middle - day + 1) / width)) for middle, width, size in WAVES)
    weekend = (0.0, 0.0, 0.0, 0.1, 0.25, 0.55, 0.3)[(FIRST + day * ONE_DAY).weekday()]
    return int(total - (total - before) * weekend)


def _nyt_file(cases: Series, deaths: Series) -> bytes:
    rows = [f"{date},{count},{deaths[date]}" for date, count in cases.items()]
    return "\n".join(["date,cases,deaths", *rows]).encode()


def _others(date: dt.date, layout: str) -> list[str]:
    """Two countries that are nobody's: only their lines are needed, around those of the U.S."""
    day = (date - FIRST).days
    return [layout.format(date=date, country=name, a=day * size, b=day, c=day // 9) for name, size in OTHERS]


OTHERS: tuple[tuple[str, int], ...] = (("Atlantis", 7), ('"Erewhon, North"', 3))


def _old_layout(cases: Series, deaths: Series, recovered: Series) -> bytes:
    lines = ["Date,Country/Region,Province/State,Lat,Long,Confirmed,Recovered,Deaths"]
    for date, count in recovered.items():
        lines += _others(date, "{date},{country},,0.0,0.0,{a},{b},{c}")
        lines.append(f"{date},US,,40.0,-100.0,{cases[date]}.0,{count}.0,{deaths[date]}.0")
    return _text(lines)


def _new_layout(cases: Series, deaths: Series, recovered: Series) -> bytes:
    lines = ["Date,Country,Confirmed,Recovered,Deaths"]
    for date, count in recovered.items():
        lines += _others(date, "{date},{country},{a},{b},{c}")
        lines.append(f"{date},US,{cases[date]},{count},{deaths[date]}")
    return _text(lines)


def _text(lines: list[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()
