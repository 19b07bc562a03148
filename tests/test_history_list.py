"""The list of the sources' public history: which file a date's run reads."""

import datetime as dt

import pytest

from functions import history
from functions.errors import RequestRefused

BASE = "https://raw.githubusercontent.com"


def test_it_covers_311_days_without_a_gap():
    dates = history.dates()
    assert (dates[0], dates[-1], len(dates)) == (dt.date(2020, 9, 2), dt.date(2021, 7, 9), 311)


def test_a_date_reads_of_each_source_the_newest_file_of_before_its_noon():
    assert history.addresses(dt.date(2020, 9, 3), BASE + "/")["nyt"] == (
        f"{BASE}/nytimes/covid-19-data/30837c4ca60ca828c345726b5fd2fe19c16516e2/us.csv"
    )


def test_what_was_published_after_noon_is_the_next_day_s(tmp_path, monkeypatch):
    rows = [
        f"2020-09-0{day}T{time}Z,{source},o/r,{day}{source},f"
        for day, time, source in (
            (1, "11:59:59", "nyt"),
            (1, "12:00:01", "jhu"),
            (2, "12:00:00", "nyt"),
            (3, "12:00:01", "nyt"),
        )
    ]
    path = tmp_path / "history.csv"
    path.write_text("\n".join(["published_at,source,repository,commit,path", *rows]))
    monkeypatch.setattr(history, "LIST", path)
    assert [date.day for date in history.dates()] == [2, 3, 4]
    assert history.addresses(dt.date(2020, 9, 2), "b") == {"nyt": "b/o/r/2nyt/f", "jhu": "b/o/r/1jhu/f"}
    assert history.addresses(dt.date(2020, 9, 3), "b") == {"nyt": "b/o/r/2nyt/f", "jhu": "b/o/r/1jhu/f"}


def test_a_package_without_the_list_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(history, "LIST", tmp_path / "history.csv")
    with pytest.raises(RequestRefused, match="the list of the public history is missing from this package"):
        history.dates()
