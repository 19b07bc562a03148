"""From rows to figures: what is shown, what is missing, what was restated."""

import datetime as dt

import pytest
from dashboards import FIRST, LAST, RESTATED, RESTATED_ON, UNREPORTED_FROM, counts, current, day, entries, row

from dashboard import series
from dashboard.series import POPULATION, Stretch
from dashboard.view import View
from schemas.figures import Counts
from storage.tables import Row

ENTERED = dt.datetime(2020, 4, 1, 12, tzinfo=dt.UTC)


def rows(*found: tuple[int, int | None]) -> list[Row]:
    """Rows with these cumulative cases (deaths a tenth of them) and recoveries, from the first date on."""
    return [
        row(number, Counts(cases, cases // 10, recovered), ENTERED)
        for number, (cases, recovered) in enumerate(found)
    ]


def cases(found: list[Row], **choice: str) -> tuple[series.Figure, ...]:
    return series.shown(found, View(**({"show": "total"} | choice))).figures["cases"]  # type: ignore[arg-type]


def test_cumulative_figures_are_those_of_the_rows() -> None:
    assert cases(rows((10, 0), (15, 1), (14, 2))) == (10, 15, 14)


def test_a_new_figure_is_the_change_on_the_day_before_and_the_first_day_has_none() -> None:
    assert cases(rows((10, 0), (15, 1), (14, 2)), show="new") == (None, 5, -1)


def test_an_average_is_of_the_seven_days_that_end_on_its_date() -> None:
    found = cases(rows(*((number * number, 0) for number in range(9))), show="average")
    assert found == (None,) * 7 + (49 / 7, (64 - 1) / 7)


def test_per_100_000_divides_by_the_population_of_the_2020_census() -> None:
    assert POPULATION == 331_449_281
    assert cases(
        rows(
            (331_449_281, 0),
        ),
        per="per100k",
    ) == (100_000,)


def test_an_unreported_count_is_a_gap_and_so_is_the_change_on_either_side_of_it() -> None:
    found = rows((10, 5), (11, None), (12, 7), (13, 9))
    assert series.shown(found, View(show="total")).figures["recovered"] == (5, None, 7, 9)
    assert series.shown(found, View(show="new")).figures["recovered"] == (None, None, None, 2)


def test_a_date_that_the_record_lacks_is_a_gap_on_the_axis() -> None:
    found = [rows((10, 0))[0], row(2, Counts(12, 1, 0), ENTERED)]
    shown = series.shown(found, View(show="total"))
    assert shown.dates == (day(0), day(1), day(2))
    assert shown.figures["cases"] == (10, None, 12)
    assert series.missing(found) == [Stretch(day(1), day(1))]


def test_case_fatality_is_deaths_per_100_cases_to_date_from_1_000_deaths_on_whatever_is_shown() -> None:
    found = rows((0, 0), (9_999, 0), (10_000, 0))
    for show in ("total", "new", "average"):
        shown = series.shown(found, View(show=show))
        assert shown.figures["fatality"] == (None, None, 10.0)
        assert shown.silences["fatality"] == ("too few deaths", "too few deaths", "")


def test_why_there_is_no_figure_is_known_of_each_record() -> None:
    found = [*rows((10, 5), (11, None)), row(3, Counts(12, 1, 4), ENTERED)]
    dates = [day(number) for number in range(6)]
    of = series.shown(found, View(show="total"), dates).silences
    assert of["recovered"] == ("", "not reported", "no figure", "", "not yet known", "not yet known")
    assert of["cases"] == ("", "", "no figure", "", "not yet known", "not yet known")
    assert series.shown(found, View(show="new"), dates).silences["cases"][:2] == ("not known", "")
    assert series.shown([], View(show="total"), dates[:1]).silences["cases"] == ("not yet known",)


def test_an_average_at_the_start_of_a_chosen_period_looks_back_beyond_it() -> None:
    found = rows(*((number, 0) for number in range(60)))
    shown = series.shown(found, View(show="average", span="30"))
    assert shown.dates[0] == day(30)
    assert shown.figures["cases"][0] == 1


def test_the_newest_day_has_its_changes_on_the_day_and_on_the_week() -> None:
    tile = series.tiles(rows(*((number * number, 0) for number in range(9))))[0]
    assert (tile.value, tile.on_day, tile.on_week) == (64, 15, 63)


def test_recoveries_that_ended_say_since_when_and_never_zero() -> None:
    tile = series.tiles(current(entries()))[2]
    assert (tile.series, tile.silent, tile.since) == ("recovered", True, UNREPORTED_FROM)
    assert tile.value == counts(99).recovered


def test_without_rows_there_is_nothing() -> None:
    assert series.tiles([]) == []
    assert series.shown([], View(asof=LAST)).dates == ()


def test_unreported_recoveries_come_as_stretches() -> None:
    assert series.unreported(current(entries()), "recovered") == [Stretch(UNREPORTED_FROM, LAST)]


def test_the_record_as_it_stood_has_of_each_date_the_newest_entry_until_then() -> None:
    before = series.believed(entries(), RESTATED_ON - dt.timedelta(milliseconds=1))
    after = series.believed(entries(), RESTATED_ON)
    number = (RESTATED[0] - FIRST).days
    assert before[number].day.counts == counts(number)
    assert after[number].day.counts.cases == counts(number).cases + 1_234
    assert before[-1].day.date == dt.date(2020, 6, 18)  # entered on the 19th at noon


def test_before_the_first_entry_nothing_was_believed() -> None:
    assert series.believed(entries(), dt.datetime(2020, 3, 1, tzinfo=dt.UTC)) == []


def changes(**choice: str) -> list[series.Restated]:
    """What was restated after 19 June, as it is shown."""
    chosen, today = View(**({"show": "total"} | choice)), current(entries())  # type: ignore[arg-type]
    then = series.believed(entries(), RESTATED_ON - dt.timedelta(days=1))
    dates = [one.day.date for one in today]
    return series.restated(
        then, today, series.shown(then, chosen, dates), series.shown(today, chosen, dates), chosen
    )


def test_what_was_restated_has_its_old_value_its_new_value_and_when() -> None:
    found = changes()
    assert [(one.date, one.series) for one in found] == [
        (date, name) for date in RESTATED for name in ("cases", "recovered")
    ]
    one, number = found[0], (RESTATED[0] - FIRST).days
    assert (one.then, one.now, one.entered_at) == (
        counts(number).cases,
        counts(number).cases + 1_234,
        RESTATED_ON,
    )


def test_a_daily_figure_is_restated_where_the_day_or_the_one_before_was_and_only_where_it_differs() -> None:
    found = {one.date: one for one in changes(show="new") if one.series == "cases"}
    # Days 40 and 41 were raised alike: the new cases of day 41 are what they were.
    assert list(found) == [day(40), day(42), day(90), day(91)]
    new = counts(42).cases - counts(41).cases
    assert (found[day(42)].then, found[day(42)].now) == (new, new - 1_234)
    assert found[day(42)].entered_at == RESTATED_ON


@pytest.mark.parametrize(("per", "restated"), [("count", 1), ("per100k", 0)])
def test_what_rounds_to_the_same_is_not_restated(per: str, restated: int) -> None:
    then, now = rows((1_000_000, 0)), rows((1_000_001, 0))
    chosen = View(show="total", per=per)
    found = series.restated(then, now, series.shown(then, chosen), series.shown(now, chosen), chosen)
    assert len(found) == restated


def test_the_axis_reaches_as_far_as_the_dates_that_are_asked_for() -> None:
    shown = series.shown(rows((1, 0), (2, 0)), View(show="total"), [day(0), day(1), day(5)])
    assert shown.dates[-1] == day(5)
    assert shown.figures["cases"] == (1, 2, None)


def test_each_change_of_a_figure_is_dated_by_its_own_entry() -> None:
    found = [
        row(number, Counts(cases, 0, None), dt.datetime(2020, 4, on, 12, tzinfo=dt.UTC))
        for number, cases, on in (
            (1, 100, 1),
            (2, 130, 2),
            (1, 110, 5),
            (2, 150, 7),
            (1, 104, 7),
            (3, 160, 8),
        )
    ]
    view = View(asof=dt.date(2020, 4, 3))
    (change,) = series.see(current(found), view, found).restated
    assert (change.then, change.now) == (30, 46)
    steps = series.steps(found, change, view)
    assert [(step.entered_at.day, step.change) for step in steps] == [(5, -10), (7, 26)]
