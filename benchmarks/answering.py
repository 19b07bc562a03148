"""The addresses for programs, of a record that is larger than any yet: from memory, beside other requests."""

import csv
import datetime as dt
import gc
import io
import statistics
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dash import Dash
from werkzeug.serving import WSGIRequestHandler, make_server

from benchmarks.measure import Figure, elapsed, ratio, seconds
from dashboard.app import create_app
from dashboard.settings import Settings
from dashboard.vintages import Asked, lines
from schemas import columns
from schemas.day import Day
from schemas.figures import Counts
from schemas.ledger import Head
from schemas.moment import version
from storage.change import Reading
from storage.csv_files import text
from storage.tables import Row, stamp

FIRST = dt.date(2020, 1, 21)
DATES, EACH = 1_000, 100  # dates, and entries of each
NOW = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)
ROUNDS = 9
ASKED = 200
A_DAY = dt.timedelta(days=1)
SETTINGS = Settings("benchmark", "", "dynamodb", "", "", "", "b", "", 36, synthetic=True)


class Held:
    """A ledger and its tables that answer at once."""

    def __init__(self) -> None:
        self.rows = [row(number, revision) for number in range(DATES) for revision in range(EACH)]
        self.newest = list({row.day.date: row for row in self.rows}.values())
        self.state = Head(stamp=stamp(self.rows), entries=len(self.rows))

    def head(self) -> Head:
        return self.state

    def owing(self) -> Reading:
        return Reading(self.state, None, (), {})

    def daily(self) -> list[Row]:
        return self.newest

    def entries(self) -> list[Row]:
        return self.rows

    def files(self) -> list[Any]:
        return []

    def runs(self, limit: int) -> list[Any]:  # noqa: ARG002 the ledger's
        return []

    def runs_named(self, names: Iterable[str]) -> list[Any]:  # noqa: ARG002
        return []

    def notices(self) -> list[Any]:
        return []


def row(number: int, revision: int) -> Row:
    """An entry of the number-th date; recoveries end with the 800th."""
    date = FIRST + number * A_DAY
    counts = Counts(1_000 * number + revision, number, None if number > 800 else number)
    entered = dt.datetime.combine(date, dt.time(12), dt.UTC) + (revision + 1) * A_DAY
    return Row(Day(date, counts), version(entered), "", "")


def figures() -> Iterator[Figure]:
    held = Held()
    same = list(lines("entries", held.rows, Asked()))
    size = f"{len(same):,} entries"

    def alone() -> None:
        csv.writer(io.StringIO(), lineterminator="\n").writerows(same)

    def ours() -> None:
        text(columns.ENTRIES, lines("entries", held.rows, Asked())).encode()

    part, mine, its = ratio(lambda: seconds(ours), lambda: seconds(alone), ROUNDS)
    note = f"{size}: {mine * 1000:.0f} ms, csv.writer alone {its * 1000:.0f} ms"
    yield Figure("/data/entries.csv when it is made", part, "× csv.writer", 2, note)
    app = create_app(held, held, SETTINGS, clock=lambda: NOW)
    with _served(app) as address:

        def ask(path: str, **headers: str) -> Any:
            with urllib.request.urlopen(urllib.request.Request(address + path, headers=headers)) as answer:  # noqa: S310
                answer.read()
                return answer.headers

        ask("/data/days.csv")  # the tables are read
        beside, longest = _beside(lambda: ask("/healthz"), lambda: ask("/data/entries.csv"))
        note = f"{beside} answers of /healthz, the longest {longest:.0f} ms"
        yield Figure("other requests answered while it is made", beside, "answers", None, note)
        again = statistics.median(elapsed(lambda: ask("/data/entries.csv")) for _ in range(ROUNDS))
        yield Figure("the same again", again * 1000, "ms", None, "over HTTP, on this machine")
        asked = [f"/data/days.csv?as_of={FIRST + number * A_DAY}" for number in range(900, 900 + ROUNDS * 3)]
        client = app.server.test_client()
        took = statistics.median(seconds(lambda path=path: client.get(path)) for path in asked)
        yield Figure("as_of, asked for the first time", took * 1000, "ms", 20, "processor time, of 910 days")
        before = _resident()
        for number in range(ASKED):
            ask(f"/data/entries.csv?to={FIRST + number * A_DAY * 5}")
            ask(f"/data/days.json?as_of={FIRST + number * A_DAY * 5}", **{"Accept-Encoding": "gzip"})
        note = f"{2 * ASKED} questions, no two the same; 32 MB of bodies may be kept"
        yield Figure("memory that different questions take", _resident() - before, "MB", 100, note)


class Silent(WSGIRequestHandler):
    """Writes no log."""

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@contextmanager
def _served(app: Dash) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app.server, threaded=True, request_handler=Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def _beside(small: Callable[[], Any], large: Callable[[], Any]) -> tuple[int, float]:
    """How often the small one is answered while the large one is, and the longest that it takes, in ms."""
    work = threading.Thread(target=large)
    work.start()
    took: list[float] = []
    while work.is_alive():
        took.append(elapsed(small) * 1000)
        time.sleep(0.001)
    return len(took), max(took)


def _resident() -> float:
    """Megabytes of this process; 0 where Linux's /proc isn't there."""
    gc.collect()
    status = Path("/proc/self/status")
    text = status.read_text(encoding="ascii") if status.exists() else "VmRSS: 0 kB"
    return int(text.partition("VmRSS:")[2].split()[0]) / 1000
