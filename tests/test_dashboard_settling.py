"""How figures settle, against a computation in pandas that shares nothing with ours."""

import datetime as dt
import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
import truth

from dashboard.answers import Answer, answers, publications, restatements
from dashboard.settling import Settling, settling, share, summary
from schemas.day import Day
from schemas.figures import Counts
from schemas.moment import version
from storage.tables import Row

NOON = dt.time(12)
BEGIN, END = dt.date(2020, 9, 2), dt.date(2020, 12, 31)

Revision = tuple[dt.datetime, str, tuple[int, int, int | None], str]


def made_up() -> list[Revision]:
    """Forty runs, each of which enters a day late or in time and restates some others, by little or much."""
    dice = random.Random(18)
    known: dict[str, tuple[int, int, int | None]] = {}
    revisions: list[Revision] = []
    first = dt.date(2020, 3, 1)
    for number in range(40):
        moment = dt.datetime.combine(first + dt.timedelta(number + 1), NOON, dt.UTC)
        dates = [str(first + dt.timedelta(number))] if dice.random() < 0.8 else []
        dates += [str(first - dt.timedelta(days)) for days in range(5)] if number == 0 else []
        dates += dice.sample(sorted(known), min(len(known), dice.choice([0, 0, 1, 3])))
        dates += [str(first + dt.timedelta(number - 3))] if number > 3 and dice.random() < 0.3 else []
        for date in sorted(set(dates)):
            place = (dt.date.fromisoformat(date) - first).days + 6
            cases = 1_000 * place + dice.choice([0, 1, 40, 900])
            recovered = None if place > 30 else 10 * place
            figures = (cases, dice.choice([5, 6]) * place, recovered)
            if known.get(date) != figures:
                revisions.append((moment, date, figures, "revised" if date in known else "recorded"))
                known[date] = figures
    return revisions


def published(folder) -> list[Revision]:
    nyt, jhu = (folder / "published" / f"{name}.tar.xz" for name in ("nyt_us", "jhu_countries_aggregated"))
    return truth.play(nyt, jhu, BEGIN, END, NOON)[1]


@pytest.fixture(params=["made up", pytest.param("published", marks=pytest.mark.data)])
def revisions(request) -> list[Revision]:
    return made_up() if request.param == "made up" else published(request.getfixturevalue("data"))


def rows(revisions: list[Revision]) -> list[Row]:
    return [
        Row(Day(dt.date.fromisoformat(date), Counts(*figures)), version(moment), f"US/{date}", str(moment))
        for moment, date, figures, _ in revisions
    ]


def as_of(revisions: list[Revision], name: str, show: str) -> Any:
    """A row a moment, a column a calendar date: the figure as it was believed then."""
    frame = pd.DataFrame(
        [(moment, pd.Timestamp(date), *figures) for moment, date, figures, _ in revisions],
        columns=["moment", "date", "cases", "deaths", "recovered"],
    )
    wide = frame.pivot_table(index="moment", columns="date", values=name, aggfunc="last").sort_index().ffill()
    wide = wide.reindex(columns=pd.date_range(wide.columns.min(), wide.columns.max()))
    return wide if show == "total" else wide.diff(axis=1)


def expected(revisions: list[Revision], name: str, show: str) -> Settling:
    table = as_of(revisions, name, show)
    begin, end = min(row[0] for row in revisions), max(row[0] for row in revisions)
    lags, settled, off, late, restated = [], [], [], 0, 0
    for date in table.columns[table.columns >= pd.Timestamp(begin.date())]:
        column = table[date].dropna()
        if column.empty:
            continue
        age = (column.index.normalize() - column.index[0].normalize()).days
        distance = (column - column.iloc[-1]).abs() / abs(column.iloc[-1])
        distance = distance.where(column != column.iloc[-1], 0.0)
        changed = column.diff().fillna(0) != 0
        lags += list(age[changed])
        restated += bool(changed.any())
        far = np.flatnonzero(distance > 0.001)
        settled.append(age[far[-1] + 1] if far.size else 0)
        off.append(distance.iloc[0])
        late += (end - column.index[0]).days < 14
    near = sum(part <= 0.001 for part in off)
    return Settling(
        len(off), restated, near, tuple(sorted(lags)), tuple(sorted(settled)), tuple(sorted(off)), late
    )


@pytest.mark.parametrize("show", ["total", "new"])
@pytest.mark.parametrize("name", ["cases", "deaths", "recovered"])
def test_how_a_figure_settles_is_what_pandas_makes_of_it(revisions, name, show):
    ours, theirs = settling(rows(revisions), name, show), expected(revisions, name, show)
    assert ours.off == pytest.approx(theirs.off)
    assert (ours.days, ours.restated, ours.near_at_first, ours.late, ours.lags, ours.settled) == (
        theirs.days,
        theirs.restated,
        theirs.near_at_first,
        theirs.late,
        theirs.lags,
        theirs.settled,
    )
    for part in (0.5, 0.9, 1):
        assert share(ours.settled, part) == np.quantile(theirs.settled, part, method="inverted_cdf")


@pytest.mark.parametrize("show", ["total", "new"])
@pytest.mark.parametrize("name", ["cases", "deaths", "recovered"])
def test_each_answer_is_the_figure_as_it_was_believed(revisions, name, show):
    table = as_of(revisions, name, show)
    given = answers(rows(revisions), name, show)
    theirs = {}
    for date in table.columns:
        column = table[date].dropna()
        changed = column[column.diff().fillna(1) != 0]
        if not changed.empty:
            theirs[date.date()] = [(moment, int(value)) for moment, value in changed.items()]
    ours = {date: [(answer.moment, answer.value) for answer in found] for date, found in given.items()}
    assert ours == theirs


@pytest.mark.data
def test_of_the_published_months_most_totals_hold_at_first_and_few_daily_figures_do(data):
    entries = rows(published(data))
    near = {show: settling(entries, "cases", show) for show in ("total", "new")}
    assert [(found.days, found.near_at_first) for found in near.values()] == [(117, 98), (117, 56)]
    changes = restatements(answers(entries, "cases"), "cases")
    assert (len(changes), len({change.date for change in changes})) == (527, 229)
    assert len(answers(entries, "cases")[dt.date(2020, 10, 5)]) == 8


def test_every_entry_is_in_one_publication_and_a_change_says_what_it_replaces():
    revisions = made_up()
    found = publications(rows(revisions))
    assert [each.moment for each in found] == sorted({row[0] for row in revisions}, reverse=True)
    told = {(each.moment, str(date), "recorded") for each in found for date in each.recorded}
    told |= {(each.moment, str(date), "revised") for each in found for date in each.revised}
    assert told == {(moment, date, kind) for moment, date, _, kind in revisions}
    known: dict[str, tuple[int, int, int | None]] = {}
    changes = set()
    for moment, date, figures, _ in revisions:
        old = known.get(date, figures)
        changes |= {
            (moment, date, name, before, after)
            for name, before, after in zip(("cases", "deaths", "recovered"), old, figures, strict=True)
            if before != after
        }
        known[date] = figures
    ours = {
        (each.moment, str(change.date), change.series, change.before, change.after)
        for each in found
        for change in each.restated
    }
    assert ours == changes


def test_a_figure_taken_back_is_an_answer_and_no_figure_to_settle_on():
    moments = [dt.datetime(2020, 3, day, 12, tzinfo=dt.UTC) for day in (2, 4, 9)]
    day = dt.date(2020, 3, 2)
    entries = [
        Row(Day(day, Counts(1, 1, recovered)), version(moment), "event")
        for moment, recovered in zip(moments, (500, 501, None), strict=True)
    ]
    (given,) = answers(entries, "recovered").values()
    assert [answer.value for answer in given] == [500, 501, None]
    (first, gone) = restatements({day: given}, "recovered")
    assert (first.change, first.share, gone.change, gone.share) == (1, 1 / 500, None, None)
    assert settling(entries, "recovered", "total").lags == (2,)


def test_a_figure_has_settled_when_it_stays_near_its_last_value():
    def given(*values: int) -> list[Answer]:
        begin = dt.datetime(2020, 3, 1, 12, tzinfo=dt.UTC)
        return [Answer(begin + dt.timedelta(days=day), value) for day, value in enumerate(values)]

    day = dt.date(2020, 3, 1)
    cases = {(10_000, 9_000, 10_001, 10_002): 2, (0, 20, 0): 2, (5,): 0, (10_000, 10_011): 1}
    for values, days in cases.items():
        found = summary({day: given(*values)}, None)
        assert (found.settled, found.lags) == ((days,), tuple(range(1, len(values))))
    assert summary({}, None).settled == ()
