import datetime as dt
import lzma

import pytest
from builders import day, first_figures, jhu, nyt

from functions.errors import SourceRefused
from functions.transform import transform
from schemas.day import Day
from schemas.figures import Counts

TODAY = dt.date(2020, 3, 10)
GOOD_NYT = nyt("2020-03-01,10,1", "2020-03-02,20,2", "2020-03-03,30,3")
GOOD_JHU = jhu("2020-03-01,0", "2020-03-02,4", "2020-03-03,5")


def published(nyt_file=GOOD_NYT, jhu_file=GOOD_JHU):
    return transform({"nyt": nyt_file, "jhu": jhu_file}, TODAY)


def days(nyt_file=GOOD_NYT, jhu_file=GOOD_JHU):
    return {day.date.isoformat(): first_figures(day.counts) for day in published(nyt_file, jhu_file).days}


def reasons(nyt_file=GOOD_NYT, jhu_file=GOOD_JHU):
    with pytest.raises(SourceRefused) as refusal:
        published(nyt_file, jhu_file)
    return list(map(str, refusal.value.reasons))


def test_a_day_is_a_date_that_both_files_have():
    found = days(nyt("2020-03-01,10,1", "2020-03-02,20,2"), jhu("2020-03-02,4", "2020-03-03,5"))
    assert found == {"2020-03-02": Counts(20, 2, 4)}


def test_a_zero_before_the_first_positive_count_is_a_count_and_one_after_it_is_not_reported():
    found = days(jhu_file=jhu("2020-03-01,0", "2020-03-02,4", "2020-03-03,0"))
    assert [found[date].recovered for date in sorted(found)] == [0, 4, None]


def test_an_empty_recovered_cell_is_not_reported_and_never_zero():
    found = days(jhu_file=jhu("2020-03-01,", "2020-03-02,4", "2020-03-03,"))
    assert [found[date].recovered for date in sorted(found)] == [None, 4, None]


def test_a_count_after_unreported_days_is_a_count_again():
    found = days(jhu_file=jhu("2020-03-01,3", "2020-03-02,0", "2020-03-03,7"))
    assert [found[date].recovered for date in sorted(found)] == [3, None, 7]


def test_every_bad_row_of_both_files_is_told_and_not_just_the_first():
    found = reasons(
        nyt("2020-03-01,abc,1", "2020-03-02,20,-5", "2020-3-3,30,3"), jhu("2020-03-01,1_000", "2020-03-32,4")
    )
    assert found == [
        'nyt, row 2, 2020-03-01, cases: "abc" is not a whole number from 0 to 1,000,000,000',
        'nyt, row 3, 2020-03-02, deaths: "-5" is not a whole number from 0 to 1,000,000,000',
        'nyt, row 4, date: "2020-3-3" is not a date written YYYY-MM-DD',
        'jhu, row 3, 2020-03-01, Recovered: "1_000" is not a whole number from 0 to 1,000,000,000',
        'jhu, row 4, Date: "2020-03-32" is not a date written YYYY-MM-DD',
    ]


def test_where_each_date_is_in_its_file_is_known():
    lines = published().lines
    assert {source: list(found.values()) for source, found in lines.items()} == {
        "nyt": [2, 3, 4],
        "jhu": [3, 4, 5],
    }


def test_days_and_rows_come_oldest_first_whatever_the_order_of_the_files():
    found = published(
        nyt("2020-03-03,30,3", "2020-03-01,10,1", "2020-03-02,20,2"),
        jhu("2020-03-02,4", "2020-03-03,0", "2020-03-01,0"),
    )
    days = tuple(Day(day.date, first_figures(day.counts)) for day in found.days)
    assert days == (day(1, 10, 1, 0), day(2, 20, 2, 4), day(3, 30, 3, None))
    assert found.newest == dt.date(2020, 3, 3)
    for rows in found.rows.values():
        assert list(rows) == [day.date for day in found.days]


def test_a_count_that_was_taken_back_is_none_among_the_source_s_own_rows_too():
    rows = published(jhu_file=jhu("2020-03-01,0", "2020-03-02,4", "2020-03-03,0")).rows["jhu"]
    assert [row.recovered for row in rows.values()] == [0, 4, None]


def test_files_without_a_date_in_common_are_refused():
    (found,) = reasons(nyt("2020-03-01,10,1"), jhu("2020-03-02,4"))
    assert found == "jhu: and nyt have no date in common"


def test_both_files_are_read_before_either_is_refused():
    found = reasons(b"", b"<html>")
    assert [reason.split(":")[0].split(",")[0] for reason in found] == ["nyt", "jhu"]


@pytest.mark.data
@pytest.mark.parametrize("name", ["jhu_combined", "jhu_countries_aggregated"])
def test_the_real_files_of_each_layout_are_read_whole(data, name):
    recoveries = lzma.decompress((data / "full" / f"{name}.csv.xz").read_bytes())
    files = {"nyt": (data / "full" / "nyt_us.csv").read_bytes(), "jhu": recoveries}
    published = transform(files, dt.date(2020, 12, 31))
    assert (len(published.days), len(published.rows["nyt"]), len(published.rows["jhu"])) == (344, 345, 344)
    assert published.days[-1].counts.recovered is None
    reported = [day for day in published.days if day.counts.recovered is not None]
    assert reported[-1].date == dt.date(2020, 12, 13)
