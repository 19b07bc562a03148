"""Both files' bytes to days: the only place that knows how the sources lay out their files.

Only the U.S. lines are decoded and parsed; finding them does not mean parsing the 115,000 others. pandas
finds the counts that were taken back. Every bad row is found, not just the first; but what is longer, wider
or larger than such a file can be is refused as a whole, before it costs the memory that there is.
"""

import csv
import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import repeat
from operator import itemgetter
from typing import Any

import pandas as pd
from marshmallow import ValidationError

from functions.errors import SourceRefused
from schemas.day import Counts, Day
from schemas.published import CasesRow, CasesSchema, FileSchema, RecoveriesRow, RecoveriesSchema
from schemas.run import Reason

NAMES = {"nyt": "The New York Times", "jhu": "Johns Hopkins"}
COUNTRY_COLUMNS = ("Country", "Country/Region")
COUNTRY = "US"
NAMED = re.compile(COUNTRY.encode())  # finds short text in half the time that bytes.find takes
BOM = b"\xef\xbb\xbf"
BLANKS = b" \t\n\r\v\f"  # what str.strip takes beyond these is a value that is amiss
MAX_LINE = 100_000  # bytes; a line has some 40, and what has no lines would be split into millions of cells
MAX_ROWS = 10_000  # of the U.S.: a day each, 27 years. Every one of them may become a reason to be told

Line = tuple[int, list[str] | str]  # its number, counted from 1; its cells, or its text where it has none


@dataclass(frozen=True)
class Published:
    """What the two files say, oldest first. A day is a date that both have.

    In ``recoveries`` a count that the source took back, by 0 or an empty cell after a positive one, is None.
    ``lines`` has, for each source, the line of its file that a date is on, counted from 1, the header's.
    """

    cases: Mapping[dt.date, CasesRow]
    recoveries: Mapping[dt.date, RecoveriesRow]
    days: tuple[Day, ...]
    lines: Mapping[str, Mapping[dt.date, int]]

    @property
    def newest(self) -> dt.date:
        """The newest date that both files have."""
        return self.days[-1].date


def transform(nyt: bytes, jhu: bytes, today: dt.date) -> Published:
    """What the files say. Raises SourceRefused with every reason why either file is malformed."""
    reasons: list[Reason] = []
    lines: dict[str, dict[dt.date, int]] = {"nyt": {}, "jhu": {}}
    cases = _rows("nyt", nyt, CasesSchema(), today, reasons, lines["nyt"])
    recoveries = _rows("jhu", jhu, RecoveriesSchema(), today, reasons, lines["jhu"])
    if not reasons and not cases.keys() & recoveries.keys():
        reasons.append(Reason("jhu", "and nyt have no date in common"))
    if reasons:
        raise SourceRefused(reasons)
    return _together(cases, recoveries, lines)


def _together(
    cases: Mapping[dt.date, CasesRow],
    recoveries: Mapping[dt.date, RecoveriesRow],
    lines: Mapping[str, Mapping[dt.date, int]],
) -> Published:
    """The two series in date order, and the days that they share."""
    reported = pd.Series({date: row.recovered or 0 for date, row in recoveries.items()}).sort_index()
    taken_back = set(reported.index[(reported == 0) & (reported.cummax() > 0)])
    recovered = {date: None if date in taken_back else recoveries[date].recovered for date in reported.index}
    in_order = {date: cases[date] for date in sorted(cases)}
    return Published(
        cases=in_order,
        recoveries={date: RecoveriesRow(date, count) for date, count in recovered.items()},
        days=tuple(
            Day(date, Counts(row.cases, row.deaths, recovered[date]))
            for date, row in in_order.items()
            if date in recovered
        ),
        lines=lines,
    )


def _rows(
    source: str,
    payload: bytes,
    schema: FileSchema,
    today: dt.date,
    reasons: list[Reason],
    first_seen: dict[dt.date, int],
) -> dict[dt.date, Any]:
    """The file's U.S. rows by date, in the file's order; what is wrong with it is added to ``reasons``, and
    the line where each date is first to ``first_seen``."""
    found: dict[dt.date, Any] = {}
    wrong: list[Reason] = []
    try:
        text = payload.removeprefix(BOM)
        _check_text(source, text)
        header = _header(source, text)
        _check_columns(source, header, schema)
        _check_end(source, text, len(header))
        lines = _all_lines(text) if source == "nyt" else _country_lines(text, _country_column(header))
        numbers, columns = _columns(source, lines, header, schema, wrong)
    except SourceRefused as refusal:
        reasons.extend(refusal.reasons)
        return found
    refused: dict[str, dict[int, list[str]]] = {}
    try:
        read: Any = schema.load(columns)
    except ValidationError as error:
        read, refused = error.valid_data, error.messages_dict
    date_column = schema.fields["date"].data_key or "date"
    dates = columns[date_column]
    for field, problems in refused.items():
        for place, told in problems.items():
            value = columns[field][place]
            problem = "; ".join(told)
            wrong.append(Reason(source, problem, numbers[place], dates[place] or None, field, value))
    bad = set().union(*refused.values())
    rows = map(schema.row._make, zip(*(read[name] for name in schema.row._fields), strict=True))
    for place, row in enumerate(rows):
        if place in bad:
            continue
        number, date = numbers[place], dates[place]
        if row.date > today:
            problem = f"lies after the run's date, {today}"
            wrong.append(Reason(source, problem, number, date, date_column, date))
        elif row.date not in found:
            found[row.date] = row
            first_seen[row.date] = number
        elif row != found[row.date]:
            problem = f"comes twice with other values: see row {first_seen[row.date]}"
            wrong.append(Reason(source, problem, number, date, date_column, date))
    if not found and not wrong:
        wrong.append(Reason(source, "has no row for the U.S."))
    reasons += sorted(wrong, key=lambda reason: reason.row or 0)
    return found


def _columns(
    source: str, lines: Iterable[Line], header: list[str], schema: FileSchema, wrong: list[Reason]
) -> tuple[list[int], dict[str, tuple[str, ...]]]:
    """The lines' numbers, and the columns that the schema reads; a line that is no row is added to
    ``wrong`` instead. Raises SourceRefused where there are too many."""
    numbers: list[int] = []
    kept: list[tuple[str, ...]] = []
    names = _needed(schema)
    places = [header.index(name) for name in names]
    keep: Callable[[list[str]], tuple[str, ...]] = itemgetter(*places)
    date_column = places[names.index(schema.fields["date"].data_key or "date")]
    for number, cells in lines:
        if len(numbers) + len(wrong) == MAX_ROWS:
            raise SourceRefused([Reason(source, f"has more than {MAX_ROWS:,} rows for the U.S.")])
        if isinstance(cells, str):
            wrong.append(Reason(source, "is not a line of CSV", number, value=cells))
        elif len(cells) != len(header):
            date = cells[date_column] or None if date_column < len(cells) else None
            wrong.append(Reason(source, f"has {_fields(len(cells), len(header))}", number, date))
        else:
            numbers.append(number)
            kept.append(keep(cells))
    columns = zip(*kept, strict=True) if kept else repeat(())
    return numbers, dict(zip(names, columns, strict=False))


def _needed(schema: FileSchema) -> list[str]:
    return [field.data_key or name for name, field in schema.fields.items()]


def _check_columns(source: str, header: list[str], schema: FileSchema) -> None:
    """Raises SourceRefused for columns that are missing or come twice."""
    missing = [name for name in _needed(schema) if name not in header]
    if source == "jhu" and _country_column(header) == -1:
        missing.append(COUNTRY_COLUMNS[0])
    reasons = [Reason(source, "is missing", 1, field=name) for name in missing]
    reasons += [Reason(source, "comes twice", 1, field=name) for name, n in Counter(header).items() if n > 1]
    if reasons:
        shown = ",".join(header)
        raise SourceRefused(
            [Reason(source, "is not the header that is known here", 1, value=shown), *reasons]
        )


def _check_text(source: str, payload: bytes) -> None:
    """Raises SourceRefused where the bytes are no lines of text. They are never decoded as a whole: a single
    character beyond the others would make four bytes of each."""
    if b"\0" in payload:
        problem = "is not text: it holds NUL bytes"
        raise SourceRefused([Reason(source, problem, *_line_at(payload, payload.index(b"\0")))])
    start = 0
    while start < len(payload):
        end = payload.rfind(b"\n", start, start + MAX_LINE) + 1 or len(payload)
        if end - start > MAX_LINE:
            problem = f"is longer than {MAX_LINE:,} bytes"
            raise SourceRefused([Reason(source, problem, *_line_at(payload, start))])
        try:
            payload[start:end].decode()
        except UnicodeDecodeError as error:
            place = start + error.start
            problem = f"is not UTF-8 text: {error.reason} at byte {place}"
            raise SourceRefused([Reason(source, problem, *_line_at(payload, place))]) from error
        start = end


def _header(source: str, text: bytes) -> list[str]:
    """The columns' names. Raises SourceRefused where the whole is no table."""
    if not _end(text):
        raise SourceRefused([Reason(source, "is empty")])
    first = _line(text[: text.find(b"\n")] if b"\n" in text else text)
    header = _cells(first)
    if isinstance(header, str) or len(header) < 2:
        raise SourceRefused([Reason(source, "is not a CSV file", 1, value=first)])
    return header


def _check_end(source: str, text: bytes, columns: int) -> None:
    """Raises SourceRefused where the last line, the U.S.'s or not, is cut off, be it within quotes."""
    end = _end(text)
    start = text.rfind(b"\n", 0, end) + 1
    last = _line(text[start:end])
    cells = _cells(last)
    if isinstance(cells, str) or len(cells) < columns:
        problem = "is not a line of CSV"
        if isinstance(cells, list):
            problem = f"is cut off: it has {_fields(len(cells), columns)}"
        raise SourceRefused([Reason(source, problem, text.count(b"\n", 0, end) + 1, value=last)])


def _end(text: bytes) -> int:
    """Where the last line ends that is not blank; megabytes are not copied for it."""
    end = len(text)
    while end:
        start = max(0, end - MAX_LINE)
        if kept := text[start:end].rstrip(BLANKS):
            newline = text.find(b"\n", start + len(kept))
            return len(text) if newline == -1 else newline
        end = start
    return 0


def _country_column(header: list[str]) -> int:
    """Where the country's name is; -1 where it isn't."""
    return next((header.index(name) for name in COUNTRY_COLUMNS if name in header), -1)


def _all_lines(text: bytes) -> Iterator[Line]:
    """Every line but the header, as far as anybody will read."""
    lines = text[: _end(text)].split(b"\n", MAX_ROWS + 2)[1:]
    for number, line in enumerate(lines, start=2):
        yield number, _cells(_line(line))


def _country_lines(text: bytes, column: int) -> Iterator[Line]:
    """The lines whose country is the U.S.; a line that holds its name but can't be split is one of them."""
    end = counted = text.find(b"\n") + 1 or len(text)
    number = 2
    for match in NAMED.finditer(text, end):
        if match.start() < end:
            continue  # named twice in a line
        start = text.rfind(b"\n", 0, match.start()) + 1
        end = text.find(b"\n", start) + 1 or len(text) + 1
        cells = _cells(_line(text[start : end - 1]))
        if isinstance(cells, str) or COUNTRY in cells[column : column + 1]:
            number += text.count(b"\n", counted, start)
            counted = start
            yield number, cells


def _line(line: bytes) -> str:
    return line.decode().rstrip("\r")


def _cells(line: str) -> list[str] | str:
    """A line's cells, or its text where quotes are amiss, or two lines are one: CR alone ends none here."""
    if "\r" in line:
        return line
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return line


def _line_at(payload: bytes, position: int) -> tuple[int, str | None, str | None, str]:
    """A reason's row, date, field and value for a byte that is no text: its line's number and content."""
    start = payload.rfind(b"\n", 0, position) + 1
    line = payload[start:].partition(b"\n")[0]
    return payload.count(b"\n", 0, position) + 1, None, None, line.decode("latin-1")


def _fields(found: int, expected: int) -> str:
    return f"{found} field{'' if found == 1 else 's'} instead of {expected}"
