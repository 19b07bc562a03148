"""The dashboard under gunicorn, from the bundle, as Elastic Beanstalk runs it."""

import datetime as dt
import statistics
import threading
import time
import urllib.request
from collections.abc import Iterator

from benchmarks.browser import asked, browser, until_drawn
from benchmarks.inputs import FIRST, look_alikes
from benchmarks.measure import Figure
from local.clock import Clock
from local.cloud import LocalCloud
from local.dashboard import Dashboard
from local.sources.publisher import Publisher

DAYS = 344
VISITS = 7
CLICKS = 60
VIEWERS = 50
LOOKS = 12  # of each viewer
EVERY = 1.0  # seconds between them


def figures() -> Iterator[Figure]:
    begin = dt.datetime.combine(FIRST + dt.timedelta(days=DAYS), dt.time(12), dt.UTC)
    with Publisher() as publisher, LocalCloud(Clock.virtual(begin), publisher.config()) as cloud:
        publisher.files["nyt"], publisher.files["jhu"] = look_alikes(DAYS)
        cloud.run(begin)
        cloud.settle()
        environment = cloud.stack.exports["dashboard_environment"]
        with Dashboard(environment, cloud.emulator.environment()) as served, browser() as chromium:
            until_drawn(chromium, served.address)  # the tables are read once
            visits = [until_drawn(chromium, served.address) for _ in range(VISITS)]
            yield Figure("chart visible, nothing cached (median)", statistics.median(visits), "s", 1.5)
            took, bodies = asked(chromium, served.address, CLICKS)
            yield Figure("callback, p95", _p95(took), "ms", 150, f"{len(took)} callbacks")
            before = cloud.emulator.calls["Query"]
            crowd = _crowd(served.address, [found["body"].encode() for found in bodies])
            note = f"{len(crowd)} callbacks, median {statistics.median(crowd):.0f} ms"
            yield Figure(f"callback with {VIEWERS} viewers, p95", _p95(crowd), "ms", 200, note)
            queries = cloud.emulator.calls["Query"] - before
            yield Figure("queries while nothing changes", queries, "queries", 0)


def _crowd(address: str, bodies: list[bytes]) -> list[float]:
    """Milliseconds of each answer, to viewers who look at something else once a second."""
    took: list[float] = []

    def view(number: int) -> None:
        time.sleep(EVERY * number / VIEWERS)
        for look in range(LOOKS):
            body = bodies[(number + look) % len(bodies)]
            request = urllib.request.Request(  # noqa: S310 our own address
                f"{address}_dash-update-component", body, {"Content-Type": "application/json"}
            )
            begun = time.perf_counter()
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                answer.read()
            took.append((time.perf_counter() - begun) * 1000)
            time.sleep(max(0.0, EVERY - took[-1] / 1000))

    viewers = [threading.Thread(target=view, args=(number,)) for number in range(VIEWERS)]
    for viewer in viewers:
        viewer.start()
    for viewer in viewers:
        viewer.join()
    assert len(took) == VIEWERS * LOOKS, "a viewer was turned away"  # noqa: S101
    return took


def _p95(found: list[float]) -> float:
    return statistics.quantiles(found, n=20)[-1]
