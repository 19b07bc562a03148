"""Bad input through the whole: 300 good days stored, one version that is wrong, then the next good one.

What is rejected leaves the tables untouched and is told once, with its place; what is only odd is taken, with
a warning where one is due. Either way the next good file is taken completely.
"""

import datetime as dt
import gzip
from dataclasses import dataclass
from typing import NamedTuple

import pytest
from system import system

from schemas.day import Counts
from schemas.run import COMPLETED, FAILED

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("bad-input")]

STORED = 300  # days, by the first run
FIRST = dt.date(2020, 2, 1)
ONE_DAY = dt.timedelta(days=1)
NOON, EVENING = dt.time(12), dt.time(18)

COLUMNS = {"nyt": ("date", "cases", "deaths"), "jhu": ("Date", "Country", "Confirmed", "Recovered", "Deaths")}
COUNT = {"nyt": "cases", "jhu": "Recovered"}
WHEN = {"nyt": "date", "jhu": "Date"}
HTML = b'<!DOCTYPE html>\n<html lang="en"><head><title>Not found</title></head></html>\n'
HTML_WITH_COMMAS = b'<html><meta content="width=device-width, initial-scale=1">\n<p>Not found</p>\n</html>\n'
JSON = b'{"message": "API rate limit exceeded"}'
WHOLE = "is not a whole number from 0 to 1,000,000,000"
AS_DATE = "is not a date written YYYY-MM-DD"
LOST = "is acknowledged, and missing from the file"
UNKNOWN_HEADER = "is not the header that is known here"

# ---- fit to be given to @pytest.mark.parametrize: what is published, and what the alert says of it


@dataclass
class Bad:
    """What is published of each file that is bad, what the alert must say of it, and how many reasons."""

    files: dict[str, bytes]
    told: tuple[str, ...]
    reasons: int = 1


def bad_count(source, text, shown=None):
    """A count of the newest day is written like this."""
    return lambda good: Bad(
        {source: good.with_cell(source, good.days, COUNT[source], text)},
        (f'{good.place(source, good.days)}, {COUNT[source]}: "{shown or text}" {WHOLE}',),
    )


def empty_count(source, field):
    return lambda good: Bad(
        {source: good.with_cell(source, good.days, field, "")},
        (f'{good.place(source, good.days)}, {field}: "" is empty',),
    )


def no_longer_reported(text):
    return lambda good: Bad(
        {"jhu": good.with_cell("jhu", 150, "Recovered", text)},
        (f"{good.place('jhu', 150)}, recovered: is not reported any more; {30 * 130**2:,} is acknowledged",),
    )


def bad_date(source, text):
    """The newest day's date is written like this."""
    return lambda good: Bad(
        {source: good.with_cell(source, good.days, WHEN[source], text)},
        (f'{source}, row {good.row(source, good.days)}, {WHEN[source]}: "{text}" {AS_DATE}',),
    )


def swapped_to_no_date(source):
    return lambda good: Bad(
        {source: good.with_cell(source, 54, WHEN[source], "2020-25-03")},
        (f'{source}, row {good.row(source, 54)}, {WHEN[source]}: "2020-25-03" {AS_DATE}',),
    )


def swapped_to_another_day_of_the_record(source):
    """2020-03-05 becomes 2020-05-03, which the file has as well."""
    return lambda good: Bad(
        {source: good.with_cell(source, 34, WHEN[source], "2020-05-03")},
        (
            f'{source}, row {good.row(source, 93)}, {WHEN[source]}: "2020-05-03" comes twice with other '
            f"values: see row {good.row(source, 34)}",
        ),
    )


def swapped_to_before_the_record(*sources):
    """As 2020-09-01 once came as 2020-01-09: a date that is one, and that nobody has yet."""

    def publish(good):
        told = []
        for source in sources:
            field, value = ("cases", 100 * good.days**2) if source == "nyt" else ("recovered", good.recovered)
            told.append(f'{source}, row {good.row(source, good.days)}, 2020-01-09, {field}: "{value}" can\'t')
        return Bad(
            {
                source: good.with_cell(source, good.days, WHEN[source], "2020-01-09").replace(
                    f"2020-01-09,{good.newest}".encode(), b"2020-01-09"
                )
                for source in sources
            },
            tuple(told),
            reasons=ANY,
        )

    return publish


def future_date(source, days):
    def publish(good):
        ahead = good.newest + ONE_DAY + days * ONE_DAY
        told = f'{source}, row {good.row(source, good.days)}, {WHEN[source]}: "{ahead}" lies after the run\'s '
        return Bad(
            {source: good.with_cell(source, good.days, WHEN[source], str(ahead))},
            (f"{told}date, {good.newest + ONE_DAY}",),
        )

    return publish


ANY = -1
