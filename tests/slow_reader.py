"""What two published files say, read character by character: the contract, read a second time.

Nothing of it is the project's, so that what the project makes of mutated files can be held to it.
"""

import datetime as dt

MOST = 10**9
DIGITS = set("0123456789")
BLANK = set(" \t\r\v\f")
NYT, COUNTRY, JHU = (
    ("date", "cases", "deaths"),
    ("Country", "Country/Region"),
    ("Date", "Confirmed", "Recovered", "Deaths"),
)

Days = dict[dt.date, tuple[int, int, int | None]]


class Malformed(Exception):
    """The file is not what it should be; the first thing that is wrong with it."""


def days(nyt: bytes, jhu: bytes, today: dt.date) -> Days:
    """{date: (cases, deaths, recovered)} of the dates that both have. Raises Malformed."""
    cases, recoveries = of_nyt(nyt, today), of_jhu(jhu, today)
    reported = False
    for date in sorted(recoveries):
        if recoveries[date] == 0 and reported:
            recoveries[date] = None
        reported = reported or bool(recoveries[date])
    both = {date: (*cases[date], recoveries[date]) for date in sorted(cases) if date in recoveries}
    if not both:
        raise Malformed("no date in common")
    return both


def of_nyt(payload: bytes, today: dt.date) -> dict[dt.date, tuple[int, int]]:
    found: dict[dt.date, tuple[int, int]] = {}
    header, rows = table(payload)
    places = [place(header, name) for name in NYT]
    for cells in rows:
        if cells is None or len(cells) != len(header):
            raise Malformed(f"not a row of {len(header)} cells: {cells}")
        date = a_date(cells[places[0]], today)
        counts = (a_count(cells[places[1]]), a_count(cells[places[2]]))
        if counts[1] > counts[0]:
            raise Malformed(f"more deaths than cases: {counts}")
        if found.setdefault(date, counts) != counts:
            raise Malformed(f"{date} twice")
    return found


def of_jhu(payload: bytes, today: dt.date) -> dict[dt.date, int | None]:
    found: dict[dt.date, int | None] = {}
    header, rows = table(payload)
    places = [place(header, name) for name in JHU]
    country = next((header.index(name) for name in COUNTRY if name in header), None)
    if country is None:
        raise Malformed("no country")
    for cells in rows:
        if cells is None:
            raise Malformed("a line that names the U.S., and can't be split")
        if country >= len(cells) or cells[country] != "US":
            continue
        if len(cells) != len(header):
            raise Malformed(f"not a row of {len(header)} cells: {cells}")
        date = a_date(cells[places[0]], today)
        a_count(cells[places[1]])
        a_count(cells[places[3]])
        recovered = None if cells[places[2]] == "" else a_count(cells[places[2]])
        if found.setdefault(date, recovered) != recovered:
            raise Malformed(f"{date} twice")
    return found


def table(payload: bytes) -> tuple[list[str], list[list[str] | None]]:
    """The header, and the lines behind it as cells; None for one that can't be split. What is not of the
    U.S. in Johns Hopkins' file may be anything, so there only lines that hold its name are given."""
    if b"\0" in payload:
        raise Malformed("NUL")
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        raise Malformed("no UTF-8") from error
    lines = text.removeprefix("\ufeff").split("\n")
    while lines and set(lines[-1]) <= BLANK:
        del lines[-1]
    stripped = [without_returns(line) for line in lines]
    if not lines:
        raise Malformed("empty")
    header = cells_of(stripped[0])
    if header is None or len(set(header)) != len(header) or len(header) < 2:
        raise Malformed(f"header {stripped[0]}")
    last = cells_of(stripped[-1])
    if last is None or len(last) < len(header):
        raise Malformed(f"cut off: {stripped[-1]}")
    of_interest = [line for line in stripped[1:] if "date" in header or "US" in line]
    return header, [cells_of(line) for line in of_interest]


def without_returns(line: str) -> str:
    while line.endswith("\r"):
        line = line[:-1]
    return line


def cells_of(line: str) -> list[str] | None:
    """The cells between commas; one in quotes may hold commas, and a quote written twice. None where quotes
    are amiss, or a carriage return is within the line."""
    if "\r" in line:
        return None
    cells, at = [], 0
    while True:
        if line[at : at + 1] == '"':
            cell, at = "", at + 1
            while True:
                if at >= len(line):
                    return None  # the quote never ends
                if line[at] != '"':
                    cell, at = cell + line[at], at + 1
                elif line[at : at + 2] == '""':
                    cell, at = cell + '"', at + 2
                else:
                    at += 1
                    break
            if at < len(line) and line[at] != ",":
                return None  # something behind the closing quote
        else:
            cell = ""
            while at < len(line) and line[at] != ",":
                cell, at = cell + line[at], at + 1
        cells.append(cell)
        if at >= len(line):
            return cells
        at += 1


def place(header: list[str], name: str) -> int:
    if name not in header:
        raise Malformed(f"no column {name}")
    return header.index(name)


def a_date(text: str, today: dt.date) -> dt.date:
    digits = text[:4] + text[5:7] + text[8:]
    if len(text) != 10 or text[4] + text[7] != "--" or not set(digits) <= DIGITS:
        raise Malformed(f"no date: {text!r}")
    try:
        found = dt.date(int(text[:4]), int(text[5:7]), int(text[8:]))
    except ValueError as error:
        raise Malformed(f"no date: {text!r}") from error
    if not dt.date(1970, 1, 1) <= found <= today:
        raise Malformed(f"no date for us: {text}")
    return found


def a_count(text: str) -> int:
    whole, point, zeros = text.partition(".")
    if not whole or len(whole) > 10 or not set(whole) <= DIGITS:
        raise Malformed(f"no count: {text!r}")
    if point and (not zeros or set(zeros) != {"0"}):
        raise Malformed(f"no whole number: {text!r}")
    if int(whole) > MOST:
        raise Malformed(f"too large: {text}")
    return int(whole)
