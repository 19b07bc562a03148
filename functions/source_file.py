"""One source's file: bytes to its U.S. rows.

Only the U.S. lines are decoded and parsed; finding them does not mean parsing the 115,000 others. Every bad
row is listed, not just the first; but what is longer, wider or larger than such a file can be is refused as a
whole, before it costs the memory that there is.
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

from marshmallow import ValidationError

from schemas.figures import JHU, NYT
from schemas.ledger import Reason
from schemas.published import CasesSchema, FileSchema, RecoveriesSchema

SCHEMAS: Mapping[str, FileSchema] = {NYT: CasesSchema(), JHU: RecoveriesSchema()}
COUNTRY_COLUMNS = ("Country", "Country/Region")
COUNTRY = "US"
NAMED = re.compile(COUNTRY.encode())  # finds short text in half the time that bytes.find takes
BOM = b"\xef\xbb\xbf"
BLANKS = b" \t\n\r\v\f"  # what str.strip takes beyond these is a value that is amiss
MAX_LINE = 100_000  # bytes; a line has some 40, and what has no lines would be split into millions of cells
MAX_ROWS = 40_000  # of the U.S.: a day each, a century. Each of them may become a reason of a refusal

Line = tuple[int, list[str] | str]  # its number, counted from 1; its cells, or its text where it has none


class Malformed(Exception):
    """A file is refused as a whole."""

    def __init__(self, *reasons: Reason) -> None:
        super().__init__(*map(str, reasons))
        self.reasons = reasons


@dataclass(frozen=True)
class SourceRows:
    """A file's U.S. rows by date, in the file's order; the line that each date is on, counted from 1, the
    header's; and why the file is malformed, by line. ``rows`` is incomplete where there are reasons."""

    rows: Mapping[dt.date, Any]
    lines: Mapping[dt.date, int]
    reasons: tuple[Reason, ...] = ()


def read_rows(source: str, payload: bytes, today: dt.date) -> SourceRows:
    """The rows of a source's file; dates after ``today`` are malformed."""
    schema = SCHEMAS[source]
    try:
        text = payload.removeprefix(BOM)
        _check_text(source, text)
        header = _header(source, text)
        _check_columns(source, header, schema)
        _check_end(source, text, len(header))
        lines = _all_lines(text) if source == NYT else _country_lines(text, _country_column(header))
        columns = _columns(source, lines, header, schema)
    except Malformed as malformed:
        return SourceRows({}, {}, malformed.reasons)
    return _checked(source, columns, schema, today)


@dataclass(frozen=True)
class _Columns:
    """The lines' numbers, the texts of each column that the schema reads, and the lines that are no rows."""

    numbers: list[int]
    texts: Mapping[str, tuple[str, ...]]
    wrong: list[Reason]


def _checked(source: str, columns: _Columns, schema: FileSchema, today: dt.date) -> SourceRows:
    numbers, texts, wrong = columns.numbers, columns.texts, list(columns.wrong)
    refused: dict[str, dict[int, list[str]]] = {}
    try:
        read: Any = schema.load(texts)
    except ValidationError as error:
        read, refused = error.valid_data, error.messages_dict
    date_column = schema.fields["date"].data_key or "date"
    dates = texts[date_column]
    for field, problems in refused.items():
        for place, messages in problems.items():
            value, problem = texts[field][place], "; ".join(messages)
            wrong.append(Reason(source, problem, numbers[place], dates[place] or None, field, value))
    bad = set().union(*refused.values())
    rows: dict[dt.date, Any] = {}
    first_seen: dict[dt.date, int] = {}
    made = map(schema.row._make, zip(*(read[name] for name in schema.row._fields), strict=True))
    for place, row in enumerate(made):
        if place in bad:
            continue
        number, date = numbers[place], dates[place]
        if row.date > today:
            problem = f"lies after the run's date, {today}"
            wrong.append(Reason(source, problem, number, date, date_column, date))
        elif row.date not in rows:
            rows[row.date] = row
            first_seen[row.date] = number
        elif row != rows[row.date]:
            problem = f"comes twice with other values: see row {first_seen[row.date]}"
            wrong.append(Reason(source, problem, number, date, date_column, date))
    if not rows and not wrong:
        wrong.append(Reason(source, "has no row for the U.S."))
    return SourceRows(rows, first_seen, tuple(sorted(wrong, key=lambda reason: reason.row or 0)))


def _columns(source: str, lines: Iterable[Line], header: list[str], schema: FileSchema) -> _Columns:
    """Raises Malformed where there are too many lines."""
    numbers: list[int] = []
    kept: list[tuple[str, ...]] = []
    wrong: list[Reason] = []
    names = _needed(schema)
    places = [header.index(name) for name in names]
    keep: Callable[[list[str]], tuple[str, ...]] = itemgetter(*places)
    date_column = places[names.index(schema.fields["date"].data_key or "date")]
    for number, cells in lines:
        if len(numbers) + len(wrong) == MAX_ROWS:
            raise Malformed(Reason(source, f"has more than {MAX_ROWS:,} rows for the U.S."))
        if isinstance(cells, str):
            wrong.append(Reason(source, "is not a line of CSV", number, value=cells))
        elif len(cells) != len(header):
            date = cells[date_column] or None if date_column < len(cells) else None
            wrong.append(Reason(source, f"has {_fields(len(cells), len(header))}", number, date))
        else:
            numbers.append(number)
            kept.append(keep(cells))
    columns = zip(*kept, strict=True) if kept else repeat(())
    return _Columns(numbers, dict(zip(names, columns, strict=False)), wrong)


def _needed(schema: FileSchema) -> list[str]:
    return [field.data_key or name for name, field in schema.fields.items()]


def _check_columns(source: str, header: list[str], schema: FileSchema) -> None:
    """Raises Malformed for columns that are missing or come twice."""
    missing = [name for name in _needed(schema) if name not in header]
    if source == JHU and _country_column(header) == -1:
        missing.append(COUNTRY_COLUMNS[0])
    reasons = [Reason(source, "is missing", 1, field=name) for name in missing]
    reasons += [Reason(source, "comes twice", 1, field=name) for name, n in Counter(header).items() if n > 1]
    if reasons:
        shown = ",".join(header)
        raise Malformed(Reason(source, "is not the header that is known here", 1, value=shown), *reasons)


def _check_text(source: str, payload: bytes) -> None:
    """Raises Malformed where the bytes are no lines of text. Decoded part by part: one character
    outside Latin-1 makes CPython store a whole text at up to four bytes a character."""
    if b"\0" in payload:
        problem = "is not text: it holds NUL bytes"
        raise Malformed(Reason(source, problem, *_line_at(payload, payload.index(b"\0"))))
    start = 0
    while start < len(payload):
        end = payload.rfind(b"\n", start, start + MAX_LINE) + 1 or len(payload)
        if end - start > MAX_LINE:
            problem = f"is longer than {MAX_LINE:,} bytes"
            raise Malformed(Reason(source, problem, *_line_at(payload, start)))
        try:
            payload[start:end].decode()
        except UnicodeDecodeError as error:
            place = start + error.start
            problem = f"is not UTF-8 text: {error.reason} at byte {place}"
            raise Malformed(Reason(source, problem, *_line_at(payload, place))) from error
        start = end


def _header(source: str, text: bytes) -> list[str]:
    """The columns' names. Raises Malformed where the whole is no table."""
    if not _end(text):
        raise Malformed(Reason(source, "is empty"))
    first = _line(text[: text.find(b"\n")] if b"\n" in text else text)
    header = _cells(first)
    if isinstance(header, str) or len(header) < 2:
        raise Malformed(Reason(source, "is not a CSV file", 1, value=first))
    return header


def _check_end(source: str, text: bytes, columns: int) -> None:
    """Raises Malformed where the last line, the U.S.'s or not, is cut off, be it within quotes."""
    end = _end(text)
    start = text.rfind(b"\n", 0, end) + 1
    last = _line(text[start:end])
    cells = _cells(last)
    if isinstance(cells, str) or len(cells) < columns:
        problem = "is not a line of CSV"
        if isinstance(cells, list):
            problem = f"is cut off: it has {_fields(len(cells), columns)}"
        raise Malformed(Reason(source, problem, text.count(b"\n", 0, end) + 1, value=last))


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
