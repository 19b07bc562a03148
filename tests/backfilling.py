"""A stack in this process, the sources' history by commit on loopback, and the operator who enters it."""

import contextlib
import datetime as dt
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from builders import jhu, nyt
from in_process import InProcessCloud
from system import System

from functions import history
from local import in_process
from local.aws.invoking import let_invoke
from local.play import moments, play
from local.sources.feeds import publishing
from local.sources.history import History
from ops.__main__ import run
from ops.invariants import broken, files
from ops.invariants.ending import (
    Ended,
    Message,
    dump,
    every_entry_is_in_one_report,
    every_notice_was_sent_once,
)
from ops.stack import Stack
from storage import csv_files, raw

NOW = dt.datetime(2026, 11, 27, 16, tzinfo=dt.UTC)
# What both sources published on six days: restated, the same again, a day missing, restated.
DAYS = [dt.date(2020, 10, day) for day in range(1, 7)]
FIGURES = [
    {"2020-09-29": 10_000, "2020-09-30": 11_000},
    {"2020-09-29": 10_000, "2020-09-30": 11_100, "2020-10-01": 12_000},
    {"2020-09-29": 10_001, "2020-09-30": 11_100, "2020-10-01": 12_000, "2020-10-02": 13_000},
    {"2020-09-29": 10_001, "2020-09-30": 11_100, "2020-10-01": 12_000, "2020-10-02": 13_000},  # nothing new
    {"2020-09-29": 10_001, "2020-10-01": 12_000},  # is refused: a day is missing
    {"2020-09-29": 10_000, "2020-09-30": 11_001, "2020-10-01": 12_002, "2020-10-02": 13_003},
]
TEXTS = [
    (nyt(*(f"{date},{count},0" for date, count in each.items())), jhu(*(f"{date},0" for date in each)))
    for each in FIGURES
]
MOMENTS = tuple(dt.datetime.combine(day, dt.time(11), dt.UTC) for day in DAYS)
VERSIONS = [History(MOMENTS, tuple(text[place] for text in TEXTS)) for place in (0, 1)]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C at some call of the command."""


class Operated:
    """``at_call`` is asked before each call of the command; what it raises breaks the command off."""

    def __init__(self, cloud: InProcessCloud) -> None:
        self.cloud = cloud
        self.system = System(cloud, cloud.publisher)
        self.calls = 0
        self.asked = 0
        self.at_call: Callable[[str], None] = lambda _: None
        let_invoke(cloud)

    def again(self) -> None:
        self.cloud.again()
        self.cloud.clock.begin(NOW)
        self.cloud.publisher.files.clear()
        self.calls = self.asked = 0
        self.at_call = lambda _: None

    def publish(self, versions: Sequence[Any] | None = None) -> None:
        """Serve the listed commits of these versions, or of the six days."""
        self.cloud.publisher.files.update(commits(versions or VERSIONS))

    def settle(self) -> None:
        self.cloud.settle()

    def client(self, service: str) -> Any:
        return _Watched(self, service)

    @property
    def stack(self) -> Stack:
        return Stack("in-process cloud", self.cloud.stack.exports, self.client, self.cloud.clock.now)

    def command(self, *arguments: str) -> tuple[int, str]:
        """The exit code of ``daybook`` with these arguments, and all that it wrote."""
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            code = run(list(arguments), self.stack)
        return code, output.getvalue()

    def ask(self, date: dt.date) -> None:
        """A request for a date, by nobody's command."""
        self.stack.ask(history.request(date))

    def schedule(self) -> None:
        """The schedule comes round."""
        self.cloud.run(self.cloud.clock.now())
        self.cloud.settle()

    @property
    def record(self) -> tuple[str, str]:
        """Days and entries, as ``play`` writes them."""
        tables = self.cloud.tables
        return csv_files.days(tables.daily()), csv_files.revisions(tables.entries())

    @property
    def problems(self) -> list[str]:
        """The invariants that don't hold, those of reports too."""
        kept = raw.read(self.cloud.client, self.cloud.stack.exports, files.parse)
        ended = Ended(kept, None, self.messages)
        found = [*broken(kept), *every_entry_is_in_one_report(ended), *every_notice_was_sent_once(ended)]
        return [finding.what for finding in found]

    @property
    def all_of_it(self) -> bytes:
        kept = raw.read(self.cloud.client, self.cloud.stack.exports, files.parse)
        return dump(kept, self.messages)

    @property
    def messages(self) -> tuple[Message, ...]:
        return tuple(
            Message(name, str(item.subject), item.text("email"))
            for item in self.cloud.emulator.publications
            if (name := item.topic_arn.rpartition("daybook-local-")[2]) in ("daily-report", "alerts")
        )

    @property
    def runs(self) -> list[str]:
        return [run.name for run in self.cloud.ledger.runs(limit=None)]


class _Watched:
    """A client of the command's. What is asked of the fetcher has come to its end when Lambda answers."""

    def __init__(self, operated: Operated, service: str) -> None:
        self._operated, self._service = operated, service

    def __getattr__(self, name: str) -> Any:
        operated = self._operated
        call = getattr(operated.cloud.client(self._service), name)

        if not callable(call):
            return call

        def watched(*arguments: Any, **request: Any) -> Any:
            operated.calls += 1
            operated.at_call(name)
            reply = call(*arguments, **request)
            if request.get("InvocationType") == "Event":
                operated.asked += 1
                operated.settle()
            return reply

        return watched


@contextlib.contextmanager
def operated(store: str) -> Iterator[Operated]:
    """One stack that has made no run."""
    with in_process.in_process(NOW, store=store) as cloud:
        for function in cloud.stack.functions:
            if "DAYBOOK_HISTORY_BASE" in function.environment:
                function.environment["DAYBOOK_HISTORY_BASE"] = cloud.publisher.address("")
        yield Operated(cloud)


def played(operated: Operated, versions: Sequence[Any], dates: Sequence[dt.date]) -> tuple[str, str]:
    """The record as ``play`` makes it of the same versions."""
    operated.again()
    operated.cloud.clock.begin(history.moment_of(dates[0]))
    publish = publishing(operated.cloud.publisher, *versions)
    for _ in play(operated.cloud, publish, moments(dates[0], dates[-1], history.NOON)):
        pass
    return operated.record


def commits(versions: Sequence[Any]) -> dict[str, bytes]:
    """Under the place of each listed commit, what its source had published by then; the first of the versions
    are The New York Times'."""
    return {
        place: each.at(moment)
        for each, known in zip(versions, history.commits().values(), strict=True)
        for moment, place in zip(known.moments, known.places, strict=True)
    }


def listed(path: Path, days: Sequence[dt.date]) -> Path:
    """A list with one commit a day and source, an hour before noon."""
    rows = [
        f"{day}T11:00:00Z,{source},us/{source},{day:%Y%m%d},{source}.csv"
        for day in days
        for source in ("nyt", "jhu")
    ]
    path.write_text("\n".join(["published_at,source,repository,commit,path", *rows]) + "\n")
    return path
