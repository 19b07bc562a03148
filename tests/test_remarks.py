import datetime as dt

import pytest
from builders import NOON, date, jhu, nyt

from functions.remarks import ENDED_AFTER, MAX_WARNINGS, News, news, of_time, remarks, since
from functions.transform import transform
from schemas.figures import SOURCES
from schemas.ledger import ACCEPTED, Warning

TODAY = NOON.date()


def published(cases, recovered=None, deaths=0):
    """Both files with one row a figure, from the first date on; a figure of None leaves its date out."""
    recovered = [0] * len(cases) if recovered is None else recovered
    files = {
        "nyt": nyt(*(f"{date(n)},{value},{deaths}" for n, value in enumerate(cases, 1) if value is not None)),
        "jhu": jhu(*(f"{date(n)},{value}" for n, value in enumerate(recovered, 1) if value is not None)),
    }
    return transform(files, TODAY)


def codes(found, late=()):
    return {warning.code for warning in remarks(found, TODAY, late)}


def warning(code):
    return Warning(code, f"text of {code}")


def told_of(now, told):
    """Codes that begin, texts that end."""
    found = news([warning(code) for code in now], [warning(code) for code in told])
    return set(found.begun), [text.removeprefix("text of ") for text in found.ended]


# What is worth a remark


def test_a_date_that_only_one_file_has_is_warned_of_and_so_is_a_source_behind():
    found = codes(published([1, 2, 3, 4], [None, 0, 0, None]))
    assert found == {"alone/nyt/2020-03-01", "behind/jhu"}


def test_gaps_falls_and_recoveries_that_stop_are_warned_of():
    found = codes(published([10, None, 9, 12], [3, None, 2, 0]))
    assert found == {
        "gap/nyt/2020-03-02",
        "gap/jhu/2020-03-02",
        "fall/nyt/cases/10-9/2020-03-03",
        "fall/jhu/recovered/3-2/2020-03-03",
        "unreported/jhu/2020-03-04",
    }


def test_a_source_without_a_new_date_for_a_fortnight_has_ended():
    old = transform({"nyt": nyt("2020-02-01,1,0"), "jhu": jhu("2020-02-01,0")}, TODAY)
    assert codes(old) == {"ended/nyt", "ended/jhu"}


def test_a_late_date_is_warned_of():
    assert "late/2020-03-01" in codes(published([1, 2]), late=[dt.date(2020, 3, 1)])


def test_a_source_has_ended_after_a_fortnight_and_not_a_day_earlier():
    newest = dict.fromkeys(SOURCES, TODAY - ENDED_AFTER)
    assert of_time(newest, TODAY) == []
    assert [found.code for found in of_time(newest, TODAY + dt.timedelta(days=1))] == [
        "ended/nyt",
        "ended/jhu",
    ]


def test_a_source_that_has_ended_is_not_behind_as_well():
    files = {"nyt": nyt("2020-02-01,1,0", "2020-03-09,2,0"), "jhu": jhu("2020-02-01,0")}
    assert codes(transform(files, TODAY)) & {"ended/jhu", "behind/jhu"} == {"ended/jhu"}


# What is news


def test_a_remark_is_news_when_it_begins_and_when_it_ends_and_not_while_it_stands():
    assert told_of(["a", "b"], ["b", "c"]) == ({"a"}, ["c"])


def test_what_stands_is_kept_in_its_order():
    now = (warning("b"), warning("a"))
    assert news(now, ()) == News(now, frozenset({"a", "b"}), ())


def test_a_late_date_is_told_once_and_never_ends():
    assert told_of(["late/2020-03-01"], []) == ({"late/2020-03-01"}, [])
    assert told_of([], ["late/2020-03-01"]) == (set(), [])


def test_an_accepted_figure_never_ends():
    assert told_of([], [f"{ACCEPTED}2020-03-01/abc/cases"]) == (set(), [])


def many(count, first=dt.date(2019, 1, 1)):
    """So many remarks, each about a date of its own, oldest first."""
    return [f"gap/nyt/{first + dt.timedelta(days=number)}" for number in range(count)]


def test_of_many_remarks_those_without_a_date_and_the_newest_are_kept_and_the_number_of_the_others():
    found = news([warning(code) for code in ["behind/jhu", *many(200)]], ())
    assert [kept.code for kept in found.warnings] == ["behind/jhu", *many(200)[-49:], "more/151"]
    assert found.warnings[-1].text == "and 151 more, older"
    assert found.begun == {"behind/jhu", *many(200)[-49:]}
    assert len(found.warnings) == MAX_WARNINGS + 1


def test_fifty_remarks_are_kept_whole():
    found = news([warning(code) for code in many(50)], ())
    assert [kept.code for kept in found.warnings] == many(50)


def test_a_remark_that_is_cut_off_now_does_not_end_and_its_number_is_no_remark():
    told = news([warning(code) for code in many(50)], ()).warnings
    found = news([warning(code) for code in many(60)], told)
    assert (found.begun, found.ended) == (frozenset(many(60)[50:]), ())
    assert found.warnings[-1].code == "more/10"


def test_a_remark_that_was_cut_off_does_not_begin_when_there_is_room_for_it_again():
    told = news([warning(code) for code in many(60)], ()).warnings
    found = news([warning(code) for code in many(50)], told)
    assert found.begun == frozenset()
    assert set(found.ended) == {f"text of {code}" for code in many(60)[50:]}


def test_beside_remarks_that_were_cut_off_a_newer_one_begins_and_so_does_one_without_a_date():
    told = news([warning(code) for code in many(60)], ()).warnings
    found = news([warning(code) for code in ["behind/jhu", *many(61)]], told)
    assert found.begun == {"behind/jhu", many(61)[-1]}


# After two unchanged files


NEWEST = {"nyt": date(5), "jhu": date(5)}


def after(told, days):
    """What holds so many days after the files' newest date, and what of it is news."""
    known = [warning(code) for code in told]
    now = since(known, NEWEST, date(5) + dt.timedelta(days=days))
    found = news(now, known)
    return [kept.code for kept in now], set(found.begun), list(found.ended)


def test_what_people_were_told_of_unchanged_files_still_holds():
    assert after(["behind/jhu", "gap/nyt/2020-03-02"], 1) == (["behind/jhu", "gap/nyt/2020-03-02"], set(), [])


def test_a_source_s_end_begins_by_time_alone_and_then_it_is_no_longer_behind():
    found = after(["behind/jhu"], 15)
    assert found == (["ended/nyt", "ended/jhu"], {"ended/nyt", "ended/jhu"}, ["text of behind/jhu"])


def test_a_source_s_end_that_people_know_of_goes_on_and_is_no_news():
    assert after(["ended/nyt", "ended/jhu"], 16) == (["ended/nyt", "ended/jhu"], set(), [])


@pytest.mark.parametrize("code", ["late/2020-03-01", f"{ACCEPTED}2020-03-01/abc/cases"])
def test_what_was_told_once_is_over_after_unchanged_files_without_ending(code):
    assert after([code], 1) == ([], set(), [])


def test_remarks_that_were_cut_off_stay_so_after_unchanged_files():
    told = news([warning(code) for code in many(60)], ()).warnings
    found = news(since(told, NEWEST, date(6)), told)
    assert found == News(told, frozenset(), ())
