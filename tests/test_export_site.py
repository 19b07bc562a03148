"""The page without a server, opened from the disk: the figures of any date, and nothing from elsewhere."""

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from browser import started
from dashboards import NOW, RESTATED, FakeReader, current, day, entries

from dashboard import series
from dashboard.series import COUNTS, NAMES, SERIES
from dashboard.text import date as in_words
from dashboard.view import View
from ops import static_site
from ops.__main__ import run
from ops.errors import CONFIGURATION
from ops.stack import Stack

pytest.importorskip("playwright")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("export")]

ASOF = ("2020-03-02", "2020-04-15", "2020-06-19", "2020-06-20", "2020-06-28")


def files(reader):
    names = sorted({row.run for row in reader.entries()})
    return {run.name: run.files for run in reader.runs_named(names)}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "public"
    reader = FakeReader()
    static_site.write(folder, reader.daily(), reader.entries(), files(reader), NOW, synthetic=False)
    return folder


@pytest.fixture(scope="module")
def page(site) -> Iterator[Page]:
    with started() as browser:
        found = browser.new_page(viewport={"width": 1280, "height": 900})
        found.complaints, found.asked = [], []  # type: ignore[attr-defined]
        found.on("console", lambda message: found.complaints.append(message.text))  # type: ignore[attr-defined]
        found.on("pageerror", lambda error: found.complaints.append(str(error)))  # type: ignore[attr-defined]
        found.on("request", lambda request: found.asked.append(request.url))  # type: ignore[attr-defined]
        found.goto((site / "index.html").as_uri())
        yield found


MOVED = """asof => {
    const moments = JSON.parse(document.getElementById('record').textContent).record.moments;
    const moment = document.getElementById('moment');
    moment.value = asof ? moments.indexOf(asof) : moments.length - 1;
    moment.dispatchEvent(new Event('input', {bubbles: true}));
}"""


def choose(page: Page, show: str = "total", scale: str = "linear", asof: str = "") -> None:
    page.check(f"#show-{show}")
    page.check(f"#scale-{scale}")
    page.evaluate(MOVED, asof)
    expect(page.locator("#moment-date")).to_have_text(
        in_words(dt.date.fromisoformat(asof)) if asof else "today"
    )


def drawn(page: Page, name: str) -> dict[str, Any]:
    script = """name => {
        const trace = document.getElementById('chart').data.find(one => one.name === name);
        return trace && [Array.from(trace.x), Array.from(trace.y)];
    }"""
    found = page.evaluate(script, name)
    return {} if found is None else dict(zip(found[0], found[1], strict=True))


@pytest.mark.parametrize("show", ["total", "new", "average"])
@pytest.mark.parametrize("asof", ASOF)
def test_its_figures_of_any_date_are_those_of_the_dashboard(page, show, asof):
    moment = dt.datetime.combine(dt.date.fromisoformat(asof), dt.time(23, 59, 59), dt.UTC)
    then = series.believed(entries(), moment)
    span = View(show=show, start=entries()[0].day.date, end=entries()[-1].day.date)
    expected, today = series.shown(then, span), series.shown(current(entries()), span)
    choose(page, show, asof=asof)
    for name in SERIES:
        values = drawn(page, NAMES[name])
        of_then = {str(date): values[str(date)] for date in expected.dates}
        assert of_then == dict(zip(map(str, expected.dates), expected.figures[name], strict=True))
        assert {date for date, value in values.items() if value is not None} <= of_then.keys()
        pale = drawn(page, f"{NAMES[name]} today")
        assert pale == dict(zip(map(str, today.dates), today.figures[name], strict=True))


def test_todays_record_is_drawn_as_it_is(page):
    choose(page)
    today = series.shown(current(entries()), View(show="total"))
    for name in SERIES:
        assert drawn(page, NAMES[name]) == dict(zip(map(str, today.dates), today.figures[name], strict=True))
    assert not drawn(page, "Cases today")
    expect(page.locator("#restated")).to_be_hidden()
    assert page.inner_text("#headline").startswith(f"{today.figures['cases'][-1]:,} cases and ")


def test_what_was_restated_is_ringed_and_listed(page):
    choose(page, asof="2020-06-19")
    assert set(drawn(page, "Cases restated")) == {str(date) for date in RESTATED}
    listed = page.locator("#restated tbody tr")
    expect(listed).to_have_count(len(RESTATED) * 2)  # cases and recoveries; deaths stayed
    rows = listed.all_inner_texts()
    assert all(
        "20\u00a0June\u00a02020, 12:00\u00a0UTC" in text and ("+1,234" in text or "+50" in text)
        for text in rows
    )
    (words,) = page.evaluate(
        """() => document.getElementById('chart').data.filter(t => t.name === 'Cases in words')
        .map(t => [t.customdata[t.x.indexOf('2020-04-10')], t.customdata[119]])"""
    )
    assert words[0].endswith("now,<br>last entered 20\u00a0June\u00a02020, 12:00\u00a0UTC")
    assert words[1].startswith("not yet known then, ")
    choose(page, show="new", asof="2020-06-19")
    assert {str(day(number)) for number in (40, 42, 90, 91)} == set(drawn(page, "Cases restated"))
    choose(page, asof="2020-06-20")
    expect(page.locator("#restated")).to_be_hidden()


def test_a_logarithm_has_no_place_for_zero_or_less(page):
    choose(page, show="new", scale="log", asof="2020-06-20")
    assert all(value is None or value > 0 for name in COUNTS for value in drawn(page, NAMES[name]).values())


def test_earlier_and_later_step_through_the_dates_on_which_something_was_entered(page):
    choose(page)
    shown, entered = page.locator("#moment-date"), page.locator("#entered")
    page.click("#earlier")
    expect(shown).to_have_text("28\u00a0June\u00a02020")
    page.click("#earlier")
    expect(shown).to_have_text("27\u00a0June\u00a02020")
    for _ in range(7):
        page.press("#moment", "ArrowLeft")
    expect(entered).to_have_text("2020-06-20: 1 day new, 3 days restated")
    page.click("[data-moment='2020-06-19']")
    expect(page.locator("#headline")).to_contain_text(
        "On 19\u00a0June\u00a02020 the record ended on 18\u00a0June"
    )
    expect(page.locator("#restated")).to_be_visible()
    page.click("#play")
    expect(shown).to_have_text("today")
    expect(page.locator("#play")).to_have_text("Play")


@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("asof", ["", "2020-06-19"])
def test_it_is_accessible_and_no_wider_than_the_window(page, width, asof):
    choose(page, asof=asof)
    page.set_viewport_size({"width": width, "height": 900})
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    beyond = """width => [...document.querySelectorAll('main form *')]
        .filter(one => one.getBoundingClientRect().right > width).map(one => one.outerHTML)"""
    assert page.evaluate(beyond, width) == []


def test_it_asks_for_nothing_but_itself_and_complains_of_nothing(page, site):
    choose(page, "new", "log", "2020-06-19")
    assert page.asked == [(site / "index.html").as_uri()]
    assert page.complaints == []


def test_the_map_and_the_days_beside_it_are_the_dashboards_and_lead_to_each_other(page, site):
    context = page.context.browser.new_context(viewport={"width": 360, "height": 900})
    beside = context.new_page()
    beside.goto((site / "index.html").as_uri())
    beside.locator("main a[href='day/2020-04-10.html']").first.click()
    assert "two answers in all" in beside.locator(".lead").inner_text()
    beside.get_by_role("link", name="All revisions").click()
    for name in ("Recoveries", "New a day", "Total to date", "Cases"):
        beside.get_by_role("link", name=name, exact=True).click()
    assert beside.url == (site / "revisions.html").as_uri()
    beside.locator(".map a").nth(2).click()
    for name in ("a day", "the map"):
        found = Axe().run(beside)
        assert found.violations_count == 0, (name, found.generate_report())
        assert beside.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        assert beside.evaluate("getComputedStyle(document.querySelector('.sheet')).maxWidth") == "1216px"
        beside.get_by_role("link", name="Revisions", exact=True).click()
    assert len(list((site / "day").iterdir())) == 120
    assert b"<entry>" in (site / "feed.atom").read_bytes()
    context.close()


def test_the_files_beside_it_hold_the_record_and_every_entry(site):
    daily = list(csv.DictReader(io.StringIO((site / "daily.csv").read_text())))
    revisions = list(csv.DictReader(io.StringIO((site / "revisions.csv").read_text())))
    assert (len(daily), len(revisions)) == (120, 123)
    assert sum(line["revision"] == "2" for line in revisions) == 3


def test_both_sources_are_credited_and_made_up_figures_are_called_that(site, tmp_path):
    said = (site / "index.html").read_text()
    assert "The New York Times" in said and "for non-commercial use" in said and "CC BY 4.0" in said
    assert "Synthetic sample" not in said
    reader = FakeReader()
    static_site.write(tmp_path, reader.daily(), reader.entries(), files(reader), NOW, synthetic=True)
    made_up = (tmp_path / "index.html").read_text()
    assert static_site.MADE_UP in made_up
    assert "SYNTHETIC SAMPLE" in made_up


def test_what_the_record_says_cannot_end_its_element(site):
    text = (site / "index.html").read_text()
    data = text.partition('<script type="application/json" id="record">')[2].partition("</script>")[0]
    assert "<" not in data
    assert len(json.loads(data)["record"]["entries"]) == 123


def test_without_a_record_nothing_is_written(tmp_path):
    empty = Stack("made up", {}, lambda _: None, lambda: NOW)
    empty.__dict__["tables"] = FakeReader(kept=[], runs_=[])  # in the place of its clients
    assert run(["export-site", str(tmp_path / "none")], empty) == CONFIGURATION
    assert not (tmp_path / "none").exists()
