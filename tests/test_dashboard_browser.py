"""What people see, in a real browser."""

import base64
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from browser import Stage, started
from dashboards import (
    LAST,
    NOW,
    RESTATED,
    SETTINGS,
    UNREPORTED_FROM,
    FakeReader,
    counts,
    current,
    day,
    empty,
    entries,
    row,
    run,
    told,
    warned,
)

from dashboard.app import create_app
from dashboard.series import COUNTS, NAMES, POPULATION, SERIES
from dashboard.text import date as in_words
from schemas.figures import Counts

pytest.importorskip("playwright")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("browser")]

WIDTHS = (360, 768, 1280)
MAX_COLD_BYTES = 800_000
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as found:
        yield found


PATIENCE = 10_000  # milliseconds, for what a page does and for what is expected of it
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    found = Stage()
    yield found
    found.fall()


class Visit:
    """A page, and what it asked for and complained of."""

    def __init__(self, browser: Browser, stage: Stage, **context: Any) -> None:
        self._context = browser.new_context(accept_downloads=True, **context)
        self.page: Page = self._context.new_page()
        self.stage = stage
        self.complaints: list[str] = []
        self.addresses: list[str] = []
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.addresses.append(request.url))

    def _heard(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def to(self, path: str = "/") -> Page:
        self.page.goto(self.stage.address + path)
        shown = "#status h1" if path.startswith("/status") else "#tiles p"
        self.page.wait_for_selector(shown, state="visible")
        self.page.evaluate("for (const one of document.querySelectorAll('form details')) one.open = true")
        return self.page

    def charted(self, path: str = "/") -> Page:
        self.to(path)
        self.page.wait_for_selector("#chart .trace, #chart .point", state="attached")
        return self.page

    def close(self) -> None:
        self._context.close()


@pytest.fixture
def show(browser: Browser, stage: Stage) -> Iterator[Any]:
    """Puts an application around a reader on the stage, and gives a visit to it."""
    visits: list[Visit] = []

    def showing(reader: FakeReader | None = None, **more: Any) -> Visit:
        settings = replace(SETTINGS, **more.pop("settings", {}))
        clock = more.pop("clock", lambda: NOW)
        refresh = more.pop("refresh_seconds", 3600)
        found = reader or FakeReader()
        app = create_app(found, found, settings, clock, refresh, (5, 5))
        stage.application = app.server
        visits.append(Visit(browser, stage, **more))
        return visits[-1]

    yield showing
    for visit in visits:
        visit.close()


def plotted(page: Page, name: str) -> dict[str, Any]:
    """What plotly has drawn under a name, by date."""
    script = """name => {
        const trace = document.querySelector('#chart .js-plotly-plot').data.find(t => t.name === name);
        return trace && [Array.from(trace.x), Array.from(trace.y)];
    }"""
    found = page.evaluate(script, name)
    return {} if found is None else dict(zip(found[0], found[1], strict=True))


def wait_for_series(page: Page, name: str, date: str, value: float | None) -> None:
    script = """([name, date, value]) => {
        const plot = document.querySelector('#chart .js-plotly-plot');
        const trace = plot && plot.data && plot.data.find(t => t.name === name);
        if (!trace) return false;
        const found = trace.y[trace.x.indexOf(date)];
        return value === null ? found === null : Math.abs(found - value) < 1e-6;
    }"""
    page.wait_for_function(script, arg=[name, date, value])


def pick(page: Page, name: str, value: str) -> None:
    page.locator(f"#{name} input[value='{value}']").check()


def expected(show: str, per: str, scale: str) -> dict[str, dict[str, float | None]]:
    """The figures by the rule in words, written down once more and otherwise than in the code."""
    found: dict[str, dict[str, float | None]] = {}
    rows = current(entries())
    for field, name in (("cases", "Cases"), ("deaths", "Deaths"), ("recovered", "Recoveries")):
        values = [getattr(one.day.counts, field) for one in rows]
        series: list[float | None] = list(values)
        if show != "total":
            series = [
                None
                if place == 0 or values[place] is None or values[place - 1] is None
                else values[place] - values[place - 1]
                for place in range(len(values))
            ]
        if show == "average":
            daily = series
            series = []
            for place in range(len(daily)):
                week = daily[place - 6 : place + 1] if place >= 6 else []
                series.append(
                    None if not week or None in week else sum(one for one in week if one is not None) / 7
                )
        if per == "per100k":
            series = [None if one is None else one * 100_000 / POPULATION for one in series]
        if scale == "log":
            series = [one if one is not None and one > 0 else None for one in series]
        found[name] = {rows[place].day.date.isoformat(): one for place, one in enumerate(series)}
    return found


# 1: the series and their switches


def test_plotted_values_equal_the_store_s_for_every_switch(show: Any) -> None:
    visit = show()
    page = visit.charted()
    for scale in ("linear", "log"):
        pick(page, "scale", scale)
        for per in ("count", "per100k"):
            pick(page, "per", per)
            for shown in ("total", "new", "average"):
                pick(page, "show", shown)
                wanted = expected(shown, per, scale)
                wait_for_series(page, "Cases", "2020-05-10", wanted["Cases"]["2020-05-10"])
                for name, values in wanted.items():
                    found = plotted(page, name)
                    assert found.keys() == values.keys()
                    assert all(
                        found[date] == (None if value is None else pytest.approx(value))
                        for date, value in values.items()
                    ), (scale, per, shown, name)
    assert plotted(page, "Case fatality")["2020-06-28"] == pytest.approx(
        counts(119).deaths * 100 / counts(119).cases
    )
    assert visit.complaints == []


def test_before_any_script_the_page_has_the_headline_the_tiles_and_the_chart(show: Any) -> None:
    visit = show(java_script_enabled=False, viewport={"width": 360, "height": 800})
    page = visit.page
    page.goto(visit.stage.address + "/?show=total&asof=2020-06-19")
    then = f"{counts(109).cases:,}"
    expect(page.locator("#first h1")).to_contain_text(f"the record ended on 18\u00a0June, at {then} cases.")
    expect(page.locator("#first .tile").first).to_contain_text(then)
    assert page.locator("#first svg path").count() == 12  # three of each count with its gap, two of the ratio
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    drawn = show().charted("/?show=total&asof=2020-06-19")
    expect(drawn.locator("#first")).to_be_hidden()
    expect(drawn.locator("#headline")).to_be_visible()


def test_panels_share_one_axis_and_one_hover(show: Any) -> None:
    page = show().charted()
    page.locator("#chart").scroll_into_view_if_needed()
    box = page.locator("#chart .main-svg").first.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.15)
    label = page.locator("#chart .hoverlayer .legend")
    expect(label).to_contain_text("2020")
    for name in NAMES.values():
        expect(label).to_contain_text(name)


def test_a_switch_is_explained(show: Any) -> None:
    page = show().charted()
    pick(page, "scale", "log")
    expect(page.locator("#notes")).to_contain_text("equal steps upward are equal ratios")
    pick(page, "per", "per100k")
    expect(page.locator("#notes")).to_contain_text("331,449,281 people, U.S. Census Bureau, 2020 census")


def test_a_period_is_chosen_by_preset_or_by_dates(show: Any) -> None:
    page = show().charted()
    pick(page, "span", "30")
    page.wait_for_function("() => document.querySelector('#chart .js-plotly-plot').data[0].x.length === 30")
    page.fill("#start", "2020-04-01")
    page.wait_for_function(
        "() => document.querySelector('#chart .js-plotly-plot').data[0].x[0] === '2020-04-01'"
    )
    page.fill("#end", "2020-04-10")
    page.wait_for_function("() => document.querySelector('#chart .js-plotly-plot').data[0].x.length === 10")
    assert "start=2020-04-01&end=2020-04-10" in page.url
    assert page.locator("#span input:checked").count() == 0


def test_dates_outside_the_record_or_in_the_wrong_order_stay_in_the_form_with_a_sentence(show: Any) -> None:
    page = show().charted()
    believed = page.locator("#believed")
    page.fill("#start", "2031-05-06")
    expect(believed).to_contain_text("6 May 2031 lies outside the record.")
    expect(believed).to_contain_text("The record spans 1 March 2020 to 28 June 2020.")
    expect(page.locator("#picture")).to_be_hidden()
    page.fill("#end", "2020-04-10")
    expect(believed).to_contain_text("From, 6 May 2031, lies after To, 10 April 2020: no day is between.")
    assert page.input_value("#start") == "2031-05-06"
    page.fill("#start", "2020-04-01")
    expect(believed).to_be_empty()
    expect(page.locator("#picture")).to_be_visible()
    page.fill("#asof", "2031-05-06")
    expect(believed).to_contain_text("lies after the newest entry, of 29 June 2020, 12:00 UTC")
    page.fill("#asof", "2020-03-01")
    expect(believed).to_contain_text("the first entry was made on 2 March 2020, 12:00 UTC")
    assert page.input_value("#asof") == "2020-03-01"


def test_a_date_can_be_typed_slowly_and_half_of_one_is_no_entry_in_the_history(show: Any) -> None:
    visit = show()
    page = visit.charted()
    entries_before = page.evaluate("history.length")
    page.focus("#asof")
    page.keyboard.type("0615")
    page.keyboard.type("2020", delay=800)
    assert page.input_value("#asof") == "2020-06-15"
    assert page.evaluate("[history.length, location.search]") == [entries_before, ""]
    page.keyboard.press("Enter")
    page.wait_for_url("**asof=2020-06-15")
    assert page.evaluate("document.activeElement.id") == "asof"
    assert page.evaluate("history.length") == entries_before + 1
    page.keyboard.press("Tab")
    assert page.input_value("#asof") == "2020-06-15"
    assert page.evaluate("history.length") == entries_before + 1


# 2 and 3: tiles, and what is missing


def test_tiles_have_the_newest_day_and_recoveries_say_since_when(show: Any) -> None:
    page = show().charted()
    tiles = page.locator("#tiles")
    expect(tiles).to_contain_text(f"{counts(119).cases:,}")
    expect(tiles).to_contain_text(f"+{counts(119).cases - counts(118).cases:,} on the day")
    expect(tiles).to_contain_text(f"+{counts(119).cases - counts(112).cases:,} on the week")
    expect(tiles).to_contain_text(f"Not reported since {in_words(UNREPORTED_FROM)}")


def test_missing_is_a_gap_with_a_note_and_never_zero(show: Any) -> None:
    reader = FakeReader()
    reader.owe(run(state="open", pending=tuple(map(day, range(120, 131)))), newest=day(130))
    page = show(reader).charted()
    expect(page.locator("#notes")).to_contain_text(
        f"not reported since {in_words(UNREPORTED_FROM)}. A gap, not a zero."
    )
    expect(page.locator("#notes")).to_contain_text(
        f"not yet entered: {in_words(day(120))} to {in_words(day(130))}"
    )
    assert plotted(page, "Recoveries")[UNREPORTED_FROM.isoformat()] is None
    assert plotted(page, "Cases")[day(125).isoformat()] is None
    expect(page.locator("#chart .annotation-text", has_text="not reported").first).to_be_visible()
    cells = page.locator("#table tbody tr", has_text=str(LAST)).locator("td")
    expect(cells.nth(2)).to_have_text("not reported")


# 4: as it was believed


TRACES = "document.querySelector('#chart .js-plotly-plot').data.length"


def test_the_record_as_it_was_believed_lies_over_today_s_with_what_was_restated(show: Any) -> None:
    page = show().charted("/?show=total")
    page.fill("#asof", "2020-06-15")
    one, number = RESTATED[0], 40
    wait_for_series(page, "Cases", one.isoformat(), counts(number).cases)
    assert plotted(page, "Cases today")[one.isoformat()] == counts(number).cases + 1_234
    assert list(plotted(page, "Cases restated")) == [date.isoformat() for date in RESTATED]
    expect(page.locator("#believed")).to_contain_text("3 days shown here were restated later")
    line = page.locator("#restated tbody tr", has_text=str(one)).filter(has_text="Cases")
    for text in (f"{counts(number).cases:,}", f"{counts(number).cases + 1_234:,}", "2020-06-20 12:00 UTC"):
        expect(line).to_contain_text(text)
    page.click("#today")
    page.wait_for_function(f"() => {TRACES} === {2 * len(SERIES)}")
    assert "asof" not in page.url


def test_the_scrubber_draws_any_moment_without_asking_and_the_rest_follows_when_it_rests(show: Any) -> None:
    visit = show()
    page = visit.charted("/?show=total")
    expect(page.locator("#headline")).to_have_text(
        f"{counts(119).cases:,} cases and {counts(119).deaths:,} deaths in the United States by "
        f"{in_words(LAST)}"
    )
    page.wait_for_load_state("networkidle")
    asked = len(visit.stage.requests)
    # Back to 19 June, the last evening before three days were restated.
    page.evaluate("for (let step = 0; step < 10; step += 1) document.querySelector('#earlier').click()")
    headline = page.locator("#headline")
    then = counts(109).cases
    expect(headline).to_have_text(
        f"On {in_words(dt.date(2020, 6, 19))} the record ended on 18\u00a0June, at {then:,} cases. "
        "Today we say the same."
    )
    wait_for_series(page, "Cases, now − then", RESTATED[0].isoformat(), 1_234)
    page.wait_for_url("**asof=2020-06-19")
    expect(page.locator("#believed")).to_contain_text("3 days shown here were restated later")
    between = [path for path in visit.stage.requests[asked:] if path == "/_dash-update-component"]
    assert len(between) <= 3, between  # the address, what is drawn, and nothing for each of the ten moments
    expect(page.locator("#tiles")).to_contain_text("the same today")
    page.click("#today")
    wait_for_series(page, "Cases", LAST.isoformat(), counts(119).cases)
    page.click("#play")
    expect(page.locator("#moment-date")).to_contain_text("March 2020")
    page.click("#play")
    page.wait_for_url("**asof=2020-03-**")
    expect(page.locator("#turn-2020-06-20")).to_contain_text("19\u00a0June\u00a02020")
    page.click("#turn-2020-06-20")
    page.wait_for_url("**asof=2020-06-19")
    assert visit.complaints == []


def test_a_restated_day_says_old_new_and_when_on_hover(show: Any) -> None:
    page = show().charted("/?show=total&asof=2020-06-15&start=2020-04-09&end=2020-04-13")
    page.locator("#chart").scroll_into_view_if_needed()
    page.mouse.move(*page.evaluate(PLACE, RESTATED[0].isoformat()))
    label = page.locator("#chart .hoverlayer .legend")
    expect(label).to_contain_text(f"{counts(40).cases:,} then, {counts(40).cases + 1_234:,} now")
    expect(label).to_contain_text("entered 20 June 2020, 12:00 UTC")


PLACE = """date => {
    const plot = document.querySelector('#chart .js-plotly-plot'), box = plot.getBoundingClientRect();
    const axis = plot._fullLayout.xaxis, y = plot._fullLayout.yaxis;
    return [box.x + axis._offset + axis.d2p(date), box.y + y._offset + y._length / 2]; }"""
LINES = "() => [...document.querySelectorAll('#chart .hoverlayer .legendtext')].map(e => e.textContent)"


@pytest.mark.parametrize("width", [360, 1280])
def test_no_day_without_a_figure_is_given_one_under_the_pointer(show: Any, width: int) -> None:
    """The whole of a gap, and beyond then's newest day, in each mode; the period narrow, so that a day has
    pixels of its own."""
    visit = show(viewport={"width": width, "height": 900})
    gap = [UNREPORTED_FROM + dt.timedelta(days=number) for number in range(8)]
    for shown in ("total", "new", "average"):
        for asof in ("", "&asof=2020-06-11"):
            page = visit.charted(f"/?show={shown}&start=2020-06-03&end={gap[-1]}{asof}")
            page.evaluate("for (const one of document.querySelectorAll('form details')) one.open = false")
            assert page.evaluate("document.querySelector('#chart').getBoundingClientRect().y") < 2 * 900
            page.locator("#chart").scroll_into_view_if_needed()
            for date in gap:
                page.mouse.move(*page.evaluate(PLACE, date.isoformat()))
                title = page.locator("#chart .hoverlayer .legendtitletext")
                expect(title).to_contain_text(f"{date.day} June 2020")
                cases, _, recoveries, *_ = page.evaluate(LINES)
                known_then = not asof or date <= dt.date(2020, 6, 10)
                silence = "not reported" if known_then else "not yet known then, not reported now"
                assert recoveries == f"Recoveries : {silence}", (shown, asof, date)
                if width == 360:  # no box over what it speaks of: a line above the panels
                    expect(page.locator("#readout")).to_contain_text(f"Recoveries: {silence}")
                    expect(title).to_be_hidden()
                assert cases.startswith("Cases : not yet known then, ") != known_then


# 5: the table and what can be taken home


def test_the_table_is_what_the_chart_shows_page_by_page(show: Any) -> None:
    page = show().charted("/?show=new")
    found: dict[str, str] = {}
    while True:
        for line in page.locator("#table tbody tr").all():
            found[line.locator("th").inner_text()] = line.locator("td").first.inner_text()
        if page.locator("#older").count() == 0:
            break
        before = page.locator("#table tbody th").first.inner_text()
        page.click("#older")
        expect(page.locator("#table tbody th").first).not_to_have_text(before)
    drawn = plotted(page, "Cases")
    assert found.keys() == drawn.keys()
    for date, value in drawn.items():
        assert found[date] == ("not known" if value is None else f"{value:,}".replace("-", "−"))


def test_turning_a_page_keeps_the_reader_s_place(show: Any) -> None:
    page = show().charted()
    page.locator("#older").scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    assert place > 0
    page.click("#older")
    expect(page.locator("#table")).to_contain_text("Page 2 of")
    assert page.evaluate("scrollY") == place


def test_the_table_of_then_begins_where_then_s_record_does_and_each_side_says_why_it_is_silent(
    show: Any,
) -> None:
    reader = FakeReader()
    reader.kept = [one for one in reader.kept if one.day.date != day(104)]
    reader.entered()
    visit = show(reader)
    page = visit.to("/?asof=2020-06-15&span=30")
    rows = page.locator("#table tbody tr")
    expect(rows.first.locator("th")).to_have_text("2020-06-14")
    assert next(iter(plotted(page, "Cases"))) == "2020-05-16"
    expect(rows.first.locator("td").nth(2)).to_have_text("not reported")
    cells = page.locator("#table tbody tr", has_text=str(day(104))).locator("td")
    assert cells.all_inner_texts() == ["no figure"] * 2 * len(SERIES)
    page = visit.to("/?asof=2020-06-15&start=2020-06-20")
    assert rows.first.locator("td").all_inner_texts()[: len(SERIES)] == ["not yet known"] * len(SERIES)
    assert rows.first.locator("td").nth(len(SERIES) + 2).inner_text() == "not reported"


def test_the_png_has_its_words_and_nothing_of_it_is_cut(show: Any) -> None:
    page = show().charted("/?show=average&per=per100k&scale=log&asof=2020-06-15&start=2020-03-05")
    texts = page.evaluate(
        """async () => {
        let taken;
        window.Plotly.downloadImage = (figure, how) => { taken = [figure, how]; };
        document.querySelector('#png').click();
        const place = document.createElement('div');
        document.body.replaceChildren(place);
        document.body.style.cssText = 'width: 1400px; margin: 0';
        await window.Plotly.newPlot(place, taken[0].data, taken[0].layout);
        const frame = place.getBoundingClientRect();
        return [...place.querySelectorAll('text')].filter(e => e.textContent).map(e => {
            const box = e.getBoundingClientRect();
            const cut = box.left < frame.left || box.right > frame.left + taken[1].width
                || box.top < frame.top || box.bottom > frame.top + taken[1].height;
            return [e.textContent, cut];
        });
    }"""
    )
    assert [text for text, is_cut in texts if is_cut] == []
    words_ = " ".join(text for text, _ in texts).replace("\u00a0", " ")
    for part in (
        "COVID-19 in the United States: new a day, 7-day average, per 100,000 people.",
        "Data through 14 June 2020, as known on 15 June 2020 (UTC). Dotted: today's record.",
        "CSSE at Johns Hopkins University, CC BY 4.0.",
        "asof=2020-06-15",
    ):
        assert part in words_


def test_csv_json_and_png_can_be_taken_home(show: Any) -> None:
    page = show().charted("/?show=new&span=30")
    with page.expect_download() as csv:
        page.click("#csv")
    assert csv.value.suggested_filename == "daybook-new-2020-05-30-to-2020-06-28.csv"
    text = csv.value.path().read_text()
    assert text.count("\n") == 31
    with page.expect_download() as found:
        page.click("#json")
    drawn = plotted(page, "Cases")
    days = json.loads(found.value.path().read_text())["days"]
    assert {one["date"]: one["cases"] for one in days} == drawn
    with page.expect_download() as png:
        page.click("#png")
    assert png.value.suggested_filename == "daybook-new-2020-05-30-to-2020-06-28.png"
    assert png.value.path().read_bytes().startswith(b"\x89PNG")


# 6: the state is in the address


def test_a_share_link_opened_elsewhere_gives_the_same_figure(
    show: Any, browser: Browser, stage: Stage
) -> None:
    page = show().charted()
    pick(page, "show", "average")
    pick(page, "scale", "log")
    pick(page, "per", "per100k")
    pick(page, "span", "90")
    page.fill("#asof", "2020-06-15")
    page.wait_for_url("**asof=2020-06-15")
    wait_for_series(
        page, "Cases today", "2020-05-10", expected("average", "per100k", "log")["Cases"]["2020-05-10"]
    )
    other = Visit(browser, stage)
    try:
        copy = other.charted(page.url.removeprefix(stage.address))
        script = "JSON.stringify((p => [p.data, p.layout])(document.querySelector('#chart .js-plotly-plot')))"
        compared = 3 * len(SERIES) + 2 * len(COUNTS)
        copy.wait_for_function(f"() => {TRACES} === {compared}")
        assert copy.evaluate(script) == page.evaluate(script)
        assert copy.locator("#show input:checked").get_attribute("value") == "average"
        assert copy.input_value("#asof") == "2020-06-15"
    finally:
        other.close()


def test_back_goes_back(show: Any) -> None:
    page = show().charted()
    pick(page, "show", "total")
    page.wait_for_url("**show=total")
    pick(page, "scale", "log")
    page.wait_for_url("**scale=log")
    page.go_back()
    expect(page.locator("#scale input[value='linear']")).to_be_checked()
    expect(page.locator("#show input[value='total']")).to_be_checked()
    wait_for_series(page, "Cases", "2020-05-10", expected("total", "count", "linear")["Cases"]["2020-05-10"])
    page.go_back()
    expect(page.locator("#show input[value='new']")).to_be_checked()
    wait_for_series(page, "Cases", "2020-05-10", expected("new", "count", "linear")["Cases"]["2020-05-10"])


@pytest.mark.parametrize(
    "query",
    [
        "?show=%3Cscript%3E&scale=%27%3B--&asof=0001-01-01&page=-1",
        "?" + "x" * 4000,
        "?start=2020-99-99&%ff=%fe",
    ],
)
def test_a_hostile_address_shows_the_defaults(show: Any, query: str) -> None:
    visit = show()
    page = visit.charted("/" + query)
    expect(page.locator("#show input[value='new']")).to_be_checked()
    assert plotted(page, "Cases")["2020-06-28"] == counts(119).cases - counts(118).cases
    assert visit.complaints == []


# 7: the status page


def test_the_status_page_says_how_the_pipeline_is_and_why(show: Any) -> None:
    reader = FakeReader(notices_=[told(), told("Daybook ALERT: the run failed")])
    reader.runs_[0] = run(state="failed", reasons=('nyt, row 3: "x" is not a number',), reason_count=1)
    owing = run(state="incomplete", pending=(day(120), day(121)))
    reader.owe(owing, failures=("2020-06-29T12:00:00.000Z#x",), newest=day(121))
    page = show(reader).to("/status")
    expect(page.locator("#assessment .verdict")).to_have_text("Degraded")
    expect(page.locator("#assessment")).to_contain_text("1 run failed since the last one that completed.")
    expect(page.locator("#assessment")).to_contain_text("refused: 1 reason")
    expect(page.locator("#assessment")).to_contain_text("2 days")
    expect(page.locator("#assessment table", has_text="Why").first).to_contain_text(str(day(120)))
    assert page.locator(".strip li").count() == 30
    expect(page.locator(".notices")).to_contain_text("Daybook ALERT: the run failed")
    expect(page.locator("#assessment")).to_contain_text("b0nd1e")
    assert page.title() == "Daybook: the pipeline's state"


def test_the_status_leads_to_the_newest_day_whose_entries_can_be_taken_home(show: Any) -> None:
    page = show().to("/status")
    page.locator("#assessment a.day").click()
    expect(page.locator("h1")).to_have_text("Sunday, 28\xa0June\xa02020")
    with page.expect_download() as found:
        page.get_by_role("link", name="CSV", exact=True).click()
    assert found.value.path().read_text().count("\n") == 2


# 8: whose figures they are, and what state they are in


def test_sources_are_credited_as_their_licences_ask(show: Any) -> None:
    warnings_ = (warned("ended/nyt", "The New York Times has ended: its newest date is 2020-06-28"),)
    reader = FakeReader()
    reader.entered(told=warnings_)
    for path in ("/", "/status"):
        page = show(reader).to(path)
        credit = page.locator("#provenance")
        for text in ("The New York Times", "non-commercial", "CSSE at Johns Hopkins University", "CC BY 4.0"):
            expect(credit).to_contain_text(text)
        expect(credit).to_contain_text("The New York Times has ended")
        expect(page.locator("#badges")).to_contain_text("Data through 28 June 2020")
        expect(page.locator("#badges")).to_contain_text("No further figures expected")
        expect(page.locator("#badges")).to_contain_text("Sources checked 29 June 2020, 12:00 UTC")


def test_the_badges_are_about_the_figures_and_the_pipeline_s_state_is_on_its_own_page(show: Any) -> None:
    moment = [NOW]
    reader = FakeReader(hidden={LAST})
    visit = show(reader, clock=lambda: moment[0])
    page = visit.to()
    expect(page.locator("#badges")).to_contain_text("Next figures expected 30 June 2020, 12:00 UTC")
    expect(page.locator("#badges")).to_contain_text("Some of the newest figures are still to come")
    moment[0] += dt.timedelta(days=3)
    expect(visit.to().locator("#badges")).to_contain_text("Late figures expected 30 June 2020, 12:00 UTC")
    expect(page.locator("#badges")).not_to_contain_text("Degraded")
    expect(visit.to("/status").locator("#badges")).to_contain_text("Degraded")


def test_a_made_up_record_says_so_across_every_page(show: Any) -> None:
    visit = show(settings={"synthetic": True})
    for path in ("/", "/status"):
        expect(visit.to(path).locator("#banners .synthetic")).to_be_visible()
    page = visit.charted()
    assert page.locator("#chart .annotation-text", has_text="SYNTHETIC SAMPLE").count() == len(SERIES)


# 9: when things fail


def test_out_of_reach_the_last_good_figures_stay_with_a_banner_that_goes(show: Any) -> None:
    moment = [NOW]
    reader = FakeReader()
    visit = show(reader, clock=lambda: moment[0], refresh_seconds=0.3)
    page = visit.charted("/?show=total")
    reader.kept.append(row(119, Counts(9_999_999, 5, None), NOW))
    reader.entered()
    reader.broken = {"store", "ledger"}
    moment[0] += dt.timedelta(minutes=1)
    expect(page.locator("#banners .failure")).to_contain_text("out of reach since 29 June 2020, 14:01 UTC")
    assert plotted(page, "Cases")[LAST.isoformat()] == counts(119).cases
    assert page.request.get(visit.stage.address).status == 200
    reader.broken = {"store"}
    moment[0] += dt.timedelta(minutes=1)
    expect(page.locator("#banners .failure")).to_contain_text(
        "The store of the figures has been out of reach"
    )
    reader.broken = set()
    moment[0] += dt.timedelta(minutes=1)
    expect(page.locator("#banners .failure")).to_have_count(0)
    wait_for_series(page, "Cases", LAST.isoformat(), 9_999_999)


def test_a_killed_server_is_told_of_until_it_is_back(show: Any) -> None:
    visit = show()
    page = visit.charted()
    visit.stage.fall()
    try:
        pick(page, "show", "total")
        expect(page.locator("#alert")).to_contain_text("server does not answer")
    finally:
        visit.stage.rise()
    expect(page.locator("#alert")).to_be_empty()
    # What was chosen meanwhile is drawn now: controls and chart agree.
    wait_for_series(page, "Cases", "2020-05-10", expected("total", "count", "linear")["Cases"]["2020-05-10"])
    expect(page.locator("#show input[value='total']")).to_be_checked()
    pick(page, "show", "average")
    wait_for_series(
        page, "Cases", "2020-05-10", expected("average", "count", "linear")["Cases"]["2020-05-10"]
    )


def test_a_view_that_fails_is_told_of_until_it_works(show: Any) -> None:
    visit = show()
    page = visit.charted("/?show=total")
    sound = visit.stage.application

    def failing(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["REQUEST_METHOD"] == "GET":
            return sound(environ, start_response)
        start_response("500 INTERNAL SERVER ERROR", [])
        return [b""]

    visit.stage.application = failing
    page.fill("#asof", "2020-06-15")
    expect(page.locator("#alert")).to_contain_text("could not be drawn")
    visit.stage.application = sound
    expect(page.locator("#alert")).to_be_empty()
    wait_for_series(page, "Cases", RESTATED[0].isoformat(), counts(40).cases)


# 10: queries are money


def test_many_visitors_cost_one_query(show: Any) -> None:
    reader = FakeReader()
    visit = show(reader)
    for path in ("/", "/?show=new", "/status", "/", "/?scale=log"):
        visit.to(path)
    assert (reader.asked.count("daily"), reader.asked.count("entries")) == (1, 1)


# What holds for every page


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", ["sound", "failing", "empty", "synthetic"])
def test_axe_finds_nothing_on_any_page_at_any_width(show: Any, theme: str, state: str) -> None:
    reader = empty() if state == "empty" else FakeReader(notices_=[told()])
    if state == "failing":
        reader.runs_[0] = run(state="failed", reasons=("x",), reason_count=1)
        owing = run(state="incomplete", pending=tuple(map(day, range(120, 126))))
        reader.owe(owing, failures=("2020-06-29T12:00:00.000Z#x",), newest=day(125))
        reader.broken, reader.hidden = {"store"}, {LAST}
    visit = show(reader, color_scheme=theme, settings={"synthetic": state == "synthetic"})
    paths = ["/", "/status"]
    if state == "sound":
        paths = [
            "/",
            "/?show=new&scale=log&per=per100k&asof=2020-06-15",
            "/status",
            "/nowhere",
        ]
    for path in paths:
        visit.page.goto(visit.stage.address + path)
        visit.page.wait_for_selector("main h1:visible")
        visit.page.wait_for_load_state("networkidle")
        for details in visit.page.locator("summary:visible").all():
            details.click()
        for width in WIDTHS if state == "sound" else WIDTHS[:1]:
            visit.page.set_viewport_size({"width": width, "height": 900})
            found = Axe().run(visit.page)
            assert found.violations_count == 0, f"{path} at {width}:\n{found.generate_report()}"
            overflow = visit.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert overflow <= 0, f"{path} at {width} is {overflow} pixels too wide"


def test_forced_colours_show_what_is_chosen(show: Any) -> None:
    page = show(forced_colors="active").charted("/?show=new")

    def ground(label: str) -> list[int]:
        """The colour in a label's corner, of a picture: computed styles don't say what was forced."""
        picture = base64.b64encode(page.locator(f"#show {label}").first.screenshot()).decode()
        return page.evaluate(
            """async picture => {
            const image = new Image();
            image.src = 'data:image/png;base64,' + picture;
            await image.decode();
            const canvas = document.createElement('canvas').getContext('2d');
            canvas.drawImage(image, 0, 0);
            return [...canvas.getImageData(4, 4, 1, 1).data];
        }""",
            picture,
        )

    assert ground("input:checked + label") != ground("input:not(:checked) + label")


def test_on_paper_the_chart_is_whole_and_light(show: Any) -> None:
    page = show(color_scheme="dark", viewport={"width": 1280, "height": 900}).charted()
    page.emulate_media(media="print", color_scheme="dark")
    drawn, printed, ground = page.evaluate(
        """() => {
        const wide = document.querySelector('#chart .main-svg').getAttribute('width');
        document.querySelector('#picture').style.width = '500px';
        window.dispatchEvent(new Event('beforeprint'));
        const boxes = [...document.querySelectorAll('#chart .main-svg')].map(e => e.getBoundingClientRect());
        return [wide, boxes.map(b => [b.width, Math.round(b.height)]),
            getComputedStyle(document.documentElement).backgroundColor];
    }"""
    )
    assert int(drawn) > 500
    assert len({tuple(box) for box in printed}) == 1, printed
    assert printed[0][0] == 500
    assert ground == "rgb(255, 253, 248)"


def test_text_at_twice_its_size_overlaps_nothing_on_a_telephone(show: Any) -> None:
    page = show(viewport={"width": 360, "height": 800}).charted("/?asof=2020-06-15")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    faults = page.evaluate(
        """() => {
        const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), rects = [];
        while (walk.nextNode()) {
            const node = walk.currentNode, parent = node.parentElement, range = document.createRange();
            if (parent.closest('svg, .skip, .scroll, script') || !node.data.trim()) continue;
            if (!parent.checkVisibility()) continue;
            range.selectNodeContents(node);
            for (const r of range.getClientRects()) rects.push([node, r]);
        }
        const outside = rects.filter(([, r]) => r.right > innerWidth + 1 || r.left < -1);
        const over = rects.filter(([node, r]) => rects.some(([other, o]) => node !== other
            && Math.min(r.right, o.right) - Math.max(r.left, o.left) > 2
            && Math.min(r.bottom, o.bottom) - Math.max(r.top, o.top) > 6));
        const fields = [...document.querySelectorAll('input[type=date]')].filter(e => e.checkVisibility()
            && e.getBoundingClientRect().right > innerWidth);
        return [...outside, ...over].map(([node]) => node.data).concat(fields.map(e => e.id));
    }"""
    )
    assert faults == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/?asof=2020-06-15", "/status"])
def test_every_control_is_reached_by_keyboard_with_a_visible_focus(show: Any, path: str, theme: str) -> None:
    page = show(FakeReader(notices_=[told()]), color_scheme=theme).to(path)
    page.wait_for_load_state("networkidle")
    wanted = page.evaluate(
        """() => [...document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]')]
        .filter(e => e.checkVisibility() && !(e.type === 'radio' && !e.checked))
        .map((e, place) => { e.dataset.place = place; return place; })"""
    )
    reached = set()
    for _ in range(len(wanted) * 5):  # a date field is several stops
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => {
                const e = document.activeElement, s = getComputedStyle(e);
                const ring = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;
                return [e.dataset.place ?? null, ring];
            }"""
        )
        if found[0] is not None:
            assert found[1], page.evaluate("document.activeElement.outerHTML")
            reached.add(int(found[0]))
    missed = [
        page.evaluate(f"document.querySelector('[data-place=\"{place}\"]').outerHTML")
        for place in set(wanted) - reached
    ]
    assert missed == []


def test_arrow_keys_move_within_a_switch_and_the_focus_stays(show: Any) -> None:
    page = show().charted()
    page.focus("#show input[value='new']")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**show=average")
    assert page.evaluate("document.activeElement.value") == "average"


def test_after_turning_a_page_of_the_table_the_focus_is_still_there(show: Any) -> None:
    page = show().charted()
    page.focus("#older")
    page.keyboard.press("Enter")
    expect(page.locator("#table")).to_contain_text("Page 2 of")
    page.wait_for_function("() => document.activeElement.id === 'older'")


@pytest.mark.parametrize("encodings", [{}, {"Accept-Encoding": "gzip"}], ids=["brotli", "gzip"])
def test_nothing_is_asked_of_another_host_nothing_complains_and_little_is_sent(
    show: Any, encodings: dict[str, str]
) -> None:
    visit = show(extra_http_headers=encodings)
    sizes: list[int] = []
    visit.page.on("requestfinished", lambda request: sizes.append(sum(_sizes(request))))
    page = visit.charted()
    page.wait_for_load_state("networkidle")
    assert sum(sizes) <= MAX_COLD_BYTES
    assert [
        address for address in visit.addresses if not address.startswith((visit.stage.address, "data:"))
    ] == []
    assert not [address for address in visit.addresses if "plotly.min.js" in address]
    assert visit.complaints == []


def _sizes(request: Any) -> tuple[int, int]:
    found = request.sizes()
    return found["responseBodySize"], found["responseHeadersSize"]


def test_hostile_strings_are_shown_as_text(show: Any) -> None:
    reader = FakeReader(notices_=[told(HOSTILE, HOSTILE)])
    reader.runs_[0] = run(state="failed", reasons=(HOSTILE,), reason_count=1, trigger=HOSTILE, code=HOSTILE)
    reader.entered(told=(warned("ended/nyt", HOSTILE), warned("behind/jhu", HOSTILE)))
    reader.files_ = [replace(file, sha256=HOSTILE) for file in reader.files_]
    reader.kept[0] = replace(reader.kept[0], event=HOSTILE)
    visit = show(reader, settings={"stack": HOSTILE, "schedule": HOSTILE, "bundle": HOSTILE})
    for path in ("/?show=" + HOSTILE, "/status"):
        page = visit.to(path)
        page.wait_for_load_state("networkidle")
        expect(page.locator("body")).to_contain_text("<img src=x")
        assert page.locator("img[src='x']").count() == 0
        assert "owned" not in page.title()
    assert visit.complaints == []


def test_before_the_first_run_the_page_says_that_there_is_nothing(show: Any) -> None:
    visit = show(empty())
    page = visit.to("/")
    expect(page.locator("#tiles")).to_contain_text("There are no figures yet.")
    expect(page.locator("#drawing")).to_be_hidden()
    expect(visit.to("/status").locator("#assessment")).to_contain_text("No run has been made yet.")
    assert visit.complaints == []
