"""Four months of the real publishing history, played once: believed, as of then, rebuilt, replayed."""

import csv
import datetime as dt
from contextlib import ExitStack
from dataclasses import replace

import pytest
import truth

from local.clock import Clock
from local.cloud import LocalCloud
from local.kept import opened
from local.play import moments, play
from local.sources import history
from local.sources.feeds import publishing
from local.sources.publisher import Publisher
from local.up import reachable
from ops.commands.replay import remake
from schemas.moment import version
from storage import csv_files
from storage.change import Change
from storage.redelivery import from_stream
from storage.replay import feed, payload

pytestmark = [pytest.mark.cloud, pytest.mark.data, pytest.mark.xdist_group("history")]

START, END, NOON = dt.date(2020, 9, 2), dt.date(2020, 12, 31), dt.time(12)
ENTRIES = 882
MOMENTS = [
    dt.datetime.combine(dt.date(2020, 9, 4) + dt.timedelta(days=3 * n), NOON, dt.UTC) for n in range(40)
]


class Played:
    """The cloud as the history left it, and what the files say by a reader that shares nothing with it."""

    def __init__(self, cloud, target, folder, archives):
        self.cloud, self.target, self.folder, self.archives = cloud, target, folder, archives

    def written(self):
        """``days.csv``, ``revisions.csv`` and the tables as of each moment."""
        tables = self.cloud.tables
        believed = [self.believed(when) for when in MOMENTS]
        return csv_files.days(tables.daily()), csv_files.revisions(tables.entries()), believed

    def believed(self, when):
        return {
            row.day.date.isoformat(): (row.day.counts.cases, row.day.counts.deaths, row.day.counts.recovered)
            for row in self.target.tables.as_of(when)
        }


# The other store's whole history is for the night; a shorter one is operated by day (test_either_store.py).
STORES = [
    pytest.param("timestream", marks=pytest.mark.xdist_group("timestream"), id="timestream"),
    pytest.param("dynamodb", marks=[pytest.mark.xdist_group("dynamodb"), pytest.mark.long], id="dynamodb"),
]


@pytest.fixture(scope="module", params=STORES)
def played(request, data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("played")
    archives = [data / "published" / f"{name}.tar.xz" for name in ("nyt_us", "jhu_countries_aggregated")]
    when = moments(START, END, NOON)
    with ExitStack() as stack:
        publisher = stack.enter_context(Publisher())
        config = publisher.config() | {"store": request.param, "stream_retention_hours": "168"}
        cloud = stack.enter_context(LocalCloud(Clock.virtual(when[0]), config))
        stack.enter_context(reachable(cloud, folder))
        for _ in play(cloud, publishing(publisher, *map(history.read, archives)), when):
            pass
        target = stack.enter_context(opened(folder))
        yield Played(cloud, target, folder, archives)


def test_what_was_believed_at_40_moments_is_what_the_files_said_by_then(played):
    cases, recoveries = map(truth.versions, played.archives)
    assert len(MOMENTS) == 40
    for when in MOMENTS:
        said = truth.figures(truth.newest(cases, when), truth.newest(recoveries, when), when.date())
        assert played.believed(when) == said, when


def test_a_rebuild_from_the_archive_gives_the_same_days_revisions_and_beliefs(played):
    before = played.written()
    assert len(list(csv.DictReader(before[1].splitlines()))) == ENTRIES
    assert remake(played.target) == ENTRIES
    assert played.written() == before


def test_what_the_stream_retains_gives_the_same_where_the_archive_ends_before_it(played):
    before, target = played.written(), played.target
    retained = list(from_stream(target.client("kinesis"), target.facts["stream"], None, None))
    count = sum(batch.records for batch in retained)
    assert 0 < count < ENTRIES, "a stream keeps a week of four months"
    oldest = version(played.cloud.clock.now() - dt.timedelta(days=7))
    earlier = [events for events in target.archive.log() if events[0].version < oldest]
    assert sum(map(len, earlier)) + count == ENTRIES
    target.tables.empty()
    head = target.ledger.head()
    target.ledger.commit(Change(target.now(), (head, replace(head, stamp=0, entries=0))))
    target.ledger.empty(target.ledger.days())
    for events in earlier:
        assert not target.invoke("consumer", payload(events)).response["batchItemFailures"]

    def invoke(body):
        return target.invoke("consumer", body).response

    assert feed(retained, invoke, lambda _: None) == count
    assert played.written() == before
