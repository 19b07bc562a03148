"""Local clouds as commands see them: one that runs, by the ``running.json`` in its folder, and what is kept.

A kept state is read where it lies: its log says what days and tables are (``restore`` in local/state.py makes
the same of them). Only what changes it, or asks more of it, starts a cloud on it.
"""

import datetime as dt
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local import state
from ops.errors import BROKEN, CONFIGURATION, Problem
from ops.stack import Stack, real_time
from ops.terminal import progress
from schemas.event import DayEvent
from schemas.ledger import Acknowledged, Head, Run, decided
from storage import ledger_items as items
from storage.archive import Archive, distinct
from storage.errors import Damaged
from storage.ledger import Ledger
from storage.tables import Row, row

if TYPE_CHECKING:
    from local.cloud import LocalCloud

PARAMETERS = "/daybook/"
RUNNING = "running.json"


def find(folder: Path) -> Path | None:
    """This folder or one in it: first one whose cloud runs, then the one kept last; None for neither."""
    candidates = [folder, *sorted(path for path in folder.glob("*") if path.is_dir())]
    for candidate in candidates:
        if running(candidate):
            return candidate
    states = [candidate for candidate in candidates if (candidate / state.LEDGER).exists()]
    return max(states, key=lambda each: (each / state.LEDGER).stat().st_mtime, default=None)


def running(folder: Path) -> dict[str, Any] | None:
    """What the cloud of this folder says of itself; None where its process has ended."""
    try:
        place = json.loads((folder / RUNNING).read_bytes())
        os.kill(place["pid"], 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return place


@contextmanager
def opened(folder: Path, reading: bool = False) -> Iterator[Stack]:
    """The cloud that runs on this folder; otherwise what is kept in it: for ``reading`` alone as it lies
    there, else restored in a cloud of this process. Keeps every other process from the folder."""
    if place := running(folder):
        from local.aws.clients import client

        facts = _facts(place["endpoint"], place["stack"])
        description = f"local cloud running on {place['endpoint']} (process {place['pid']}), {folder}"
        yield Stack(description, facts, lambda service: client(service, place["endpoint"]), None)
        return
    if reading:
        with state.alone(folder):
            stack = _read(folder)
        if stack:
            yield stack
            return
    from local.aws.invoking import let_invoke

    with restored(folder) as (cloud, description):
        let_invoke(cloud)
        facts = _facts(cloud.emulator.endpoint, cloud.stack.exports["stack"])
        save = partial(state.save, cloud, folder)
        yield Stack(description, facts, cloud.client, cloud.clock.now, kept=True, save=save)


@contextmanager
def restored(folder: Path, **config: str) -> Iterator[tuple["LocalCloud", str]]:
    """A cloud of this process, restored from the folder, which it has alone; and a description of it.
    ``config`` overrules what the folder was made with."""
    from local.clock import Clock
    from local.cloud import LocalCloud

    with state.alone(folder), ExitStack() as stack:
        last = state.last_run(folder)
        with progress(f"Starting a cloud on what is kept in {folder}") as move:
            clock = Clock.virtual(last) if last else Clock.real()
            cloud = stack.enter_context(LocalCloud(clock, state.config(folder) | config))
            move(0, "Replaying its log")
            try:
                count = state.restore(cloud, folder)
            except state.UnusableState:
                raise
            except Exception as error:
                raise Problem(
                    f"What is kept in {folder} can't be opened: {error}",
                    "Nothing in the folder was changed.",
                    "Bring the damaged file back from a copy, or start anew: python -m local up --fresh",
                    BROKEN,
                ) from error
        yield cloud, _described(folder, count, last)


def _described(folder: Path, events: int, last: dt.datetime | None) -> str:
    ending = f", last run {last:%Y-%m-%d %H:%M} UTC" if last else ""
    return f"state kept in {folder}, {events:,} events{ending}"


def _facts(endpoint: str, stack: str) -> dict[str, str]:
    from local.aws.clients import client

    try:
        reply = client("ssm", endpoint).get_parameter(Name=PARAMETERS + stack)
    except Exception as error:
        raise Problem(
            f"The local cloud on {endpoint} doesn't answer: {error}",
            "What it kept is in its folder.",
            f"If it has ended, remove its {RUNNING} and try again.",
            CONFIGURATION,
        ) from error
    return json.loads(reply["Parameter"]["Value"])


def _read(folder: Path) -> Stack | None:
    """What is kept, as it lies there; None where the log has events of a run that the ledger lacks: a
    replay has to decide them. Raises UnusableState naming the file that is damaged."""
    archive = KeptArchive(folder / state.ARCHIVE)
    try:
        events = distinct(event for log in archive.log() for event in log)
    except Damaged as error:
        raise state.DamagedState(folder / state.ARCHIVE, error) from error
    ledger = KeptLedger(map(items.plain, state.read_items(folder)), events)
    if {event.run for event in events} - {run.name for run in ledger.runs(limit=None)}:
        return None
    last = ledger.head().last_run
    facts = {"stack": "local", **state.config(folder)}
    stack = Stack(
        _described(folder, len(events), last), facts, _no_client, lambda: last or real_time(), kept=True
    )
    # In the place of what a stack makes of its clients.
    stack.__dict__.update(archive=archive, ledger=ledger, tables=KeptTables(events))
    return stack


def _no_client(service: str) -> Any:
    raise TypeError(f"nothing answers for {service}: this state is only read")


class KeptArchive(Archive):
    """The archive's objects as files of a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(None, "")
        self._folder = folder

    def names(self, prefix: str = "") -> list[str]:
        paths = (
            path for path in self._folder.rglob("*") if path.is_file() and path.suffix != state.UNFINISHED
        )
        names = (path.relative_to(self._folder).as_posix() for path in paths)
        return sorted(name for name in names if name.startswith(prefix))

    def read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()


class KeptLedger(Ledger):
    """The ledger's items as they are kept, with the days that the log comes to."""

    def __init__(self, kept: Iterable[items.Item], events: Sequence[DayEvent]) -> None:
        super().__init__(None, "")
        self._items = {item["entry"]: item for item in kept}
        days = _days(events, self.runs(limit=None))
        self._items |= {(item := items.day_item(day))["entry"]: item for day in days}
        self._sums = {
            "stamp": sum(day.version for day in days),
            "entries": sum(day.entries for day in days),
        }

    def head(self) -> Head:
        return items.head_of(self._items.get(items.HEAD, {}) | self._sums)

    def _get(self, entries: Iterable[str]) -> list[items.Item]:
        return [self._items[entry] for entry in entries if entry in self._items]

    def _query(self, prefix: str, newest: int | None = None) -> list[items.Item]:
        entries = sorted(entry for entry in self._items if entry.startswith(prefix))
        return self._get(entries if newest is None else entries[::-1][:newest])


def _days(events: Sequence[DayEvent], runs: Iterable[Run]) -> list[Acknowledged]:
    """Each day as its newest event has it. It has seen what the runs' sets count as decided."""
    seen = decided(runs)
    entries = Counter(event.day.date for event in events)
    newest = {event.day.date: event for event in events}  # they are in the order of their versions
    return [
        Acknowledged(
            date=date,
            counts=event.day.counts,
            version=event.version,
            seen=max(event.version, seen.get(date, 0)),
            entries=entries[date],
            event=event.id,
            run=event.run,
            acknowledged_at=event.recorded_at,
        )
        for date, event in sorted(newest.items())
    ]


class KeptTables:
    """Both tables, as the log comes to them."""

    def __init__(self, events: Iterable[DayEvent]) -> None:
        self._rows = sorted(map(row, events), key=lambda row: (row.day.date, row.version))

    def daily(self) -> list[Row]:
        return [replace(row, run=None) for row in {row.day.date: row for row in self._rows}.values()]

    def entries(self, date: dt.date | None = None) -> list[Row]:
        return [row for row in self._rows if date in (None, row.day.date)]

    def as_of(self, moment: dt.datetime) -> list[Row]:
        return list({row.day.date: row for row in self._rows if row.recorded_at <= moment}.values())
