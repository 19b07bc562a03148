"""What may be wrong with a file's content, beyond what test_transform and test_bad_input try: each with its
declared outcome."""

import base64
import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from source_faults import (
    DAYS,
    FILES,
    GOOD,
    MALFORMED,
    NEW,
    NYT_HEADER,
    STORED,
    TAKEN,
    UNBELIEVABLE,
    WARNED,
    Figures,
    counts,
    date,
    jhu_file,
    nyt_file,
    others,
    text,
)

from schemas.figures import Counts

NO_COUNT = "is not a whole number from 0 to 1,000,000,000"
NO_DATE = "is not a date written YYYY-MM-DD"
OTHER_HEADER = "is not the header that is known here"
NO_CSV = "is not a CSV file"
NO_TEXT = "is not text"
NO_UTF_8 = "is not UTF-8 text"
NO_US = "has no row for the U.S."
TWICE = "comes twice with other values"
LOST = "is acknowledged, and missing from the file"
NEWEST = date(DAYS)


@dataclass(frozen=True)
class Content:
    """Other files than the good ones, what must come of them, what must be told, what would be entered."""

    files: dict[str, bytes]
    outcome: str
    told: str = ""
    pending: Figures | None = None  # None: nothing where refused, the five good days where taken


def lines(source: str) -> list[str]:
    return FILES[source].decode().splitlines()


def place(source: str, day: int) -> int:
    """Where a day of the U.S. is among the lines, counted from 0, the header's."""
    return day + (DAYS if source == "jhu" else 0)


def row(source: str, line: str | bytes, day: int = DAYS) -> dict[str, bytes]:
    """The file with another line for a day."""
    found: list[bytes] = [old.encode() for old in lines(source)]
    found[place(source, day)] = line.encode() if isinstance(line, str) else line
    return {source: b"".join(old + b"\n" for old in found)}


def dated(source: str, written: str, day: int = DAYS) -> dict[str, bytes]:
    """The file in which a day's date is written so."""
    return row(source, lines(source)[place(source, day)].replace(str(date(day)), written), day)


def counting(source: str, written: str) -> dict[str, bytes]:
    """The file whose newest count, of cases or of recoveries, is written so."""
    found = counts(DAYS)
    if source == "nyt":
        return row(source, f"{NEWEST},{written},{found.deaths}")
    return row(source, f"{NEWEST},US,{found.cases},{written},{found.deaths}")


def no_date(source: str, written: str, day: int = DAYS) -> Content:
    return Content(dated(source, written, day), MALFORMED, NO_DATE)


def no_count(source: str, written: str) -> Content:
    return Content(counting(source, written), MALFORMED, NO_COUNT)


def whole(source: str, change: Callable[[bytes], bytes], outcome: str, told: str = "") -> Content:
    """The file with all of its bytes changed somehow."""
    return Content({source: change(FILES[source])}, outcome, told)


def each(source: str, change: Callable[[str], str], outcome: str, told: str = "") -> Content:
    """The file with every line changed."""
    return Content({source: text([change(line) for line in lines(source)])}, outcome, told)


def zipped(payload: bytes) -> bytes:
    with zipfile.ZipFile(found := io.BytesIO(), "w") as archive:
        archive.writestr(zipfile.ZipInfo("us.csv"), payload)
    return found.getvalue()


def scaled(numerator: int, denominator: int) -> Figures:
    """All of the record's counts so much larger."""
    return {
        day: Counts(
            *(value * numerator // denominator for value in (found.cases, found.deaths, found.recovered or 0))
        )
        for day, found in GOOD.items()
    }


def daily() -> Figures:
    """What came anew on each day, where the sum is expected."""
    days = list(GOOD)
    return {
        day: Counts(
            GOOD[day].cases - GOOD[before].cases,
            GOOD[day].deaths - GOOD[before].deaths,
            (GOOD[day].recovered or 0) - (GOOD[before].recovered or 0),
        )
        for before, day in pairwise(days)
    }


def without(*days: int) -> Figures:
    return {day: found for day, found in GOOD.items() if day not in {date(number) for number in days}}


def both(days: Figures) -> dict[str, bytes]:
    return {"nyt": nyt_file(days), "jhu": jhu_file(days)}


COMBINED = "Date,Country/Region,Province/State,Confirmed,Recovered,Deaths"
BY_PROVINCE = [
    f"{day},US,{name},{found.cases // 2},{(found.recovered or 0) // (1 + number)},{found.deaths // 2}"
    for number, name in enumerate(("Guam", "Ohio"))
    for day, found in GOOD.items()
]
STATES = text(
    ["date,state,fips,cases,deaths"]
    + [
        f"{day},{name},0{n},{found.cases // n},{found.deaths // n}"
        for day, found in GOOD.items()
        for n, name in ((1, "Ohio"), (2, "Guam"))
    ]
)
AVERAGES = text(
    ["date,geoid,cases,cases_avg,cases_avg_per_100k,deaths,deaths_avg,deaths_avg_per_100k"]
    + [f"{day},USA,{100 * number},90.29,0.03,{number},1.00,0.00" for number, day in enumerate(GOOD)]
)
WORLD = text(
    [
        "date,confirmed,recovered,deaths",
        *(f"{day},{c.cases},{c.recovered},{c.deaths}" for day, c in GOOD.items()),
    ]
)
SMALL_FALL = replace(counts(DAYS), cases=counts(DAYS - 1).cases - 100)

DATES: dict[str, Content] = {
    f"a date written {name or ascii(written)} in {source}": no_date(source, written)
    for source, written, name in (
        ("nyt", "2020-W11-3", ""),
        ("jhu", "2020-W11", ""),
        ("nyt", "2020-070", "as the day of the year"),
        ("jhu", "43900", "as a spreadsheet counts days"),
        ("nyt", "1583798400", "as seconds since 1970"),
        ("nyt", "2020/03/11", ""),
        ("jhu", "03-11-2020", ""),
        ("nyt", "2020.03.11", ""),
        ("nyt", "2020-3-11", ""),
        ("jhu", "20-03-11", ""),
        ("nyt", "2020-03-11T00:00:00", ""),
        ("jhu", "2020-03-11 00:00:00", ""),
        ("nyt", "2020-03-11Z", ""),
        ("jhu", "11-Mar-20", ""),
        ("nyt", "March 11", ""),
        ("nyt", "0000-00-00", ""),
        ("jhu", "1969-12-31", "before anything can be stored"),
        ("nyt", "2019-02-29", "as a leap day of a common year"),
        ("nyt", "2020-03-1１", "with a fullwidth digit"),
        ("jhu", "2020–03–11", "with dashes"),
        ("nyt", "2020‐03‐11", "with hyphens of Unicode's"),
        ("nyt", "\ufeff2020-03-11", "behind a BOM"),
        ("jhu", "2020-03-11\u200b", "before a space without width"),
        ("nyt", "\u00a02020-03-11", "behind a space that doesn't break"),
        ("jhu", "-2020-03-11", ""),
        ("nyt", "2020-03-11'", ""),
        ("nyt", "NaT", ""),
        ("jhu", "null", ""),
        ("nyt", "TODAY()", ""),
    )
}

COUNTS: dict[str, Content] = {
    f"a count written {name or ascii(written)} in {source}": no_count(source, written)
    for source, written, name in (
        ("jhu", "NaN", ""),
        ("nyt", "nan", ""),
        ("jhu", "1e3", ""),
        ("nyt", "1.6e5", ""),
        ("jhu", str(2**63), "2^63"),
        ("nyt", str(2**64 + 161_000), "2^64 and more"),
        ("nyt", str(2**31 - 1), "2^31 - 1"),
        ("nyt", "inf", ""),
        ("jhu", "-0", ""),
        ("nyt", "+161000", ""),
        ("nyt", "0x274E8", ""),
        ("nyt", '"161,000"', "with a comma for thousands"),
        ("jhu", "161 000", "with a space for thousands"),
        ("nyt", "161\u202f000", "with a narrow space for thousands"),
        ("nyt", "161'000", "with an apostrophe for thousands"),
        ("jhu", "161.000.0", ""),
        ("nyt", "161000.", ""),
        ("nyt", ".0", ""),
        ("jhu", "161000.01", ""),
        ("nyt", "161000%", ""),
        ("nyt", "161k", ""),
        ("jhu", "161000 ", "with a space behind it"),
        ("nyt", "\t161000", "with a tab before it"),
        ("nyt", "\u2212161000", "with Unicode's minus"),
        ("jhu", "１６１０００", "with fullwidth digits"),
        ("nyt", "१६१०००", "with Devanagari digits"),
        ("nyt", "16100\u00b2", "with a square"),
        ("jhu", "161\u200b000", "with a space without width"),
        ("nyt", "#REF!", ""),
        ("jhu", "#N/A", ""),
        ("nyt", "=SUM(B2:B40)", ""),
        ("nyt", "TRUE", ""),
        ("jhu", "None", ""),
        ("nyt", "null", ""),
        ("jhu", "-", ""),
        ("nyt", "n/a", ""),
        ("nyt", "161000 (est.)", ""),
        ("nyt", "<b>161000</b>", ""),
        ("jhu", "O", "with the letter O"),
        ("nyt", "0" * 11 + "161000", "with more zeros than a count has digits"),
    )
}

ROWS: dict[str, Content] = {
    "the header again in the middle": Content(
        row("nyt", f"{NYT_HEADER}\n{lines('nyt')[-1]}"), MALFORMED, f'"date" {NO_DATE}'
    ),
    "the whole file twice, header and all": whole(
        "nyt", lambda file: file * 2, MALFORMED, f'"date" {NO_DATE}'
    ),
    "the rows twice, the header once": whole("nyt", lambda file: file + file[file.index(b"\n") + 1 :], TAKEN),
    "a conflict of versions left in the file": whole(
        "nyt",
        lambda file: file + b"<<<<<<< HEAD\n2020-03-11,1,1\n=======\n>>>>>>> master\n",
        MALFORMED,
        "is cut off",
    ),
    "a conflict of versions left in the middle": Content(
        row("nyt", f"<<<<<<< HEAD\n{lines('nyt')[-1]}\n======="), MALFORMED, "has 1 field instead of 3"
    ),
    "a comment before the header": whole(
        "nyt", lambda file: b"# Updated daily, by hand\n" + file, MALFORMED, OTHER_HEADER
    ),
    "a comment among the rows": Content(
        row("nyt", f"# revised\n{lines('nyt')[-1]}"), MALFORMED, "has 1 field"
    ),
    "a blank line before the header": whole("jhu", lambda file: b"\n" + file, MALFORMED, NO_CSV),
    "a title before the header": whole("jhu", lambda file: b"COVID-19,,,,\n" + file, MALFORMED, OTHER_HEADER),
    "a total at the end": whole(
        "nyt", lambda file: file + b"Total,161000,3220\n", MALFORMED, f'"Total" {NO_DATE}'
    ),
    "a note at the end": whole("jhu", lambda file: file + b"Source: JHU CSSE\n", MALFORMED, "is cut off"),
    "a DOS end-of-file sign": whole("nyt", lambda file: file + b"\x1a", MALFORMED, "is cut off"),
    "a form feed at the end": whole("nyt", lambda file: file + b"\x0c\n", TAKEN),
    "lines that end with CR alone": whole("nyt", lambda file: file.replace(b"\n", b"\r"), MALFORMED, NO_CSV),
    "rows that end with CR alone": Content(
        {"nyt": FILES["nyt"].replace(b"\n", b"\r").replace(b"\r", b"\n", 1)},
        MALFORMED,
        "is not a line of CSV",
    ),
    "lines that end with LF CR": whole(
        "nyt", lambda file: file.replace(b"\n", b"\n\r"), MALFORMED, "is not a line of CSV"
    ),
    "two rows glued by a CR, the U.S.'s behind another's": whole(
        "jhu",
        lambda file: file.replace(b"\n2020-02-01,US", b"\r2020-02-01,US"),
        MALFORMED,
        "is not a line of CSV",
    ),
    "a last line that is cut off within quotes": whole(
        "jhu", lambda file: file[: file.rindex(b" North")], MALFORMED, "is not a line of CSV"
    ),
    "a space behind the last figure": whole("nyt", lambda file: file.rstrip() + b" \n", MALFORMED, NO_COUNT),
    "line ends of two kinds": whole("jhu", lambda file: file.replace(b"\n", b"\r\n", 60), TAKEN),
    "a line separator of Unicode's between two rows": Content(
        row("nyt", lines("nyt")[-1] + "\u2028" + lines("nyt")[-1]), MALFORMED, "has 5 fields instead of 3"
    ),
    "the lines glued together": Content(
        row("nyt", lines("nyt")[-1] + lines("nyt")[-2]), MALFORMED, "has 5 fields instead of 3"
    ),
    "a comma at the end of every row but the header": Content(
        {"nyt": text([NYT_HEADER, *(f"{line}," for line in lines("nyt")[1:])])},
        MALFORMED,
        "has 4 fields instead of 3",
    ),
    "a comma at the end of every line": each("nyt", lambda line: f"{line},", TAKEN),
    "an index column without a name": each(
        "jhu", lambda line: f",{line}" if "Date" in line else f"0,{line}", TAKEN
    ),
    "every cell in quotes": each(
        "nyt", lambda line: ",".join(f'"{cell}"' for cell in line.split(",")), TAKEN
    ),
    "a header in quotes behind a BOM": whole(
        "nyt", lambda file: b"\xef\xbb\xbf" + file.replace(b"date", b'"date"', 1), TAKEN
    ),
    "a BOM twice": whole("nyt", lambda file: b"\xef\xbb\xbf" * 2 + file, MALFORMED, "date: is missing"),
    "spaces behind the commas": each("nyt", lambda line: line.replace(",", ", "), MALFORMED, OTHER_HEADER),
    "spaces behind the commas of the rows": Content(
        {"jhu": FILES["jhu"].replace(b",", b", ").replace(b", ", b",", 4)}, MALFORMED, NO_US
    ),
    "a space before a column's name": whole(
        "nyt", lambda file: file.replace(b",cases", b", cases", 1), MALFORMED, OTHER_HEADER
    ),
    "names of columns in capitals": whole(
        "nyt", lambda file: file.replace(b"cases", b"CASES", 1), MALFORMED, "cases: is missing"
    ),
    "tabs for commas": whole("nyt", lambda file: file.replace(b",", b"\t"), MALFORMED, NO_CSV),
    "strokes for commas": whole("jhu", lambda file: file.replace(b",", b"|"), MALFORMED, NO_CSV),
    "a quote that opens in one row and closes in the next": Content(
        row("nyt", f'{date(DAYS - 1)},"1,2\n{NEWEST},3",4'), MALFORMED, "is not a line of CSV"
    ),
    "a row in quotes as a whole": Content(
        row("nyt", f'"{lines("nyt")[-1]}"\n{lines("nyt")[-1]}'), MALFORMED, "has 1 field"
    ),
    "text behind a closing quote": Content(
        row("nyt", f'{NEWEST},"161000"0,3220'), MALFORMED, "is not a line of CSV"
    ),
    "quotes within quotes": Content(row("nyt", f'{NEWEST},"161""000",3220'), MALFORMED, NO_COUNT),
    "a date in quotes": Content(dated("jhu", f'"{NEWEST}"'), TAKEN),
    "a count with zeros before it": Content(counting("nyt", "00161000"), TAKEN),
    "a count with a decimal's zeros": Content(counting("jhu", f"{counts(DAYS).recovered}.000000"), TAKEN),
    "a row again, written otherwise": Content(
        row("nyt", f'{lines("nyt")[-1]}\n"{NEWEST}",0161000,3220.0'), TAKEN
    ),
    "a row again, one case more": Content(
        row("nyt", f"{lines('nyt')[-1]}\n{NEWEST},161001,3220"), MALFORMED, TWICE
    ),
    "the values of a row turned": Content(row("nyt", f"161000,{NEWEST},3220"), MALFORMED, NO_DATE),
    "a negative correction": Content(counting("nyt", "-161000"), MALFORMED, NO_COUNT),
}

OTHER_FILES: dict[str, Content] = {
    "UTF-16 without a BOM": whole("nyt", lambda file: file.decode().encode("utf-16-be"), MALFORMED, NO_TEXT),
    "UTF-32": whole("jhu", lambda file: file.decode().encode("utf-32"), MALFORMED, NO_TEXT),
    "EBCDIC": whole("nyt", lambda file: file.decode().encode("cp500"), MALFORMED, NO_UTF_8),
    "UTF-8 written twice": Content(
        {"jhu": FILES["jhu"] + "2020-03-11,Cote d\u00c3\u00b4r,1,1,1\n".encode()}, TAKEN
    ),
    "half a character at the end": whole(
        "jhu", lambda file: file + b"2020-03-11,\xe2\x82", MALFORMED, NO_UTF_8
    ),
    "an overlong character": Content(row("nyt", b"2020-03-11,16\xc0\xb1000,3220"), MALFORMED, NO_UTF_8),
    "half of a surrogate pair": Content(row("nyt", b"2020-03-11,\xed\xa0\x80,3220"), MALFORMED, NO_UTF_8),
    "Base64": whole("nyt", base64.b64encode, MALFORMED, NO_CSV),
    "a zip file": whole("nyt", zipped, MALFORMED, NO_TEXT),
    "an xz file": whole("jhu", lzma.compress, MALFORMED, NO_TEXT),
    "a bzip2 file": whole("nyt", bz2.compress, MALFORMED),
    "a zlib stream": whole("jhu", zlib.compress, MALFORMED),
    "a PDF": Content({"nyt": b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n"}, MALFORMED, NO_UTF_8),
    "a picture": Content({"jhu": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"}, MALFORMED, NO_TEXT),
    "Parquet": Content({"nyt": b"PAR1\x15\x04\x15\x80PAR1"}, MALFORMED, NO_UTF_8),
    "JSON lines": Content({"nyt": b'{"date":"2020-03-11","cases":161000,"deaths":3220}\n'}, MALFORMED),
    "a JSON array of rows": Content(
        {"nyt": b'[["date","cases","deaths"],\n["2020-03-11",161000,3220]]\n'}, MALFORMED
    ),
    "XML": Content({"jhu": b"<?xml version='1.0'?>\n<rows><row/></rows>\n"}, MALFORMED, NO_CSV),
    "the words of a missing page": Content({"nyt": b"404: Not Found"}, MALFORMED, NO_CSV),
    "the words of a proxy": Content(
        {"jhu": b"upstream connect error or disconnect/reset before headers"}, MALFORMED, NO_CSV
    ),
    "a patch": Content(
        {"nyt": b"--- a/us.csv\n+++ b/us.csv\n@@ -1,2 +1,3 @@\n date,cases,deaths\n"}, MALFORMED, NO_CSV
    ),
    "a listing of the folder": Content(
        {"jhu": b"us.csv\nus-states.csv\nus-counties.csv\n"}, MALFORMED, NO_CSV
    ),
    "spaces and nothing else": Content({"nyt": b" \t\r\n" * 50}, MALFORMED, "is empty"),
    "a BOM and nothing else": Content({"jhu": b"\xef\xbb\xbf"}, MALFORMED, "is empty"),
    "the file of the states": Content({"nyt": STATES}, MALFORMED, TWICE),
    "the file of averages": Content({"nyt": AVERAGES}, UNBELIEVABLE),
    "the file of the world": Content({"jhu": WORLD}, MALFORMED, "Country: is missing"),
    "the other source's file": Content(
        {"nyt": FILES["jhu"], "jhu": FILES["nyt"]}, MALFORMED, "date: is missing"
    ),
    "one source's file under both addresses": Content({"jhu": FILES["nyt"]}, MALFORMED, "Date: is missing"),
    "a country called U.S.": whole("jhu", lambda file: file.replace(b",US,", b",U.S.,"), MALFORMED, NO_US),
    "a country called us": whole("jhu", lambda file: file.replace(b",US,", b",us,"), MALFORMED, NO_US),
    "a country called USA": whole("jhu", lambda file: file.replace(b",US,", b",USA,"), MALFORMED, NO_US),
    "a country called US and a space": whole(
        "jhu", lambda file: file.replace(b",US,", b",US ,"), MALFORMED, NO_US
    ),
    "the United States, written out": whole(
        "jhu", lambda file: file.replace(b",US,", b",United States,"), MALFORMED, NO_US
    ),
    "the country in quotes": whole("jhu", lambda file: file.replace(b",US,", b',"US",'), TAKEN),
    "provinces of the U.S.": Content({"jhu": text([COMBINED, *BY_PROVINCE])}, MALFORMED, TWICE),
    "a province called US": Content(
        {
            "jhu": text(
                [COMBINED]
                + [f"{day},Atlantis,US,1,1,1" for day in GOOD]
                + [f"{day},US,,{c.cases},{c.recovered},{c.deaths}" for day, c in GOOD.items()]
            )
        },
        TAKEN,
    ),
    "a country that has the name in its own": Content(
        {"jhu": FILES["jhu"] + text(others(GOOD, "AUSTRIA"))}, TAKEN
    ),
    "a country's name in Unicode": Content(
        {"jhu": FILES["jhu"] + text(others(GOOD, "Côte d'Atlantis 🌍"))}, TAKEN
    ),
}

FIGURES: dict[str, Content] = {
    "new cases where the sum is expected": Content(
        both(daily()), UNBELIEVABLE, "is more than 20 % off the acknowledged 1,400"
    ),
    "counts in thousands": Content(both(scaled(1, 1_000)), UNBELIEVABLE, "is more than 20 % off"),
    "counts a thousandfold": Content(both(scaled(1_000, 1)), UNBELIEVABLE, "is more than 20 % off"),
    "every count a quarter more": Content(
        {"nyt": nyt_file(scaled(5, 4))}, UNBELIEVABLE, "is more than 20 % off"
    ),
    "every count a tenth more": Content(
        {"nyt": nyt_file(scaled(11, 10)), "jhu": jhu_file(scaled(11, 10))}, TAKEN, "", scaled(11, 10)
    ),
    "nothing but zeros": Content(both(scaled(0, 1)), UNBELIEVABLE, "is more than 20 % off"),
    "a version a month old": Content(both({day: GOOD[day] for day in list(GOOD)[:10]}), UNBELIEVABLE, LOST),
    "only the newest month": Content(both({day: GOOD[day] for day in list(GOOD)[12:]}), UNBELIEVABLE, LOST),
    "only the newest day": Content(both({NEWEST: GOOD[NEWEST]}), UNBELIEVABLE, LOST),
    "the same file as before": Content(both({day: GOOD[day] for day in list(GOOD)[:STORED]}), TAKEN, "", {}),
    "a count as large as may be": Content(
        counting("nyt", "1000000000"), UNBELIEVABLE, "rises more than fourfold"
    ),
    "recoveries as large as may be": Content(
        counting("jhu", "1000000000.0"), UNBELIEVABLE, "rises more than fourfold"
    ),
    "deaths that outnumber the day before fivefold": Content(
        row("nyt", f"{NEWEST},161000,16000"), UNBELIEVABLE, "rises more than fourfold"
    ),
    "cases up by more than half from 100,000 on": Content(
        counting("nyt", "250000"), UNBELIEVABLE, "rises by more than half"
    ),
    "an old day restated by a tenth": Content(
        row("nyt", f"{date(20)},46000,900", 20),
        WARNED,
        "cases fall on 2020-02-21",
        NEW | {date(20): Counts(46_000, 900, counts(20).recovered)},
    ),
    "cases that fall by a hundredth": Content(
        {"nyt": nyt_file(GOOD | {NEWEST: SMALL_FALL})},
        WARNED,
        f"cases fall on {NEWEST}",
        NEW | {NEWEST: SMALL_FALL},
    ),
    "three days missing in both": Content(
        both(without(37, 38, 39)),
        WARNED,
        "has nothing for 2020-03-08 to 2020-03-10",
        {day: GOOD[day] for day in (date(36), NEWEST)},
    ),
    "a stored day missing in one": Content({"jhu": jhu_file(without(17))}, UNBELIEVABLE, LOST),
    "a new day missing in one": Content(
        {"jhu": jhu_file(without(38))},
        WARNED,
        "only The New York Times has 2020-03-09",
        {day: c for day, c in NEW.items() if day != date(38)},
    ),
    "recoveries that stop": Content(
        {"jhu": jhu_file(GOOD | {day: replace(GOOD[day], recovered=0) for day in NEW})},
        WARNED,
        "has not reported recoveries since 2020-03-07",
        {day: replace(found, recovered=None) for day, found in NEW.items()},
    ),
}

TABLES = {"dates": DATES, "counts": COUNTS, "rows": ROWS, "other files": OTHER_FILES, "figures": FIGURES}
CONTENT: dict[str, Content] = {name: found for table in TABLES.values() for name, found in table.items()}
