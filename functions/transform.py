"""Both files' bytes to days: the only place that knows how the sources lay out their files.

Only the U.S. lines are parsed; finding them does not mean parsing the 115,000 others. pandas puts the two
series together. Every bad row is found, not just the first.
"""

import csv
import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from marshmallow import Schema, ValidationError

from functions.errors import SourceRefused
from schemas.day import Counts, Day
from schemas.published import CasesRow, CasesRowSchema, RecoveriesRow, RecoveriesRowSchema
from schemas.run import Reason

NAMES = {"nyt": "The New York Times", "jhu": "Johns Hopkins"}
COUNTRY_COLUMNS = ("Country", "Country/Region")
COUNTRY = "US"
BOM = b"\xef\xbb\xbf"


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
    cases: dict[dt.date, CasesRow] = _rows("nyt", nyt, CasesRowSchema(), today, reasons, lines["nyt"])
    recoveries: dict[dt.date, RecoveriesRow] = _rows(
        "jhu", jhu, RecoveriesRowSchema(), today, reasons, lines["jhu"]
    )
    if not reasons and not cases.keys() & recoveries.keys():
        reasons.append(Reason("jhu", "and nyt have no date in common"))
    if reasons:
        raise SourceRefused(reasons)
    return _together(cases, recoveries, lines)


def _together(
    cases: dict[dt.date, CasesRow],
    recoveries: dict[dt.date, RecoveriesRow],
    lines: Mapping[str, Mapping[dt.date, int]],
) -> Published:
    """The two series in date order, and the days that they share."""
    published = pd.DataFrame(
        {"cases": {row.date: row.cases for row in cases.values()}}
        | {"deaths": {row.date: row.deaths for row in cases.values()}},
        dtype="Int64",
    ).sort_index()
    recovered = pd.Series(
        {row.date: row.recovered for row in recoveries.values()}, dtype="Int64"
    ).sort_index()
    positive_before = recovered.fillna(0).cummax().shift(fill_value=0) > 0
    recovered = recovered.mask((recovered.fillna(0) == 0) & positive_before)
    both = published.join(recovered.rename("recovered"), how="inner").astype(object)
    return Published(
        cases={date: cases[date] for date in sorted(cases)},
        recoveries={
            date: RecoveriesRow(date, None if count is pd.NA else int(count))
            for date, count in zip(recovered.index, recovered.astype(object), strict=True)
        },
        days=tuple(
            Day(date, Counts(cases, deaths, None if recovered is pd.NA else recovered))
            for date, cases, deaths, recovered in both.itertuples()
        ),
        lines=lines,
    )


def _rows(
    source: str,
    payload: bytes,
    schema: Schema,
    today: dt.date,
    reasons: list[Reason],
    first_seen: dict[dt.date, int],
) -> dict[dt.date, Any]:
    """The file's U.S. rows by date, in the file's order; what is wrong with it is added to ``reasons``, and
    the line where each date is first to ``first_seen``."""
    found: dict[dt.date, Any] = {}
    before = len(reasons)
    payload = payload.removeprefix(BOM)
    try:
        header = _header(source, payload)
        _check_columns(source, header, schema)
        _check_end(source, payload, len(header))
    except SourceRefused as refusal:
        reasons.extend(refusal.reasons)
        return found
    lines = _all_lines(payload) if source == "nyt" else _country_lines(payload, _country_column(header))
    date_column = header.index(schema.fields["date"].data_key or "date")
    for number, cells in lines:
        if isinstance(cells, str):
            reasons.append(Reason(source, "is not a line of CSV", number, value=cells))
            continue
        date = cells[date_column] or None if date_column < len(cells) else None
        if len(cells) != len(header):
            reasons.append(Reason(source, f"has {_fields(len(cells), len(header))}", number, date))
            continue
        texts = dict(zip(header, cells, strict=True))
        try:
            row: Any = schema.load(texts)
        except ValidationError as error:
            for field, problems in error.normalized_messages().items():
                reasons.append(Reason(source, "; ".join(problems), number, date, field, texts[field]))
            continue
        if row.date > today:
            problem = f"lies after the run's date, {today}"
            reasons.append(Reason(source, problem, number, date, header[date_column], date))
        elif row.date not in found:
            found[row.date] = row
            first_seen[row.date] = number
        elif row != found[row.date]:
            problem = f"comes twice with other values: see row {first_seen[row.date]}"
            reasons.append(Reason(source, problem, number, date, header[date_column], date))
    if not found and len(reasons) == before:
        reasons.append(Reason(source, "has no row for the U.S."))
    return found


def _check_columns(source: str, header: list[str], schema: Schema) -> None:
    """Raises SourceRefused for columns that are missing or come twice."""
    needed = [field.data_key or name for name, field in schema.fields.items()]
    missing = [name for name in needed if name not in header]
    if source == "jhu" and _country_column(header) == -1:
        missing.append(COUNTRY_COLUMNS[0])
    reasons = [Reason(source, "is missing", 1, field=name) for name in missing]
    reasons += [
        Reason(source, "comes twice", 1, field=name)
        for name in dict.fromkeys(header)
        if header.count(name) > 1
    ]
    if reasons:
        shown = ",".join(header)
        raise SourceRefused(
            [Reason(source, "is not the header that is known here", 1, value=shown), *reasons]
        )


def _header(source: str, payload: bytes) -> list[str]:
    """The columns' names. Raises SourceRefused where the whole is no text, or no table."""
    if b"\0" in payload:
        problem = "is not text: it holds NUL bytes"
        raise SourceRefused([Reason(source, problem, *_line_at(payload, payload.index(b"\0")))])
    try:
        payload.decode()
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text: {error.reason} at byte {error.start}"
        raise SourceRefused([Reason(source, problem, *_line_at(payload, error.start))]) from error
    if not payload.strip():
        raise SourceRefused([Reason(source, "is empty")])
    first, _, _ = payload.partition(b"\n")
    header = _cells(first.rstrip(b"\r"))
    if isinstance(header, str) or len(header) < 2:
        raise SourceRefused([Reason(source, "is not a CSV file", 1, value=first.decode().rstrip("\r"))])
    return header


def _check_end(source: str, payload: bytes, columns: int) -> None:
    """Raises SourceRefused where the last line, the U.S.'s or not, is cut off."""
    whole = payload.rstrip()
    last = whole.rpartition(b"\n")[2]
    cells = _cells(last)
    if isinstance(cells, list) and len(cells) < columns:
        problem = f"is cut off: it has {_fields(len(cells), columns)}"
        raise SourceRefused([Reason(source, problem, whole.count(b"\n") + 1, value=last.decode())])


def _country_column(header: list[str]) -> int:
    """Where the country's name is; -1 where it isn't."""
    return next((header.index(name) for name in COUNTRY_COLUMNS if name in header), -1)


def _all_lines(payload: bytes) -> Iterator[tuple[int, list[str] | str]]:
    for number, line in enumerate(payload.rstrip().split(b"\n")[1:], start=2):
        yield number, _cells(line.rstrip(b"\r"))


def _country_lines(payload: bytes, column: int) -> Iterator[tuple[int, list[str] | str]]:
    """The lines whose country is the U.S.; a line that holds its name but can't be split is one of them."""
    needle = COUNTRY.encode()
    number, counted = 1, 0
    position = payload.find(needle, payload.find(b"\n") + 1)
    while position != -1:
        start = payload.rfind(b"\n", 0, position) + 1
        end = payload.find(b"\n", position)
        end = len(payload) if end == -1 else end
        cells = _cells(payload[start:end].rstrip(b"\r"))
        if isinstance(cells, str) or COUNTRY in cells[column : column + 1]:
            number += payload.count(b"\n", counted, start)
            counted = start
            yield number, cells
        position = payload.find(needle, end)


def _cells(line: bytes) -> list[str] | str:
    """A line's cells, or its text where quotes are amiss."""
    text = line.decode()
    if '"' not in text:
        return text.split(",")
    try:
        return next(csv.reader([text], strict=True))
    except csv.Error:
        return text


def _line_at(payload: bytes, position: int) -> tuple[int, str | None, str | None, str]:
    """A reason's row, date, field and value for a byte that is no text: its line's number and content."""
    start = payload.rfind(b"\n", 0, position) + 1
    line = payload[start:].partition(b"\n")[0]
    return payload.count(b"\n", 0, position) + 1, None, None, line.decode("latin-1")


def _fields(found: int, expected: int) -> str:
    return f"{found} field{'' if found == 1 else 's'} instead of {expected}"
