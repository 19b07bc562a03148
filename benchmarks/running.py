"""What a newcomer waits for, the environment being installed."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.browser import browser, until_drawn
from benchmarks.inputs import DATA, ROOT
from benchmarks.measure import Figure, elapsed

SAID = "The dashboard is at "
WINDOW = ("2020-09-02", "2020-12-31")


def figures() -> Iterator[Figure]:
    yield Figure("`make run` to a drawn chart", _to_a_chart(), "s", 8, "the sample, nothing kept")
    published = DATA / "published"
    if published.is_dir():
        yield Figure("`play`, four months of the real history", _play(published), "s", 90)


def _to_a_chart() -> float:
    with tempfile.TemporaryDirectory() as state, browser() as chromium:
        command = [sys.executable, "-u", "-m", "local", "up", "--state", state]
        begun = time.perf_counter()
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as system:  # noqa: S603
            assert system.stdout  # noqa: S101
            try:
                address = next(line for line in system.stdout if line.startswith(SAID)).removeprefix(SAID)
                until_drawn(chromium, address.strip())
                return time.perf_counter() - begun
            finally:
                system.terminate()


def _play(published: Path) -> float:
    with tempfile.TemporaryDirectory() as out:
        archives = [
            "--nyt",
            published / "nyt_us.tar.xz",
            "--jhu",
            published / "jhu_countries_aggregated.tar.xz",
        ]
        command = [sys.executable, "-m", "local", "play", *archives, "--out", out]
        command += ["--start", WINDOW[0], "--end", WINDOW[1]]

        def work() -> None:
            subprocess.run([*map(str, command)], cwd=ROOT, check=True, capture_output=True)  # noqa: S603

        return elapsed(work)
