"""Many regions, made up, over four shards of the local cloud: does it cost ten times as much for ten times
as many?"""

import datetime as dt
import os
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Figure, elapsed
from functions.stream import Stream
from local.clock import Clock
from local.cloud import LocalCloud
from schemas.day import Counts, Day
from schemas.event import DayEvent
from schemas.moment import version

START = dt.datetime(2021, 6, 1, 12, tzinfo=dt.UTC)
SHARDS = 4
DAYS = 500  # of each region
FEW, MANY = 10_000, 100_000
FILES = {"nyt": "a" * 64, "jhu": "b" * 64}
STAT = Path("/proc/self/stat")  # Linux
USER, SYSTEM = 13, 14  # of its fields, from 0: processor time in ticks


def figures() -> Iterator[Figure]:
    if not STAT.exists():
        return  # the processor time of other processes is read from there
    few, few_took, _ = _load(FEW)
    many, many_took, at_once = _load(MANY)
    over = f"over {SHARDS} shards"
    yield Figure(f"{FEW:,} events {over}, handlers' own time", few, "s")
    yield Figure(f"{MANY:,} events {over}, handlers' own time", many, "s")
    yield Figure(f"… against {FEW:,}", many / few, "×", 11)
    yield Figure("… the whole local cloud's, by the clock on the wall", many_took / few_took, "×")
    yield Figure("shards that a consumer worked on at once", at_once, "", note=f"of {SHARDS}, at least 2")
    assert at_once > 1, "the mapping works through one shard after another"  # noqa: S101


def _load(count: int) -> tuple[float, float, int]:
    """The consumer's processor seconds, seconds on the wall, and how many processes it had."""
    config = {"regions": '["*"]', "shards": str(SHARDS)}
    with LocalCloud(Clock.virtual(START), config) as cloud:
        name = cloud.stack.exports["consumer"]
        stream = Stream(cloud.client("kinesis"), cloud.stack.exports["stream"])
        stream.put(made_up(SHARDS, 1))  # every process that there will be has imported what it needs
        cloud.settle(until=START + dt.timedelta(hours=1))
        stream.put(made_up(count // DAYS, DAYS, first=SHARDS))
        before = {process: _ticks(process) for process in cloud.runtime.processes(name)}
        took = elapsed(lambda: cloud.settle(until=START + dt.timedelta(hours=6)))
        processes = cloud.runtime.processes(name)
        ticks = sum(_ticks(process) - before.get(process, 0) for process in processes)
        head = cloud.ledger.of(f"region-{SHARDS}").head()
        assert head.stamp == DAYS * version(START), head  # noqa: S101 it was work, not refusal
        return ticks / os.sysconf("SC_CLK_TCK"), took, len(processes)


def made_up(regions: int, days: int, first: int = 0) -> Iterator[DayEvent]:
    """So many days of so many regions, one region after the other."""
    for number in range(first, first + regions):
        for place in range(days):
            date = START.date() - dt.timedelta(days=days - place)
            day = Day(date, Counts(1_000 + 900 * place, 20 * place, None), f"region-{number}")
            yield DayEvent(day, version(START), 1, None, "made-up", "local", FILES)


def _ticks(process: int) -> int:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[USER - 2]) + int(fields[SYSTEM - 2])
