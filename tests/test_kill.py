"""Kill -9: the handlers' processes die in every stage of a play, and it ends as if nothing had happened.

What that comes to is read from the published files without any of the project's code (truth.py).
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
import reliability
import sampled
import truth
from kills import STAGES, Killer, planned
from system import System

from local.cloud import LocalCloud
from local.play import moments, notice_line, play
from local.scenario.watch import verified
from local.sources import feeds, history, sample
from local.sources.publisher import Publisher
from schemas.moment import moment
from storage.tables import ranked

pytestmark = pytest.mark.cloud

# The calls of each stage in a play of the sample where nobody is killed, the last run's left out: of all its
# runs, and of the first seven, which have restatements, a malformed file and a source that lags.
CALLS = {"fetch": 24, "put": 9, "archive": 11, "write": 22, "acknowledge": 29, "notify": 12}
SHORT = {"fetch": 12, "put": 4, "archive": 6, "write": 12, "acknowledge": 14, "notify": 5}
EACH = 2
NOON = dt.time(12)
PLAYS = [
    pytest.param(7, 1, SHORT, id="seven runs"),
    *(
        pytest.param(sample.PUBLICATIONS, seed, CALLS, id=f"all runs, {seed}", marks=pytest.mark.long)
        for seed in range(2, 7)
    ),
]


@pytest.mark.parametrize(("runs", "seed", "calls"), PLAYS)
def test_handlers_killed_in_every_stage_of_a_play_leave_it_as_if_nothing_had_happened(runs, seed, calls):
    plan = planned(seed, calls, EACH)
    with reliability.counted("kill -9", len(plan)):
        ended = played(lambda publisher: first_runs(feeds.synthetic(publisher), runs), plan)
        assert Counter(kill.stage for kill in ended.kills) == dict.fromkeys(STAGES, EACH)
        as_if_nothing_had_happened(ended, truth.record(sampled.published(runs)))


@pytest.mark.long
@pytest.mark.data
def test_the_real_history_played_through_kills_ends_as_it_was_published(data):
    archives = data / "published" / "nyt_us.tar.xz", data / "published" / "jhu_countries_aggregated.tar.xz"
    start, end = dt.date(2020, 9, 4), dt.date(2020, 10, 3)
    plan = planned(20200904, dict.fromkeys(STAGES, 24), 4)
    with reliability.counted("kill -9", len(plan)):
        ended = played(lambda publisher: real(publisher, archives, moments(start, end, NOON)), plan)
        assert Counter(kill.stage for kill in ended.kills) == dict.fromkeys(STAGES, 4)
        as_if_nothing_had_happened(ended, truth.play(*archives, start, end, NOON))


def first_runs(feed, count):
    return replace(feed, moments=feed.moments[:count])


def real(publisher, archives, when):
    versions = map(history.read, archives)
    return feeds.Feed("history", publisher.config(), feeds.publishing(publisher, *versions), when)


def as_if_nothing_had_happened(ended, expected):
    days, revisions, runs = expected
    assert ended.days == days
    assert ended.revisions == sorted(revisions, key=str)
    assert ended.runs == runs
    assert ended.broken == []
    told = Counter(when for _, when in ended.notices)
    assert told.keys() == {run[0] for run in runs}
    # A second copy only where the sender died before it had marked the first as sent.
    assert told.total() - len(told) <= sum(kill.stage in {"acknowledge", "notify"} for kill in ended.kills)
    alerted = {when for topic, when in ended.notices if topic == "alerts"}
    assert alerted == {run[0] for run in runs if run[1] == "failed"}


@dataclass(frozen=True)
class Ended:
    """What a play left: as truth.record has it; each message as (topic, moment of its run)."""

    days: dict[str, Any]
    revisions: list[Any]
    runs: list[Any]
    notices: list[Any]
    broken: list[Any]
    kills: list[Any]


def played(feeding, plan):
    """A play of the feed in which handlers are killed as planned."""
    with Publisher() as publisher:
        feed = feeding(publisher)
        with LocalCloud(feed.clock(None), feed.config) as cloud:
            killer = Killer(cloud, publisher, plan)

            def publish(when):
                killer.next_run()
                feed.publish(when)

            runs = list(play(cloud, publish, feed.moments))
            System(cloud, publisher).agrees()
            found = verified(cloud)
            lines = filter(None, map(notice_line, cloud.emulator.publications))
            return Ended(
                days={str(row.day.date): figures(row) for row in cloud.tables.daily()},
                revisions=sorted((entry(*each) for each in ranked(cloud.tables.entries())), key=str),
                runs=[
                    (one.scheduled_at, one.run.state, len(one.run.inserted), len(one.run.updated))
                    for one in runs
                ],
                notices=[(line["topic"], moment(line["scheduled_at"])) for line in lines],
                broken=found,
                kills=killer.done,
            )


def entry(rank, row):
    return row.recorded_at, str(row.day.date), figures(row), "recorded" if rank == 1 else "revised"


def figures(row):
    counts = row.day.counts
    return counts.cases, counts.deaths, counts.recovered
