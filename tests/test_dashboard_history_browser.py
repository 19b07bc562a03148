"""The pages of the record's history in a real browser: as readers, and as pages that show them in a frame."""

from collections.abc import Iterator
from typing import Any

import pytest
from browser import Stage, started
from dashboards import NOW, SETTINGS, FakeReader

from dashboard.app import create_app

pytest.importorskip("playwright")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("history browser")]

PATIENCE = 30_000  # milliseconds
PATHS = (
    "/day/2020-04-10",
    "/day/2020-06-28",
    "/day/2021-01-01",
    "/revisions",
    "/revisions?show=new",
    "/embed",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as found:
        yield found


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    found, reader = Stage(), FakeReader()
    found.application = create_app(reader, reader, SETTINGS, lambda: NOW, 3600, (30, 30)).server
    yield found
    found.fall()


@pytest.fixture
def visit(browser: Browser, stage: Stage) -> Iterator[Any]:
    """Opens pages of their own, each with what it is told of the reader's screen."""
    contexts = []

    def visiting(path: str, **context: Any) -> Page:
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(stage.address + path)
        return page

    yield visiting
    for context in contexts:
        context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_they_are_accessible_and_no_wider_than_the_window(visit, stage, width, scheme):
    page = visit("/embed", viewport={"width": width, "height": 900}, color_scheme=scheme)
    for path in PATHS:
        page.goto(stage.address + path)
        found = Axe().run(page)
        assert found.violations_count == 0, (path, found.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, path


def test_without_a_script_a_click_on_the_map_opens_the_day_and_each_day_leads_to_the_next(visit):
    page = visit("/revisions", java_script_enabled=False, viewport={"width": 1280, "height": 900})
    page.locator(".map a[href='/day/2020-05-30']").click()
    expect(page.locator("h1")).to_have_text("Saturday, 30\xa0May\xa02020")
    expect(page.locator(".steps").first).to_be_visible()
    page.get_by_role("link", name="31\xa0May\xa02020").click()
    expect(page.locator("h1")).to_have_text("Sunday, 31\xa0May\xa02020")
    page.get_by_role("link", name="The record").click()
    page.wait_for_url("**/")


def test_a_mark_stands_where_its_day_and_its_publication_are_and_is_as_large_as_its_change(visit):
    page = visit("/revisions", viewport={"width": 1280, "height": 900})
    script = """() => [...document.querySelectorAll('.map a')].map(one => {
        const box = one.firstChild.getBoundingClientRect();
        return [one.getAttribute('href').slice(5), box.x + box.width / 2, box.y + box.height / 2, box.width];
    })"""
    marks = sorted(page.evaluate(script))
    dates, across, down, sizes = zip(*marks, strict=True)
    assert dates == ("2020-04-10", "2020-04-11", "2020-05-30")
    days = (across[2] - across[1]) / (across[1] - across[0])
    assert days == pytest.approx(49, rel=0.05)  # from 11 April to 30 May, in days
    assert max(down) - min(down) < 1  # one publication
    assert len(set(sizes)) == 1  # one change


def test_every_date_on_the_first_page_leads_to_its_day(visit):
    page = visit("/", viewport={"width": 1280, "height": 900})
    page.wait_for_selector("#table tbody tr")
    first = page.locator("#table tbody th a").first
    expect(first).to_have_attribute("href", "/day/2020-06-28")
    expect(page.locator("#badges a.day")).to_have_attribute("href", "/day/2020-06-28")
    page.locator("#lately a[href='/day/2020-04-10']").first.click()
    expect(page.locator("h1")).to_have_text("Friday, 10\xa0April\xa02020")


def test_what_is_shared_has_the_hosts_address_and_is_copied(visit, stage):
    page = visit("/?show=new&asof=2020-06-15", permissions=["clipboard-read", "clipboard-write"])
    page.locator(".sharing summary").click()
    share = page.locator("#share")
    expect(share).to_contain_text(f"{stage.address}/?show=new&scale=linear&per=count")
    expect(page.locator("#frame")).to_contain_text(f'<iframe src="{stage.address}/embed?show=new&amp;scale')
    found = Axe().run(page, context="#sharing")
    assert found.violations_count == 0, found.generate_report()
    page.locator("button.copy").first.click()
    expect(page.locator("button.copy").first).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == share.text_content()
    page.goto(copied)
    expect(page.locator("#believed")).to_contain_text("What was entered after 29\xa0June\xa02020")


def test_another_site_may_frame_the_chart_and_nothing_else(visit, stage):
    def other(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/html")])
        paths = ("/embed", "/revisions")
        return ["".join(f'<iframe src="{stage.address}{path}"></iframe>' for path in paths).encode()]

    site = Stage()
    site.application = other
    try:
        page = visit("/embed")
        page.goto(site.address)
        expect(page.frame_locator("iframe").nth(0).locator(".still path")).to_have_count(7, timeout=PATIENCE)
        assert page.frame_locator("iframe").nth(1).locator(".map").count() == 0
    finally:
        site.fall()


def test_a_click_on_a_day_in_the_chart_opens_its_page_and_the_events_are_a_list_beneath(visit):
    page = visit("/", viewport={"width": 1280, "height": 900})
    page.wait_for_selector("#chart .trace", state="attached")
    expect(page.locator("#notes .events li")).to_have_count(2)
    expect(page.locator("#notes .events a[href='/day/2020-06-20']")).to_be_visible()
    expect(page.locator("#chart .annotation-text", has_text="a")).not_to_have_count(0)
    page.locator("#chart").scroll_into_view_if_needed()
    box = page.locator("#chart .nsewdrag").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 40)
    page.wait_for_url("**/day/2020-*")
