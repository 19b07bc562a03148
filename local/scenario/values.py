"""The values of the language: dates, moments, spans of time, the sources' files."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping

from local.scenario.document import Node

SPAN = re.compile(r"(?:[0-9]+[dhms])+")
PART = re.compile(r"([0-9]+)([dhms])")
UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
RANGE = ".."
SOURCES = ("nyt", "jhu")
NYT_HEADER = "date,cases,deaths"
JHU_HEADER = "Date,Country,Confirmed,Recovered,Deaths"

# The figures that an expectation names: cases, then deaths, then recoveries; None: not reported.
Figures = tuple[int | None, ...]
Files = Mapping[str, bytes | None]


def date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no date like 2020-03-01") from error


def moment(text: str) -> dt.datetime:
    """In UTC, unless the text says another zone."""
    try:
        parsed = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no moment like 2020-03-10T12:00Z") from error
    return parsed.astimezone(dt.UTC) if parsed.tzinfo else parsed.replace(tzinfo=dt.UTC)


def span(text: str) -> dt.timedelta:
    if not SPAN.fullmatch(text):
        raise ValueError(f"{text!r} is no span of time like 13h or 24h50m")
    parts = PART.findall(text)
    return sum((dt.timedelta(**{UNITS[unit]: int(count)}) for count, unit in parts), dt.timedelta())


def files(node: Node) -> Files:
    """What each source publishes; None: nothing is at its address."""
    return node.record({"nyt": _nyt, "jhu": _jhu})


def figures(node: Node) -> Figures | None:
    """Cases, or a list of cases, deaths and recoveries; None: no such day."""
    if node.is_null:
        return None
    parts = node.items() if node.is_list else [node]
    if not 1 <= len(parts) <= 3:
        node.wrong("here are one to three figures: cases, deaths, recoveries")
    return tuple(None if part.is_null else part.number() for part in parts)


def entries(node: Node) -> tuple[Figures, ...]:
    """The figures of each entry, oldest first."""
    return tuple(figures(entry) or entry.wrong("an entry has cases") for entry in node.items())


def by_date(node: Node) -> Mapping[dt.date, Figures | None]:
    return {key.parsed(date): figures(value) for key, value in node.fields()}


def _nyt(node: Node) -> bytes | None:
    if node.is_value:
        return None if node.is_null else node.text().encode()
    rows = []
    for day, value in _rows(node):
        cases, deaths = value.items() if value.is_list else (value, None)
        rows.append(f"{day},{cases.number()},{deaths.number() if deaths else 0}")
    return "\n".join([NYT_HEADER, *rows, ""]).encode()


def _jhu(node: Node) -> bytes | None:
    if node.is_value:
        return None if node.is_null else node.text().encode()
    rows = [f"{day},US,0,{'' if value.is_null else value.number()},0" for day, value in _rows(node)]
    return "\n".join([JHU_HEADER, *rows, ""]).encode()


def _rows(node: Node) -> Iterator[tuple[dt.date, Node]]:
    """A row a date; a range of dates has the same value on each."""
    for key, value in node.fields():
        first, ranged, last = key.text().partition(RANGE)
        begin = key.parsed(lambda _, text=first: date(text))
        end = key.parsed(lambda _, text=last: date(text)) if ranged else begin
        if end < begin:
            key.wrong(f"{end} lies before {begin}")
        yield from ((begin + dt.timedelta(days=number), value) for number in range((end - begin).days + 1))
