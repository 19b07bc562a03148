"""A headless Chromium, for what people wait for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.browser import ARGUMENTS, executable

DRAWN = "#chart .trace"


@contextmanager
def browser() -> Iterator[Browser]:
    """Raises RuntimeError where there is none."""
    path = executable()
    if path is None:
        raise RuntimeError("no browser here: install Chromium, Chrome or Edge")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield found
        found.close()


def until_drawn(browser: Browser, address: str) -> float:
    """Seconds from the address to the drawn chart, with nothing cached."""
    context = browser.new_context()
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(address)
    page.wait_for_selector(DRAWN, state="visible")
    took = time.perf_counter() - begun
    context.close()
    return took


def asked(browser: Browser, address: str, clicks: int) -> tuple[list[float], list[dict[str, Any]]]:
    """Milliseconds of each callback while somebody chooses other series, and what was asked for."""
    context = browser.new_context()
    page = context.new_page()
    took: list[float] = []
    bodies: list[dict[str, Any]] = []

    def answered(request: Any) -> None:
        if "_dash-update-component" in request.url:
            took.append(request.timing["responseEnd"] - request.timing["requestStart"])
            bodies.append({"url": request.url, "body": request.post_data})

    page.goto(address)
    page.wait_for_selector(DRAWN, state="visible")
    page.on("requestfinished", answered)
    choices = page.locator("input[type=radio]:visible")
    for number in range(clicks):
        choices.nth(number % choices.count()).check(force=True)
        page.wait_for_timeout(100)
    context.close()
    return took, bodies
