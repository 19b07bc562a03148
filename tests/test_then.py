"""What the record was at each of its moments: Python and the script say the same, to the letter."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from browser import started
from dashboards import NOW, SETTINGS, current, day, entries, row

from dashboard import chart, series
from dashboard.cache import Snapshot
from dashboard.milestones import milestones
from dashboard.pages import record
from dashboard.routes.http import ASSETS
from dashboard.view import View
from schemas.figures import Counts
from storage.tables import Row

pytest.importorskip("playwright")
from playwright.sync_api import Page

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("browser")]

VIEWS = (
    View(),
    View(show="total"),
    View(show="average", per="per100k"),
    View(show="total", scale="log"),
    View(span="30"),
    View(show="average", start=day(20), end=day(110)),
)
COMPARED = (
    """([record, view, moments]) => moments.map((moment) => window.daybook.compare(record, view, moment))"""
)


def revised() -> list[Row]:
    """A record with all that can happen to a day: raised, lowered, taken back, entered late, left out."""
    found = entries()
    entered = dt.datetime(2020, 5, 20, 12, tzinfo=dt.UTC)
    found += [
        row(30, Counts(433_000, 10_000, None), entered),
        row(31, Counts(430_000, 9_000, 150_000), entered + dt.timedelta(days=3)),
        row(31, Counts(431_000, 9_000, 150_001), entered + dt.timedelta(days=3, hours=2)),
        row(5, Counts(11_000, 0, 0), entered),
    ]
    return sorted(
        (one for one in found if one.day.date != day(60)), key=lambda one: (one.day.date, one.version)
    )


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with started() as browser:
        found = browser.new_page()
        found.add_script_tag(path=ASSETS / "compare.js")
        yield found


def nested(component: Any) -> Any:
    """A component as the script writes it: its tag, its class, and what is in it."""
    if isinstance(component, str):
        return component
    children = component.children if isinstance(component.children, list) else [component.children]
    named = getattr(component, "href", "").removeprefix("/day/") or getattr(component, "className", "")
    return [type(component).__name__, named, *map(nested, children)]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.query() or "default")
def test_python_and_the_script_say_the_same_of_every_moment(page: Page, view: View) -> None:
    every = revised()
    rows = tuple(current(every))
    today = Snapshot(SETTINGS, NOW, rows, tuple(every), milestones=milestones(every))
    assert len(today.milestones) > 2
    moments = [day(0), *series.moments(every)]
    arguments = [series.compact(every), chart.template(today.seen(view))]
    answers = page.evaluate(COMPARED, json.loads(json.dumps([*arguments, list(map(str, moments))])))
    assert len(answers) > 100
    (now,) = page.evaluate(COMPARED, json.loads(json.dumps([*arguments, [None]])))
    assert now["headline"] == record.headline(today.seen(view))
    assert now["tiles"] == [nested(tile) for tile in record.tiles(today.seen(view), today)]
    for moment, answer in zip(moments, answers, strict=True):
        seen = today.seen(replace(view, asof=moment))
        expected = json.loads(json.dumps(chart.chart(seen)))
        assert answer["figure"] == expected, moment
        assert answer["headline"] == record.headline(seen)
        if seen.rows_then:
            assert answer["tiles"] == [nested(tile) for tile in record.tiles(seen, today)]
