"""The eight invariants of the design, checked on a cloud in this process.

``Watch`` looks after each invocation for what may never happen on the way; ``hold`` looks at what is there
when all is over. Both read the emulator's own state or by ``ops.verify``, never by what they judge.
"""

import base64
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import truth
from moto.dynamodb.models import dynamodb_backends
from system import System

from local.cloud import LocalCloud
from local.emulator import REGION, Publication
from ops import verify
from ops.invariants import Finding
from schemas.event import DayEvent, about
from schemas.moment import at
from schemas.run import COMPLETED, OPEN, Run

ACCOUNT = "123456789012"


class Broken(AssertionError):
    """An invariant doesn't hold; its number is the design's."""


class Watch:
    """What is seen after each invocation."""

    def __init__(self, daybook: System) -> None:
        self.daybook = daybook
        self.last: dt.date | None = None
        self.versions: dict[tuple[str, dt.date], int] = {}
        self.known: set[dt.date] = set()  # published by both, as of the runs so far
        self.late: set[dt.date] = set()  # first published behind the last acknowledged date

    @property
    def seen(self) -> tuple[Any, ...]:
        """What it compares with, for another watch to begin with."""
        return self.last, dict(self.versions), set(self.known), set(self.late)

    @seen.setter
    def seen(self, seen: tuple[Any, ...]) -> None:
        self.last, versions, known, late = seen
        self.versions, self.known, self.late = dict(versions), set(known), set(late)

    def look(self, handler: str, _invocation: Any) -> None:
        items = self._items()
        head, days = items.get("head", {}), {k[4:]: v for k, v in items.items() if k.startswith("day#")}
        found = head.get("last_acknowledged")
        last = dt.date.fromisoformat(found) if found else None
        if self.last and (last is None or last < self.last):
            raise Broken(f"3: after the {handler} the last acknowledged date is {last}, it was {self.last}")
        published = set(self.published())
        self.late |= {date for date in published - self.known if self.last and date <= self.last}
        self.known |= published
        self.last = last
        for date in sorted(published - self.late):
            if last and date <= last and date.isoformat() not in days:
                raise Broken(f"3: {last} is acknowledged, and {date} was never written")
        for place, versions in (("ledger", self._acknowledged(days)), ("daily", self._current())):
            for date, version in versions.items():
                if version < self.versions.get((place, date), 0):
                    raise Broken(f"7: {date} has gone back to version {version} in {place}")
                self.versions[place, date] = version
        current, stored = self._current(), self._acknowledged(days)
        for date, version in stored.items():
            if version > current.get(date, 0):
                raise Broken(f"3: {date} is acknowledged as of {version}, the table has {current.get(date)}")

    def published(self) -> list[dt.date]:
        """The dates in the log of the stream and what is published now."""
        return [dt.date.fromisoformat(date) for date in said(self.daybook)]

    def pending_has_a_reason(self) -> None:
        """1: every published date is acknowledged with its figures, or a run says why it isn't."""
        daybook = self.daybook
        days = {str(date): day for date, day in daybook.cloud.ledger.days().items()}
        waiting = [
            date
            for date, figures in said(daybook).items()
            if date not in days or not days[date].digest or _figures(days[date].counts) != figures
        ]
        unfinished = [run for run in daybook.cloud.ledger.recent_runs() if run.state != COMPLETED]
        if waiting and not unfinished and not daybook.told("alerts"):
            raise Broken(f"1: {waiting} are not acknowledged, no run is unfinished, nobody was told")

    def _items(self) -> dict[str, dict[str, Any]]:
        table = self.daybook.cloud.stack.exports["ledger_table"]
        found = dynamodb_backends[ACCOUNT][REGION].tables[table].items
        return {
            entry: {name: _plain(value) for name, value in item.attrs.items()}
            for series in found.values()
            for entry, item in _ranges(series)
        }

    def _acknowledged(self, days: dict[str, dict[str, Any]]) -> dict[dt.date, int]:
        return {dt.date.fromisoformat(date): int(item["version"]) for date, item in days.items()}

    def _current(self) -> dict[dt.date, int]:
        exports = self.daybook.cloud.stack.exports
        table = self.daybook.cloud.emulator.timestream.table(exports["database"], exports["daily_table"])
        assert table
        return {
            at(record.time_ns // 1_000_000).date(): record.version for _, record in table.entries.values()
        }


def hold(watch: Watch, copies: bool = False) -> None:
    """All is over, and one run went well since: everything must be as it should. Raises Broken."""
    problems = list(broken(watch.daybook, copies))
    if problems:
        raise Broken("\n  ".join(problems))


def verified(cloud: LocalCloud) -> tuple[list[DayEvent], list[Finding]]:
    """The log, and what `python -m ops verify` finds."""
    target: Any = SimpleNamespace(
        client=cloud.client,
        facts=cloud.stack.exports,
        reader=cloud.reader,
        aws=False,
        cloud=cloud,
        now=cloud.clock.now,
    )
    log, found = verify.read_archive(target)
    return log, found + verify.found_in(target, log)


def broken(daybook: System, copies: bool) -> Iterator[str]:
    cloud = daybook.cloud
    log, found = verified(cloud)
    yield from (f"2, 3, 8: {finding.place}: {finding.what}" for finding in found if finding.broken)
    head, runs = cloud.ledger.head(), cloud.ledger.recent_runs(100)
    expected = said(daybook)
    rows = cloud.reader.daily()
    if len({row.day.date for row in rows}) != len(rows):
        yield "2: a date has two current rows"
    shown = {row.day.date.isoformat(): _figures(row.day.counts) for row in rows}
    if shown != expected:
        yield f"6: the table has {shown}, a run that never failed would have {expected}"
    unmatched = [date for date, day in cloud.ledger.days().items() if day.digest != day.counts.digest]
    if unmatched:
        yield f"1: {unmatched} are still pending"
    if head.last_acknowledged is None or head.last_acknowledged.isoformat() != max(expected):
        yield f"3: the last acknowledged date is {head.last_acknowledged}, not {max(expected)}"
    yield from _order(daybook)
    if head.unsent:
        yield f"5: {sorted(head.unsent)} were never sent"
    texts = [(item, item.text("email")) for item in cloud.emulator.publications]
    told = [(item, text) for item, text in texts if not item.topic_arn.endswith("failures")]
    rows_of: dict[str, set[dt.date]] = defaultdict(set)
    runs_of = {event.id: event.run for event in log}
    for row in cloud.reader.revisions():
        rows_of[runs_of.get(row.event, "")].add(row.day.date)
    for run in runs:
        topic = "daily-report" if run.state == COMPLETED else "alerts"
        if run.state == OPEN:
            yield f"1: the run of {run.name} is still open"
        else:
            yield from _counts(run, rows_of)
        if run.state != OPEN and not any(
            item.topic_arn.endswith(topic) and run.name in text for item, text in told
        ):
            yield f"5: the run of {run.name} is {run.state}, and nobody was told"
    for text, count in Counter(text for item, text in told if not _machine(item)).items():
        if count > 1 and not copies:
            yield f"5: {count} copies of {text.splitlines()[0]!r}"
    yield from _falsehoods(daybook, runs)


def _counts(run: Run, rows: Mapping[str, set[dt.date]]) -> Iterator[str]:
    """8: what a run says that it entered has an entry of this run; all that is pending is accounted for."""
    for date in sorted((run.inserted | run.updated) - rows[run.name]):
        yield f"8: the run of {run.name} counts {date} as entered, and entered nothing"
    if run.state == COMPLETED and run.accounted != set(run.pending):
        yield f"8: the run of {run.name} accounts for {len(run.accounted)} of {len(run.pending)} dates"


def _order(daybook: System) -> Iterator[str]:
    """4: a run asks for its events to be put in the order of their dates."""
    cloud: Any = daybook.cloud
    sent: dict[str, list[dt.date]] = defaultdict(list)
    for data in cloud.wire.asked:
        of = about(base64.b64decode(data))
        if of.run and of.date and of.date not in sent[of.run]:
            sent[of.run].append(of.date)
    for run, dates in sent.items():
        if dates != sorted(dates):
            yield f"4: the run of {run} sent {[str(date) for date in dates]}"


def _falsehoods(daybook: System, runs: Any) -> Iterator[str]:
    """5: an alert that days could not be entered is of days that were not."""
    accounted = {run.name: run for run in runs}
    for item in daybook.told("alerts"):
        text = item.text("email")
        if "could not be entered" not in str(item.subject):
            continue
        named = [run for name, run in accounted.items() if name in text]
        if named and all(run.state == COMPLETED for run in named):
            yield f"5: people were told that {named[0].name} could not be entered, and it is complete"


def _machine(publication: Publication) -> bool:
    """Lambda's own words, where the reporter failed as well."""
    return publication.structure != "json"


def said(daybook: System) -> dict[str, Any]:
    """{date: figures} as the files say, by a reader that shares nothing with the project."""
    files = daybook.publisher.files
    if not {"nyt", "jhu"} <= files.keys():
        return {}
    moment = daybook.cloud.clock.now()
    return truth.figures(files["nyt"].decode(), files["jhu"].decode(), moment.date()) or {}


def _figures(counts: Any) -> tuple[int, int, int | None]:
    return counts.cases, counts.deaths, counts.recovered


def _ranges(series: Any) -> Iterator[tuple[str, Any]]:
    for entry, item in series.items():
        yield getattr(entry, "value", entry), item


def _plain(value: Any) -> Any:
    return getattr(value, "value", value)
