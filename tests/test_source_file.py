"""One source's file: bytes to rows, and why a file is malformed."""

import datetime as dt

import pytest
from builders import jhu, nyt

from functions.source_file import MAX_LINE, MAX_ROWS, read_rows
from schemas.published import CasesRow

TODAY = dt.date(2020, 3, 10)
GOOD_NYT = nyt("2020-03-01,10,1", "2020-03-02,20,2", "2020-03-03,30,3")
GOOD_JHU = jhu("2020-03-01,0", "2020-03-02,4", "2020-03-03,5")


def days(nyt_file=GOOD_NYT, jhu_file=GOOD_JHU):
    """The rows of both files, which are good."""
    found = [read_rows("nyt", nyt_file, TODAY), read_rows("jhu", jhu_file, TODAY)]
    assert [read.reasons for read in found] == [(), ()]
    return [dict(read.rows) for read in found]


def reasons(nyt_file=GOOD_NYT, jhu_file=GOOD_JHU):
    found = [read_rows("nyt", nyt_file, TODAY), read_rows("jhu", jhu_file, TODAY)]
    return [str(reason) for read in found for reason in read.reasons]


def first(cases, deaths, date="2020-03-01"):
    """The one row of a file."""
    found = dt.date.fromisoformat(date)
    return {found: CasesRow(found, cases, deaths)}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda file: b"\xef\xbb\xbf" + file, id="BOM"),
        pytest.param(lambda file: file.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(lambda file: file.rstrip(b"\n"), id="no last newline"),
        pytest.param(lambda file: file.rstrip(b"\n") + b"\n\n\n", id="blank lines at the end"),
        pytest.param(
            lambda file: b"\n".join([*file.split(b"\n")[:1], *sorted(file.split(b"\n")[1:], reverse=True)]),
            id="unsorted",
        ),
        pytest.param(
            lambda file: b"\n".join(line + b",more" for line in file.rstrip().split(b"\n")), id="extra column"
        ),
        pytest.param(lambda file: file.replace(b",20,", b",20.0,").replace(b",100,", b",100.00,"), id="12.0"),
        pytest.param(lambda file: file + b"\n" + file.rstrip().split(b"\n")[-2], id="a row repeated"),
    ],
)
def test_what_is_only_written_otherwise_is_the_same_record(change):
    assert days(change(GOOD_NYT), change(GOOD_JHU)) == days()


def test_every_johns_hopkins_layout_gives_the_same_days():
    combined = b"Date,Country/Region,Province/State,Confirmed,Recovered,Deaths\n2020-03-01,US,,100,0,5\n"
    combined += b"2020-03-02,US,,100,4,5\n2020-03-03,US,,100,5,5\n"
    older = b"Date,Country/Region,Province/State,Lat,Long,Confirmed,Recovered,Deaths\n"
    older += b"2020-03-01,US,,40.0,-100.0,100,0.0,5.0\n2020-03-02,US,,40.0,-100.0,100,4.0,5\n"
    older += b"2020-03-03,US,,40.0,-100.0,100,5,5\n"
    assert days(jhu_file=combined) == days(jhu_file=older) == days()


def test_columns_are_found_by_name_in_any_order():
    turned = b"deaths,date,cases\n1,2020-03-01,10\n2,2020-03-02,20\n3,2020-03-03,30\n"
    last = b"Deaths,Recovered,Confirmed,Date,Country\n5,0,100,2020-03-01,US\n5,4,100,2020-03-02,US\n"
    assert days(turned, last + b'5,5,100,2020-03-03,"US"\r\n') == days()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("abc", '"abc" is not a whole number'),
        ("-5", '"-5" is not a whole number'),
        ("", '"" is empty'),
        ("1_000", '"1_000" is not a whole number'),
        (" 5", '" 5" is not a whole number'),
        ("١٢", '"\\u0661\\u0662" is not a whole number'),
        ("1e3", '"1e3" is not a whole number'),
        ("12.5", '"12.5" is not a whole number'),
        ("NaN", '"NaN" is not a whole number'),
        ("1000000001", '"1000000001" is not a whole number'),
        (str(2**63), '"9223372036854775808" is not a whole number'),
        ("9" * 60, f'"{"9" * 40}…" is not a whole number'),
    ],
)
def test_a_count_that_is_none_is_told_with_its_place_and_value(text, problem):
    (found,) = reasons(nyt("2020-03-01,10,1", f"2020-03-02,{text},0"))
    assert found.startswith(f"nyt, row 3, 2020-03-02, cases: {problem}")


@pytest.mark.parametrize(
    "text",
    ["2021-13-45", "3/1/2020", "2020-31-01", "20200301", "2020-W10-1", "2020-03-01 ", "٢٠٢٠-03-01", ""],
)
def test_a_date_that_is_none_is_told(text):
    (found,) = reasons(nyt("2020-03-01,10,1", f"{text},20,2"))
    assert "row 3" in found
    assert "is not a date written YYYY-MM-DD" in found


def test_a_date_after_the_run_is_refused_and_the_run_own_date_is_not():
    (found,) = reasons(nyt("2020-03-01,10,1", "2020-03-11,20,2"))
    assert found == 'nyt, row 3, date: "2020-03-11" lies after the run\'s date, 2020-03-10'
    assert days(nyt("2020-03-10,20,2"))[0] == first(20, 2, "2020-03-10")


def test_a_date_that_comes_twice_with_other_values_is_refused():
    (found,) = reasons(nyt("2020-03-01,10,1", "2020-03-02,20,2", "2020-03-01,11,1"))
    assert found == 'nyt, row 4, date: "2020-03-01" comes twice with other values: see row 2'


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("2020-03-02,abc", '2020-03-02, Recovered: "abc" is not a whole number from 0 to 1,000,000,000'),
        ("2020-03-02,-5", '2020-03-02, Recovered: "-5" is not a whole number from 0 to 1,000,000,000'),
        ("2020-03-02,1_000", '2020-03-02, Recovered: "1_000" is not a whole number from 0 to 1,000,000,000'),
        ("2020-03-02,١", '2020-03-02, Recovered: "\\u0661" is not a whole number from 0 to 1,000,000,000'),
        ("2021-13-45,4", 'Date: "2021-13-45" is not a date written YYYY-MM-DD'),
        ("3/1/2020,4", 'Date: "3/1/2020" is not a date written YYYY-MM-DD'),
        ("2020-03-11,4", 'Date: "2020-03-11" lies after the run\'s date, 2020-03-10'),
        ("2020-03-01,4", 'Date: "2020-03-01" comes twice with other values: see row 3'),
    ],
)
def test_a_bad_row_for_the_us_among_other_countries_is_told_with_its_place_and_value(row, problem):
    (found,) = reasons(jhu_file=jhu("2020-03-01,0", row))
    assert found == f"jhu, row 4, {problem}"


@pytest.mark.parametrize(
    ("row", "column"),
    [(b"2020-03-02,US,,4,5", "Confirmed"), (b"2020-03-02,US,100,4,", "Deaths")],
)
def test_counts_of_johns_hopkins_that_are_not_used_must_be_counts_all_the_same(row, column):
    (found,) = reasons(jhu_file=GOOD_JHU.replace(b"2020-03-02,US,100,4,5", row))
    assert found == f'jhu, row 4, 2020-03-02, {column}: "" is empty'


def test_the_same_date_twice_with_the_same_values_is_one_day():
    assert days(nyt("2020-03-01,10,1", "2020-03-01,10,1"))[0] == first(10, 1)


def test_more_deaths_than_cases_are_refused_as_a_muddle_of_columns():
    (found,) = reasons(nyt("2020-03-01,10,11"))
    assert found == 'nyt, row 2, 2020-03-01, deaths: "11" is more than the 10 cases'


@pytest.mark.parametrize(
    ("row", "problem"),
    [("2020-03-02,20", "has 2 fields instead of 3"), ("2020-03-02,20,2,9", "has 4 fields instead of 3")],
)
def test_a_row_too_short_or_too_long_is_refused(row, problem):
    (found,) = reasons(nyt("2020-03-01,10,1", row, "2020-03-03,30,3"))
    assert found == f"nyt, row 3, 2020-03-02: {problem}"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (b"2020-03-02,US,100,4", "has 4 fields instead of 5"),
        (b"2020-03-02,US,100,4,5,6", "has 6 fields instead of 5"),
    ],
)
def test_a_us_row_too_short_or_too_long_is_refused_wherever_it_is(row, problem):
    (found,) = reasons(jhu_file=GOOD_JHU.replace(b"2020-03-02,US,100,4,5", row))
    assert found == f"jhu, row 4, 2020-03-02: {problem}"


def test_a_blank_line_between_rows_is_a_row_too_short():
    (found,) = reasons(nyt("2020-03-01,10,1", "", "2020-03-03,30,3"))
    assert found == "nyt, row 3: has 1 field instead of 3"


def test_a_stray_quote_is_told_where_it_is_and_swallows_nothing():
    (found,) = reasons(nyt("2020-03-01,10,1", '2020-03-02,"20,2', "2020-03-03,30,3"))
    assert found == 'nyt, row 3: "2020-03-02,\\"20,2" is not a line of CSV'.replace('\\"', '"')
    (found,) = reasons(jhu_file=GOOD_JHU.replace(b"2020-03-02,US", b'2020-03-02,"US'))
    assert found.startswith("jhu, row 4: ")


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"date,cases,deaths\n", "has no row for the U.S."),
        (b"<!DOCTYPE html>\n<html></html>", "is not a CSV file"),
        (b'{"message": "rate limited"}', "is not a CSV file"),
        (b"date,cases,deaths\n2020-03-01,1\x000,1", "NUL"),
        ("date,cases,deaths\n2020-03-01,10,1".encode("utf-16"), "NUL"),
        (b"\x1f\x8b\x08\x08garbage", "is not UTF-8"),
        (b"date,cases,deaths\n2020-03-01,10,1\n2020-03-0", "is cut off"),
        (b"date,kases,deaths\n2020-03-01,10,1", "cases: is missing"),
        (b"date,cases\n2020-03-01,10", "deaths: is missing"),
        (b"date,cases,deaths,cases\n2020-03-01,10,1,10", "cases: comes twice"),
        (b"Date,cases,deaths\n2020-03-01,10,1", "date: is missing"),
        (b"date;cases;deaths\n2020-03-01;10;1", "is not a CSV file"),
        (b"date,cases,deaths\r2020-03-01,10,1\r", "is not a CSV file"),
        (b"date,ca", "is not the header that is known here"),
        (b'<html><meta content="a, b">\n<p>Not found</p>', "is not the header that is known here"),
        (b'{"message": "rate limited", "status": 403}', "is not the header that is known here"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "is not a CSV file"),
    ],
)
def test_what_is_not_the_file_it_should_be_is_refused(payload, problem):
    assert any(problem in found and found.startswith("nyt") for found in reasons(payload))


@pytest.mark.parametrize(
    ("cut", "problem"),
    [(b"2020-03-01,US", "no row for the U.S."), (b",US,100,4", "is cut off")],
)
def test_a_johns_hopkins_file_cut_before_or_in_the_us_rows_is_refused(cut, problem):
    (found,) = reasons(jhu_file=GOOD_JHU[: GOOD_JHU.index(cut) + (len(cut) if cut.startswith(b",") else 0)])
    assert problem in found


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (b"Country", b"Nation", "Country: is missing"),
        (b"Recovered", b"Recoveries", "Recovered: is missing"),
        (b"Recovered", b"Deaths", "Deaths: comes twice"),
        (b"Date", b"date", "Date: is missing"),
    ],
)
def test_a_johns_hopkins_column_renamed_or_repeated_is_refused_with_the_header(old, new, problem):
    found = reasons(jhu_file=GOOD_JHU.replace(old, new, 1))
    assert found[0].startswith('jhu, row 1: "Date,' if old != b"Date" else 'jhu, row 1: "date,')
    assert found[0].endswith("is not the header that is known here")
    assert f"jhu, row 1, {problem}" in found


def test_what_is_no_text_is_told_where_it_is():
    (found,) = reasons(GOOD_NYT.replace(b"20,2", b"2\x00,2"))
    assert found == 'nyt, row 3: "2020-03-02,2\\x00,2" is not text: it holds NUL bytes'
    (found,) = reasons(jhu_file=GOOD_JHU.replace(b"Korea", b"Cor\xe9e"))
    assert found == (
        'jhu, row 6: "2020-03-01,"Cor\\xe9e, South",9,1,0" is not UTF-8 text: '
        f"invalid continuation byte at byte {GOOD_JHU.index(b'Korea') + 3}"
    )


def test_two_lines_that_are_one_are_refused_and_hide_no_day():
    (found,) = reasons(jhu_file=GOOD_JHU.replace(b"\n2020-03-02,US", b"\r2020-03-02,US"))
    assert found == 'jhu, row 3: "2020-03-01,US,100,0,5\\r2020-03-02,US,100…" is not a line of CSV'
    (found,) = reasons(jhu_file=GOOD_JHU.replace(b"\n2020-03-01,US", b"\r2020-03-01,US"))
    assert found == 'jhu, row 2: "2020-03-01,Andorra,1,0,0\\r2020-03-01,US,…" is not a line of CSV'


def test_a_last_line_cut_off_within_quotes_is_told_though_it_is_not_the_us_s():
    (found,) = reasons(jhu_file=GOOD_JHU[: GOOD_JHU.index(b", South")])
    assert found == 'jhu, row 6: "2020-03-01,"Korea" is not a line of CSV'


def test_blanks_behind_the_last_figure_are_not_blank_lines():
    assert days(GOOD_NYT + b"\n \t\n\x0c\n") == days()
    (found,) = reasons(GOOD_NYT + b" \n")
    assert found == 'nyt, row 4, 2020-03-03, deaths: "3 " is not a whole number from 0 to 1,000,000,000'


def test_a_line_longer_than_any_can_be_is_refused_before_it_is_split():
    assert days(nyt("2020-03-01,10," + "1." + "0" * (MAX_LINE - len("2020-03-01,10,1.\n"))) + b"\n")
    (found,) = reasons(GOOD_NYT + b"\n" + b"," * (MAX_LINE + 1))
    assert found == f'nyt, row 5: "{"," * 40}…" is longer than 100,000 bytes'
    (found,) = reasons(jhu_file=GOOD_JHU + b"x" * MAX_LINE + b"\n")
    assert found == f'jhu, row 7: "{"x" * 40}…" is longer than 100,000 bytes'


def test_as_many_us_rows_as_there_may_be_are_read_and_one_more_refuses_the_file():
    rows = ["2020-03-01,10,1"] * MAX_ROWS
    assert days(nyt(*rows))[0] == first(10, 1)
    assert reasons(nyt(*rows, "2020-03-01,10,1")) == ["nyt: has more than 40,000 rows for the U.S."]
    assert len(days(jhu_file=jhu(*["2020-03-01,0"] * MAX_ROWS))[1]) == 1
    found = reasons(jhu_file=jhu(*["2020-03-01,x"] * MAX_ROWS, "2020-03-01,0"))
    assert found == ["jhu: has more than 40,000 rows for the U.S."]


def test_a_character_that_is_cut_in_two_by_how_the_text_is_read_is_one_all_the_same():
    for shift in range(4):
        line = b"2020-03-01," + b"x" * shift + "\U0001f600".encode() * 24_000 + b",1,1,1\n"
        assert days(jhu_file=GOOD_JHU + line * 5) == days()


def test_only_the_us_lines_of_the_other_file_need_to_be_good():
    other = GOOD_JHU.replace(b"Andorra,1,0,0", b"Andorra,x,y,z")
    assert days(jhu_file=other) == days()
    assert days(jhu_file=GOOD_JHU + b"2020-03-05,USSR,q,q,q\n") == days()
