"""Bad input through the whole: 300 good days stored, then a version that is wrong, then the next good one.

What is rejected leaves the tables as they were and is told once, with its place; what is only odd is taken,
with a warning where one is due. Either way the next good file is taken completely.
"""

import datetime as dt
import gzip
from dataclasses import replace
from typing import NamedTuple

import pytest
from system import system

from schemas.figures import Counts
from schemas.ledger import COMPLETED, FAILED

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("bad-input")]

STORED = 300  # days, by the first run
FIRST = dt.date(2020, 2, 1)
ONE_DAY = dt.timedelta(days=1)
NOON, EVENING = dt.time(12), dt.time(18)
BOTH = ("nyt", "jhu")
OLD = 150  # a day in the middle of what is stored

COLUMNS = {"nyt": ["date", "cases", "deaths"], "jhu": ["Date", "Country", "Confirmed", "Recovered", "Deaths"]}
DATE = {"nyt": "date", "jhu": "Date"}
COUNT = {"nyt": "cases", "jhu": "Recovered"}
FIGURES = {"nyt": ["cases", "deaths"], "jhu": ["recovered"]}
OTHERS = ("Atlantis", '"Erewhon, North"'), ("Utopia",)  # the countries before the U.S. and after

COUNTRIES = "Date,Country,Confirmed,Recovered,Deaths", "{date},{country},{cases},{recovered},{deaths}"
COMBINED = (
    "Date,Country/Region,Province/State,Confirmed,Recovered,Deaths",
    "{date},{country},,{cases},{recovered},{deaths}",
)
WITH_PLACES = (
    "Date,Country/Region,Province/State,Lat,Long,Confirmed,Recovered,Deaths",
    "{date},{country},,40.0,-100.0,{cases}.0,{recovered}.0,{deaths}.0",
)

NO_COUNT = "is not a whole number from 0 to 1,000,000,000"
NO_DATE = "is not a date written YYYY-MM-DD"
OTHER_HEADER = "is not the header that is known here"
LOST = "is acknowledged, and missing from the file"


class Good:
    """The good files of so many days; its methods give the bytes of a file with one thing changed."""

    def __init__(self, days, layout=COUNTRIES):
        self.newest = days
        self.days = {date(day): counts(day) for day in range(1, days + 1)}
        self.files = {"nyt": nyt_file(self.days), "jhu": jhu_file(self.days, layout)}

    def row(self, source, day):
        """Where a day of the U.S. is: the line, counted from 1, the header's."""
        return 1 + day + (len(OTHERS[0]) * self.newest if source == "jhu" else 0)

    def lines(self, source):
        return self.files[source].decode().splitlines()

    def line(self, source, day):
        return self.lines(source)[self.row(source, day) - 1]

    def cells(self, source, day, **texts):
        """A day's line with other texts in some of its cells."""
        found = dict(zip(COLUMNS[source], self.line(source, day).split(","), strict=True)) | texts
        return ",".join(found.values())

    def value(self, source, day, field):
        return int(self.cells(source, day).split(",")[COLUMNS[source].index(field)])

    def instead(self, source, day, *lines):
        """Other lines, or none, where a day's was."""
        found = self.lines(source)
        place = self.row(source, day) - 1
        return text([*found[:place], *lines, *found[place + 1 :]])

    def cut(self, source, day, characters=0):
        """The file up to so many characters of a day's line."""
        found = self.lines(source)
        place = self.row(source, day) - 1
        return text(found[:place]) + found[place][:characters].encode()

    def header(self, source, **names):
        """The file with columns named otherwise."""
        found = self.lines(source)
        return text([",".join(names.get(name, name) for name in COLUMNS[source]), *found[1:]])

    def columns(self, source, change):
        """The file with the cells of every line changed."""
        rows = [line.replace("Erewhon, North", "Erewhon") for line in self.lines(source)]
        return text(",".join(change(row.split(","))) for row in rows)


class Bad(NamedTuple):
    """Files that must be refused, what the alert must say of them, and how many reasons there are."""

    files: dict[str, bytes]
    told: list[str]
    reasons: int = 1


# What is rejected.


def count_written(good, source, text, shown=None):
    day = good.newest
    told = (
        f'{source}, row {good.row(source, day)}, {date(day)}, {COUNT[source]}: "{shown or text}" {NO_COUNT}'
    )
    return Bad({source: good.instead(source, day, good.cells(source, day, **{COUNT[source]: text}))}, [told])


def count_empty(good, source):
    field = "cases" if source == "nyt" else "Confirmed"
    told = f'{source}, row {good.row(source, good.newest)}, {date(good.newest)}, {field}: "" is empty'
    return Bad(
        {source: good.instead(source, good.newest, good.cells(source, good.newest, **{field: ""}))}, [told]
    )


def count_taken_back(good, source, text):
    told = f"jhu, row {good.row(source, OLD)}, {date(OLD)}, recovered: is not reported any more; 507,000 is"
    return Bad({source: good.instead(source, OLD, good.cells(source, OLD, Recovered=text))}, [told])


def date_twice(good, source):
    again = good.cells(source, OLD, **{COUNT[source]: "9"})
    if source == "nyt":
        again = f"{date(OLD)},9,9"
    told = (
        f'{source}, row {good.row(source, good.newest) + 1}, {DATE[source]}: "{date(OLD)}" comes twice with '
    )
    told += f"other values: see row {good.row(source, OLD)}"
    return Bad(
        {source: good.instead(source, good.newest, good.line(source, good.newest), again)},
        [told],
    )


def date_missing(good, source):
    return Bad({source: good.instead(source, OLD)}, [f"{source}, {date(OLD)}: {LOST}"])


def figure(good, source, field, factor):
    """The newest day's figure is this many times that of the day before."""
    column = field.title() if source == "jhu" else field
    before = good.value(source, good.newest - 1, column)
    value = int(before * factor)
    how = "falls by more than 20 % from" if factor < 1 else "rises more than fourfold from"
    told = f"{source}, row {good.row(source, good.newest)}, {date(good.newest)}, {field}: "
    told += f'"{value}" {how} the {before:,} of {date(good.newest - 1)}'
    changed = good.cells(source, good.newest, **{column: str(value)})
    return Bad({source: good.instead(source, good.newest, changed)}, [told])


def figure_restated(good, source):
    before = good.value(source, OLD, COUNT[source])
    told = (
        f'{source}, row {good.row(source, OLD)}, {date(OLD)}, {COUNT[source].lower()}: "{before // 10}" is '
    )
    told += f"more than 20 % off the acknowledged {before:,}"
    changed = good.cells(source, OLD, **{COUNT[source]: str(before // 10)})
    return Bad({source: good.instead(source, OLD, changed)}, [told, "falls by more than 20 %"], 2)


def column_renamed(good, source, name, to):
    header = good.header(source, **{name: to})
    shown = header.decode().split("\n")[0]
    shown = shown if len(shown) <= 40 else shown[:40] + "…"
    told = [f'{source}, row 1: "{shown}" {OTHER_HEADER}', f"{source}, row 1, {name}: is missing"]
    return Bad({source: header}, told, 2)


def column_repeated(good, source):
    repeated = good.columns(source, lambda cells: [*cells, cells[-1]])
    return Bad({source: repeated}, [f"{source}, row 1, {COLUMNS[source][-1]}: comes twice"], 2)


def column_missing(good, source):
    place = COLUMNS[source].index(COUNT[source])
    without = good.columns(source, lambda cells: cells[:place] + cells[place + 1 :])
    return Bad({source: without}, [f"{source}, row 1, {COUNT[source]}: is missing"], 2)


def columns_swapped_in_the_header(good, source):
    if source == "nyt":
        day = good.days[date(1)]
        told = f'nyt, row 2, {date(1)}, deaths: "{day.cases}" is more than the {day.deaths} cases'
        return Bad({source: good.header(source, cases="deaths", deaths="cases")}, [told], good.newest)
    told = [f"jhu, row {good.row(source, day)}, {date(day)}, recovered: " for day in range(5, 15)]
    return Bad({source: good.header(source, Confirmed="Recovered", Recovered="Confirmed")}, told, -1)


def date_written(good, source, text):
    day = good.newest
    told = f'{source}, row {good.row(source, day)}, {DATE[source]}: "{text}" {NO_DATE}'
    return Bad({source: good.instead(source, day, good.cells(source, day, **{DATE[source]: text}))}, [told])


def day_and_month_swapped_to_no_date(good, source):
    old = dt.date(2020, 3, 25)
    day = (old - FIRST).days + 1
    told = f'{source}, row {good.row(source, day)}, {DATE[source]}: "2020-25-03" {NO_DATE}'
    changed = good.cells(source, day, **{DATE[source]: "2020-25-03"})
    return Bad({source: good.instead(source, day, changed)}, [told])


def day_and_month_swapped_to_another_date_of_the_file(good, source):
    day, other = ((old - FIRST).days + 1 for old in (dt.date(2020, 3, 5), dt.date(2020, 5, 3)))
    told = f'{source}, row {good.row(source, other)}, {DATE[source]}: "2020-05-03" comes twice with other '
    told += f"values: see row {good.row(source, day)}"
    changed = good.cells(source, day, **{DATE[source]: "2020-05-03"})
    return Bad({source: good.instead(source, day, changed)}, [told])


def day_and_month_swapped_to_a_date_before_all_others(good, *sources):
    """2020-09-01 once came as 2020-01-09: a date that is one, and that nobody has yet."""
    day = good.newest
    files = {
        source: good.instead(source, day, good.cells(source, day, **{DATE[source]: "2020-01-09"}))
        for source in sources
    }
    told = [
        f'{source}, row {good.row(source, day)}, 2020-01-09, {field}: "{vars(good.days[date(day)])[field]}" '
        "can't come before the "
        for source in sources
        for field in FIGURES[source]
    ]
    return Bad(files, told, -1)


def date_in_the_future(good, source, days):
    today = date(good.newest) + ONE_DAY
    ahead = today + days * ONE_DAY
    told = f'{source}, row {good.row(source, good.newest)}, {DATE[source]}: "{ahead}" lies after the run\'s '
    told += f"date, {today}"
    changed = good.cells(source, good.newest, **{DATE[source]: str(ahead)})
    return Bad({source: good.instead(source, good.newest, changed)}, [told])


def other_text(good, source, payload, told, reasons=1):
    return Bad({source: payload}, [f"{source}{told}"], reasons)


def header_only(good, source):
    return Bad(
        {source: text([",".join(COLUMNS[source])])},
        [f"{source}: has no row for the U.S."],
    )


def cut_before_the_us_rows(good, source):
    return Bad({source: good.cut(source, 1)}, [f"{source}: has no row for the U.S."])


def cut_between_the_us_rows(good, source):
    told = [f"{source}, {date(day)}: {LOST}" for day in range(OLD, OLD + 20)]
    more = good.newest - OLD - 20  # the newest is not acknowledged
    return Bad({source: good.cut(source, OLD)}, [*told, f"and {more} more reasons"], more + 20)


def cut_in_a_row(good, source):
    row = good.row(source, OLD)
    start = good.line(source, OLD)[:14]
    count = (1 + start.count(","), len(COLUMNS[source]))
    told = f'{source}, row {row}: "{start}" is cut off: it has {count[0]} fields instead of {count[1]}'
    return Bad({source: good.cut(source, OLD, 14)}, [told])


def cut_in_the_last_figure(good, source):
    whole = good.line(source, good.newest)
    day, deaths = date(good.newest), whole.rpartition(",")[2]
    told = f'nyt, row {good.row(source, good.newest)}, {day}, deaths: "{deaths[:-1]}" falls by more than 20 %'
    return Bad({source: good.cut(source, good.newest, len(whole) - 1)}, [told])


def stray_quote(good, source):
    column = COUNT[source]
    line = good.cells(source, good.newest, **{column: '"' + str(good.value(source, good.newest, column))})
    told = f'{source}, row {good.row(source, good.newest)}: "{line}" is not a line of CSV'
    return Bad({source: good.instead(source, good.newest, line)}, [told])


def row_too_short(good, source):
    line, _, _ = good.line(source, OLD).rpartition(",")
    count = len(COLUMNS[source])
    told = f"{source}, row {good.row(source, OLD)}, {date(OLD)}: has {count - 1} fields instead of {count}"
    return Bad({source: good.instead(source, OLD, line)}, [told])


def row_too_long(good, source):
    count = len(COLUMNS[source])
    told = f"{source}, row {good.row(source, OLD)}, {date(OLD)}: has {count + 1} fields instead of {count}"
    return Bad({source: good.instead(source, OLD, good.line(source, OLD) + ",9")}, [told])


def nul(good, source):
    line = good.line(source, good.newest)[:-1] + "\0"
    told = (
        f'{source}, row {good.row(source, good.newest)}: "{line[:-1]}\\x00" is not text: it holds NUL bytes'
    )
    return Bad({source: good.instead(source, good.newest, line)}, [told])


def utf_16(good, source):
    payload = good.files[source].decode().encode("utf-16")
    return Bad({source: payload}, [f'{source}, row 1: "\\xff\\xfe', "is not text: it holds NUL bytes"])


def gzip_bytes(good, source):
    payload = gzip.compress(good.files[source], mtime=0)
    return Bad({source: payload}, [f'{source}, row 1: "\\x1f\\x8b', "is not text: it holds NUL bytes"])


def latin_1(good, source):
    payload = good.files[source] + "2020-03-01,Côte d'Atlantis,1,1,1\n".encode("latin-1")
    row = len(good.lines(source)) + 1
    told = f'{source}, row {row}: "2020-03-01,C\\xf4te d\'Atlantis,1,1,1" is not UTF-8 text'
    return Bad({source: payload}, [told])


def bad(make, *arguments, sources=BOTH, name=None):
    """The cases of one trouble, one in each file."""
    return [
        pytest.param(
            lambda good, source=source: make(good, source, *arguments),
            id=f"{name or make.__name__.replace('_', ' ')} in {source}",
        )
        for source in sources
    ]


HTML = b'<!DOCTYPE html>\n<html lang="en"><head><title>Not found</title></head></html>\n'
HTML_WITH_COMMAS = b'<html><meta content="width=device-width, initial-scale=1">\n<p>Not found</p>\n</html>\n'
JSON = b'{"message": "API rate limit exceeded"}'

REJECTED = [
    *bad(count_written, "abc", name="abc"),
    *bad(count_written, "-5", name="-5"),
    *bad(count_written, "1_000", name="1_000"),
    *bad(count_written, "١٢٣", "\\u0661\\u0662\\u0663", name="Arabic digits"),
    *bad(count_empty),
    *bad(count_taken_back, "", sources=["jhu"], name="an old count emptied"),
    *bad(count_taken_back, "0", sources=["jhu"], name="an old count set to 0"),
    *bad(date_twice),
    *bad(date_missing),
    *bad(figure, "cases", 0.1, sources=["nyt"], name="a tenth of the cases"),
    *bad(figure, "cases", 10, sources=["nyt"], name="ten times the cases"),
    *bad(figure, "deaths", 0.1, sources=["nyt"], name="a tenth of the deaths"),
    *bad(figure, "deaths", 10, sources=["nyt"], name="ten times the deaths"),
    *bad(figure, "recovered", 0.1, sources=["jhu"], name="a tenth of the recoveries"),
    *bad(figure, "recovered", 10, sources=["jhu"], name="ten times the recoveries"),
    *bad(figure_restated, name="an old figure restated to a tenth"),
    *bad(column_renamed, "cases", "total_cases", sources=["nyt"]),
    *bad(column_renamed, "Recovered", "Recoveries", sources=["jhu"]),
    *bad(column_renamed, "Country", "Nation", sources=["jhu"], name="country column renamed"),
    *bad(column_repeated),
    *bad(column_missing),
    *bad(columns_swapped_in_the_header),
    *bad(date_written, "2021-13-45", name="2021-13-45"),
    *bad(date_written, "3/1/2020", name="3-1-2020 with strokes"),
    *bad(day_and_month_swapped_to_no_date),
    *bad(day_and_month_swapped_to_another_date_of_the_file),
    *bad(day_and_month_swapped_to_a_date_before_all_others),
    *bad(
        day_and_month_swapped_to_a_date_before_all_others,
        "jhu",
        sources=["nyt"],
        name="the same, jhu too and",
    ),
    *bad(date_in_the_future, 1, name="tomorrow"),
    *bad(other_text, HTML, ', row 1: "<!DOCTYPE html>" is not a CSV file', name="HTML"),
    *bad(other_text, HTML_WITH_COMMAS, ', row 1: "<html><meta content=', -1, name="HTML with commas"),
    *bad(other_text, JSON, f', row 1: "{JSON.decode()}" is not a CSV file', name="JSON"),
    *bad(other_text, b"", ": is empty", name="nothing"),
    *bad(header_only),
    *bad(cut_before_the_us_rows, sources=["jhu"]),
    *bad(cut_between_the_us_rows),
    *bad(cut_in_a_row),
    *bad(cut_in_the_last_figure, sources=["nyt"]),
    *bad(stray_quote),
    *bad(row_too_short),
    *bad(row_too_long),
    *bad(nul, name="NUL"),
    *bad(utf_16, name="UTF-16"),
    *bad(gzip_bytes),
    *bad(latin_1, sources=["jhu"], name="Latin 1"),
]


@pytest.mark.parametrize("make", REJECTED)
def test_what_is_rejected_changes_nothing_is_told_once_and_hinders_no_later_file(record, make):
    good = Good(record.days + 1)
    bad_files, told, reasons = make(good)
    before = record.before()
    alerts, reports = record.daybook.told("alerts"), record.daybook.told("daily-report")
    failed = record.take(good.files | bad_files, date(good.newest), NOON)
    assert (failed.state, failed.pending) == (FAILED, ())
    assert record.held() == before
    alert = record.only_new("alerts", alerts)
    for line in told:
        assert line in alert.text("email")
    if reasons != -1:
        assert failed.reason_count == reasons
    assert len(alert.text("sms")) <= 160
    assert len(record.daybook.told("daily-report")) == len(reports)

    cured = record.take(good.files, date(good.newest), EVENING)
    record.days += 1
    assert (cured.state, cured.inserted, cured.updated) == (COMPLETED, {date(good.newest)}, set())
    assert record.table() == good.days
    assert len(record.daybook.told("alerts")) == len(alerts) + 1
    made_good = f"makes good what failed before: {failed.time:%Y-%m-%d %H:%M} UTC"
    assert made_good in record.only_new("daily-report", reports).text("email")


# What is taken.


class Odd(NamedTuple):
    """Files that must be taken, what the table is then, and the warnings that are due."""

    files: dict[str, bytes]
    table: dict[dt.date, Counts]
    warnings: list[str]


def changed(change):
    """Only the bytes are other ones; the record is the same."""
    return lambda good, source: Odd({source: change(good.files[source])}, good.days, [])


def columns_turned(good, source):
    return Odd({source: good.columns(source, lambda cells: cells[::-1])}, good.days, [])


def column_more(good, source):
    return Odd({source: good.columns(source, lambda cells: [*cells, "more"])}, good.days, [])


def unsorted(good, source):
    first, *rows = good.lines(source)
    return Odd({source: text([first, *sorted(rows, key=lambda row: row[::-1])])}, good.days, [])


def decimals(good, source):
    line = good.line(source, good.newest).replace(",US,", ",US;").replace(",", ".0,").replace(";", ",") + ".0"
    line = line.replace(f"{date(good.newest)}.0", str(date(good.newest)))
    return Odd({source: good.instead(source, good.newest, line)}, good.days, [])


def layout(good, source, form):
    return Odd({"jhu": jhu_file(good.days, form)}, good.days, [])


def small_fall(good, source):
    before = good.value(source, good.newest - 1, COUNT[source])
    value = before * 995 // 1000
    name = "The New York Times" if source == "nyt" else "Johns Hopkins"
    newest = replace(good.days[date(good.newest)], **{COUNT[source].lower(): value})
    figure = "cases" if source == "nyt" else "recoveries"
    warning = f"{name}: {figure} fall on {date(good.newest)}, from {before:,} to {value:,}"
    changed = good.cells(source, good.newest, **{COUNT[source]: str(value)})
    return Odd(
        {source: good.instead(source, good.newest, changed)},
        good.days | {date(good.newest): newest},
        [warning],
    )


def gap(good, source):
    """The day before the newest is in neither file."""
    missing = date(good.newest - 1)
    table = {day: figures for day, figures in good.days.items() if day != missing}
    warnings = [f"{name} has nothing for {missing}" for name in ("The New York Times", "Johns Hopkins")]
    return Odd({"nyt": nyt_file(table), "jhu": jhu_file(table)}, table, warnings)


def gap_in_one_file(good, source):
    missing = date(good.newest - 1)
    table = {day: figures for day, figures in good.days.items() if day != missing}
    mine, its = ("The New York Times", "Johns Hopkins")[:: 1 if source == "nyt" else -1]
    warnings = [f"{mine} has nothing for {missing}", f"only {its} has {missing}"]
    return Odd({source: good.instead(source, good.newest - 1)}, table, warnings)


def behind(good, source):
    """The other has nine days more."""
    last = good.newest - 9
    table = {day: figures for day, figures in good.days.items() if day <= date(last)}
    name = "The New York Times" if source == "nyt" else "Johns Hopkins"
    warning = f"{name} is behind: its newest date is {date(last)}, the other's {date(good.newest)}"
    return Odd({source: {"nyt": nyt_file, "jhu": jhu_file}[source](table)}, table, [warning])


def not_reported(good, source, text):
    newest = date(good.newest)
    line = good.cells(source, good.newest, Recovered=text)
    table = good.days | {newest: replace(good.days[newest], recovered=None)}
    warning = f"Johns Hopkins has not reported recoveries since {newest}"
    return Odd({source: good.instead(source, good.newest, line)}, table, [warning])


def odd(make, *arguments, sources=BOTH, name=None, days=1):
    """The cases of one oddity, one in each file; ``days`` more are published than are stored."""
    return [
        pytest.param(
            lambda good, source=source: make(good, source, *arguments),
            days,
            id=f"{name or make.__name__.replace('_', ' ')} in {source}",
        )
        for source in sources
    ]


TAKEN = [
    *odd(changed(lambda file: b"\xef\xbb\xbf" + file), name="BOM"),
    *odd(changed(lambda file: file.replace(b"\n", b"\r\n")), name="CRLF"),
    *odd(changed(lambda file: file.rstrip(b"\n")), name="no last newline"),
    *odd(changed(lambda file: file + b"\r\n\n"), name="blank lines at the end"),
    *odd(column_more),
    *odd(columns_turned),
    *odd(unsorted),
    *odd(decimals, name="12.0"),
    *odd(layout, COMBINED, sources=["jhu"], name="the combined layout"),
    *odd(layout, WITH_PLACES, sources=["jhu"], name="the layout with Lat and Long"),
    *odd(small_fall),
    *odd(gap, sources=["nyt and jhu"], days=2),
    *odd(gap_in_one_file, days=2),
    *odd(behind, days=10),
    *odd(not_reported, "", sources=["jhu"], name="an empty count of recoveries"),
    *odd(not_reported, "0", sources=["jhu"], name="recoveries back to 0"),
]


@pytest.mark.parametrize(("make", "days"), TAKEN)
def test_what_is_only_odd_is_taken_and_a_warning_that_is_due_is_told(record, make, days):
    good = Good(record.days + days)
    odd_files, table, warnings = make(good)
    alerts, reports = record.daybook.told("alerts"), record.daybook.told("daily-report")
    taken = record.take(good.files | odd_files, date(good.newest), NOON)
    assert taken.state == COMPLETED
    assert record.table() == table
    assert sorted(warning.text for warning in taken.warnings) == sorted(warnings)
    report = record.only_new("daily-report", reports).text("email")
    assert [warning in report for warning in warnings] == [True] * len(warnings)
    assert ("New warnings:" in report) is bool(warnings)

    later = Good(good.newest + 1)
    completed = record.take(later.files, date(later.newest), NOON)
    record.days = later.newest
    assert completed.state == COMPLETED
    assert record.table() == later.days
    assert set(completed.ended) == set(warnings)
    assert len(record.daybook.told("alerts")) == len(alerts)


def test_the_layout_may_change_from_one_day_to_the_next(record):
    for form in (COMBINED, WITH_PLACES, COMBINED, COUNTRIES, WITH_PLACES):
        good = Good(record.days + 1, form)
        taken = record.take(good.files, date(good.newest), NOON)
        record.days += 1
        assert (taken.state, taken.inserted, taken.updated) == (COMPLETED, {date(good.newest)}, set())
        assert taken.warnings == ()
    assert record.table() == good.days


class Record:
    """A system with so many good days stored; each test leaves it with more."""

    def __init__(self, daybook):
        self.daybook = daybook
        self.days = STORED
        self._seen = None

    def take(self, files, newest, time):
        """Publish these files on the day after their newest date, and run at that time."""
        self._seen = None
        self.daybook.publisher.files = dict(files)
        self.daybook.moment = dt.datetime.combine(newest + ONE_DAY, time, dt.UTC)
        return self.daybook.run()

    def held(self):
        """The rows of ``daily``, and the sum of all versions, which any entry would change."""
        return self.daybook.cloud.tables.daily(), self.daybook.cloud.ledger.head().stamp

    def before(self):
        """What is held before anything happens: what was last seen, unless something has run since."""
        return self._seen or self.held()

    def table(self):
        self._seen = self.held()
        return {row.day.date: row.day.counts for row in self._seen[0]}

    def only_new(self, topic, before):
        """The one message that was sent to this topic since."""
        (found,) = self.daybook.told(topic)[len(before) :]
        return found


@pytest.fixture(scope="module")
def record():
    with system() as daybook:
        found = Record(daybook)
        good = Good(STORED)
        first = found.take(good.files, date(STORED), NOON)
        assert (first.state, len(first.inserted)) == (COMPLETED, STORED)
        assert min(counts(STORED).cases, counts(STORED).deaths, counts(STORED).recovered or 0) > 100_000
        yield found
        daybook.agrees()


def date(day):
    """The date of a day of the record, counted from 1."""
    return FIRST + (day - 1) * ONE_DAY


def counts(day):
    """Figures that rise as an epidemic's do, and are nobody's."""
    cases = 100 * day**2
    return Counts(cases, cases // 55, 30 * max(day - 20, 0) ** 2)


def nyt_file(days):
    return text(
        ["date,cases,deaths", *(f"{day},{found.cases},{found.deaths}" for day, found in days.items())]
    )


def jhu_file(days, layout=COUNTRIES):
    """In the order of its countries, so that there are lines before the U.S.'s and after."""
    header, form = layout
    before, after = (
        [
            form.format(date=day, country=name, cases=7, recovered=0, deaths=1)
            for name in names
            for day in days
        ]
        for names in OTHERS
    )
    us = [form.format(date=day, country="US", **vars(found)) for day, found in days.items()]
    return text([header, *before, *us, *after])


def text(lines):
    return "".join(f"{line}\n" for line in lines).encode()
