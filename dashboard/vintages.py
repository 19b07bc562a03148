"""What a program asks of the record, in the words of Delphi's Epidata API: the days as of a moment, the
entries of some dates, issues or lag. Pure.

An issue is the date (UTC) on which an entry was made. Unlike a page's address, an address for programs is
refused where anything in it is unknown.
"""

import datetime as dt
import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from urllib.parse import parse_qsl

from dashboard.series import Stretch, believed
from dashboard.view import MAX_QUERY
from schemas import columns, moment
from schemas.text import quoted
from storage.csv_files import Line, day_lines, entry_lines
from storage.tables import Row

DATE = re.compile(r"[0-9]{4}(-?)[0-9]{2}\1[0-9]{2}", re.ASCII)
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,12}(Z|[+-][0-9]{2}:[0-9]{2})?", re.ASCII)
LAG = re.compile(r"[0-9]{1,5}", re.ASCII)
RANGE = re.compile(r"(?P<first>[0-9-]{8,10}?)(--|(?<=\d{8})-)(?P<last>[0-9-]{8,10})", re.ASCII)
BY_DATE = attrgetter("day.date")
LAG_AT = columns.ENTRIES.index(columns.LAG)
MAX_ISSUES = 40  # dates and ranges in a list
MAX_ENTRIES = 100_000  # in one answer: seven megabytes as CSV, and ten times that while JSON is made
DAYS, ENTRIES = "days", "entries"
PARAMETERS = {DAYS: ("as_of", "from", "to"), ENTRIES: ("from", "to", "issues", "lag")}


class Refused(Exception):
    """What is asked can't be answered, and why; ``parameter`` is None where no single one is to blame."""

    def __init__(self, detail: str, parameter: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.parameter = parameter


@dataclass(frozen=True)
class Asked:
    """``first`` and ``last`` are dates that figures are about, both included. None: not asked for."""

    first: dt.date | None = None
    last: dt.date | None = None
    as_of: dt.datetime | None = None
    issues: tuple[Stretch, ...] = ()
    lag: int | None = None


def read(query: bytes, parameters: Collection[str]) -> Asked:
    """What a query string asks for. Raises Refused."""
    if len(query) > MAX_QUERY:
        raise Refused(f"The query is longer than {MAX_QUERY} bytes.")
    texts = _texts(query.decode("ascii", "replace"), parameters)
    first, last = _date(texts, "from"), _date(texts, "to")
    if first and last and first > last:
        raise Refused(f"{first} lies after {last}.", "from")
    return Asked(first, last, _moment(texts), tuple(_issues(texts)), _lag(texts))


def lines(table: str, rows: Sequence[Row], asked: Asked) -> Iterator[Line]:
    """A line a day, or an entry, that is asked for. The rows are the days as they stand, or every entry where
    entries or the days as of a moment are asked for. Raises Refused where the lines are too many."""
    if table == DAYS:
        return day_lines(_of_dates(believed(rows, asked.as_of) if asked.as_of else rows, asked))
    return _no_more(_entries(rows, asked))


def _entries(rows: Sequence[Row], asked: Asked) -> Iterator[Line]:
    lines = entry_lines(_of_dates(rows, asked))
    if asked.lag is not None:
        lines = (line for line in lines if line[LAG_AT] == asked.lag)
    if asked.issues:
        spans = [(str(span.first), str(span.last)) for span in asked.issues]
        lines = (line for line in lines if any(a <= str(line[-1])[:10] <= b for a, b in spans))
    return lines


def _no_more(lines: Iterator[Line]) -> Iterator[Line]:
    yield from islice(lines, MAX_ENTRIES)
    if next(lines, None) is not None:
        raise Refused(f"More than {MAX_ENTRIES:,} entries: narrow it by from, to, issues or lag.")


def _of_dates(rows: Sequence[Row], asked: Asked) -> Sequence[Row]:
    """The rows of the dates that are asked for; rows come by date."""
    begin = bisect_left(rows, asked.first, key=BY_DATE) if asked.first else 0
    end = bisect_right(rows, asked.last, key=BY_DATE) if asked.last else len(rows)
    return rows[begin:end]


def _texts(query: str, parameters: Collection[str]) -> dict[str, str]:
    """Each parameter's text; it is there once, is known and says something."""
    texts: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in parameters:
            raise Refused(f"{quoted(name)} is none of {', '.join(parameters)}.", name[:40])
        if name in texts:
            raise Refused("is given more than once.", name)
        texts[name] = value
    return texts


def _date(texts: Mapping[str, str], name: str) -> dt.date | None:
    return date(texts[name], name) if name in texts else None


def date(text: str, name: str) -> dt.date:
    """A date written YYYY-MM-DD or YYYYMMDD. Raises Refused."""
    try:
        if DATE.fullmatch(text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass
    raise Refused(f"{quoted(text)} is not a date written YYYY-MM-DD or YYYYMMDD.", name)


def _moment(texts: Mapping[str, str]) -> dt.datetime | None:
    if "as_of" not in texts:
        return None
    text = texts["as_of"]
    try:
        if MOMENT.fullmatch(text):
            return moment.as_of(text)
    except ValueError:
        pass
    if "T" in text:
        raise Refused(f"{quoted(text)} is not a moment like 2020-12-31T12:00:00Z.", "as_of")
    return moment.end_of(date(text, "as_of"))


def _issues(texts: Mapping[str, str]) -> Iterator[Stretch]:
    """A list of dates and of ranges, as in ``2020-10-01,2020-10-05--2020-10-09``."""
    parts = texts["issues"].split(",") if "issues" in texts else []
    if len(parts) > MAX_ISSUES:
        raise Refused(f"A list of more than {MAX_ISSUES} issues: ask for a range, as in A--B.", "issues")
    for part in parts:
        span = RANGE.fullmatch(part)
        first, last = (
            date(text, "issues") for text in (span.group("first", "last") if span else (part, part))
        )
        if first > last:
            raise Refused(f"{first} lies after {last}.", "issues")
        yield Stretch(first, last)


def _lag(texts: Mapping[str, str]) -> int | None:
    if "lag" not in texts:
        return None
    if not LAG.fullmatch(texts["lag"]):
        raise Refused(f"{quoted(texts['lag'])} is not a number of days from 0 to 99999.", "lag")
    return int(texts["lag"])
