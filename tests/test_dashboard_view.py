"""What a viewer has chosen, to and from the address."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.view import View, chosen, read

DATES = st.none() | st.dates(dt.date(2020, 1, 1), dt.date(2024, 1, 1))
CHOICES = st.builds(
    View,
    show=st.sampled_from(["total", "new", "average"]),
    scale=st.sampled_from(["linear", "log"]),
    per=st.sampled_from(["count", "per100k"]),
    span=st.sampled_from(["", "30", "90", "365"]),
    asof=DATES,
    page=st.integers(1, 9999),
)


def test_the_default_choice_needs_no_query() -> None:
    assert View().query() == ""
    assert read("") == View()


def test_only_what_differs_from_the_default_is_in_the_address() -> None:
    assert View(show="total", asof=dt.date(2020, 9, 2)).query() == "?show=total&asof=2020-09-02"


@given(CHOICES)
def test_the_address_says_the_whole_choice(view: View) -> None:
    assert read(view.query()) == view


@given(st.text())
def test_no_text_is_too_strange_for_an_address(text: str) -> None:
    assert read("?" + text).query() == read(read("?" + text).query()).query()


@pytest.mark.parametrize(
    "search",
    [
        "?show=<script>alert(1)</script>",
        "?show=new'--",
        "?start=2020-13-01",
        "?start=20200901",
        "?start=2020-W40-2",
        "?start=٢٠٢٠-٠٩-٠٢",
        "?asof=0001-01-01",
        "?span=1000000",
        "?page=-1",
        "?page=0",
        "?page=99999999999999999999",
        "?per=count%00",
        "?" + "a=b&" * 1000,
        None,
        7,
    ],
)
def test_a_hostile_address_is_as_if_it_weren_t_there(search: object) -> None:
    assert read(search) == View()


def test_what_can_be_read_of_a_half_hostile_address_is_read() -> None:
    assert read("?show=new&scale=%22%3E&asof=2020-09-02") == View(show="new", asof=dt.date(2020, 9, 2))


def test_of_a_repeated_word_the_first_counts() -> None:
    assert read("?show=new&show=average").show == "new"


def test_dates_take_the_place_of_a_preset() -> None:
    found = chosen({"span": "30", "start": "2020-09-02"})
    assert (found.span, found.start) == ("", dt.date(2020, 9, 2))


def test_dates_stay_as_they_were_typed_outside_the_record_and_in_the_wrong_order() -> None:
    found = read("?start=2031-10-01&end=1999-09-01")
    assert (found.start, found.end) == (dt.date(2031, 10, 1), dt.date(1999, 9, 1))


@pytest.mark.parametrize("year", ["0002", "0020", "0202"])
def test_a_year_that_is_still_being_typed_is_no_date(year: str) -> None:
    assert read(f"?start={year}-06-15") == View()


def test_a_preset_counts_back_from_the_newest_day() -> None:
    first, last = dt.date(2020, 1, 21), dt.date(2020, 12, 29)
    assert View(span="30").within(first, last) == (dt.date(2020, 11, 30), last)
    assert View(span="365").within(first, last) == (first, last)


def test_believed_on_a_date_means_until_that_date_had_ended() -> None:
    moment = View(asof=dt.date(2020, 9, 2)).moment
    assert moment == dt.datetime(2020, 9, 2, 23, 59, 59, 999_000, dt.UTC)
