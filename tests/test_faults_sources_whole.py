"""Some of the sources' faults through the whole system: what is refused changes nothing and is told once, and
the next good files are taken completely."""

import re
from dataclasses import replace

import pytest
import reliability
from content_faults import CONTENT
from in_process import in_process
from large_faults import CAP, LARGE_FAULTS
from misbehaving import answer, only_loopback, serving, without_waits
from source_faults import FILES, GOOD, NEW, STORED, TAKEN, WARNED, jhu_file, nyt_file
from system import START
from transport_faults import TRANSPORT, Stage

from functions import fetcher
from functions.sources import Sources
from local.scenario.watch import Watch, broken
from ops.invariants.files import published
from schemas.ledger import COMPLETED, FAILED

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("sources")]

WHOLE = (
    "redirected to https://169.254.169.254/latest/meta-data/iam/",
    "cut off by HTTP 1.0 without a length",
    "an expired certificate",
    "both sources away",
    "a body of 500 MB",
    "200,000 columns",
    "a date written '2020-W11-3' in nyt",
    "a count written 'NaN' in jhu",
    "two rows glued by a CR, the U.S.'s behind another's",
    "the file of the states",
    "three days missing in both",
    "cases that fall by a hundredth",
)
FOR_THE_NIGHT = (
    "redirected to http://10.0.0.8/us.csv",
    "redirected elsewhere by the third address",
    "one byte fewer than the length says",
    "several files to choose from",
    "chunks of one byte",
    "a gzip bomb of 500 MB",
    "millions of rows that are all wrong",
    "a count written 2^63 in jhu",
    "the whole file twice, header and all",
    "the other source's file",
    "new cases where the sum is expected",
    "a version a month old",
)
BELIEVED = {"three days missing in both": 2}  # of the five days that are new


@pytest.fixture(scope="module")
def daybook():
    with in_process() as found:
        yield found


@pytest.fixture
def stage(daybook, monkeypatch, tmp_path):
    """The fetcher reads from a server that misbehaves, and that has what is published until it does."""
    only_loopback(monkeypatch)
    without_waits(monkeypatch)
    with serving() as server:
        found = Stage(server, monkeypatch, tmp_path)

        def sources(settings):
            address = f"http://127.0.0.1:{server.port}"
            urls = {"nyt_url": f"{address}/nyt", "jhu_url": f"{address}/jhu"}
            return Sources(replace(settings, **urls | found.settings))

        monkeypatch.setattr(fetcher, "Sources", sources)
        yield found
    fetcher.parts.cache_clear()


def arrange(stage, name):
    """The fault of this name, arranged; what it must come to."""
    if name in TRANSPORT:
        fault = TRANSPORT[name]
        fault.arrange(stage)
        stage.settings["source_deadline_seconds"] = fault.deadline
        return fault
    if name in LARGE_FAULTS:
        stage.server.answers |= LARGE_FAULTS[name].answers()
        stage.settings["max_source_bytes"] = CAP
        return LARGE_FAULTS[name]
    stage.server.answers |= {source: [answer(file)] for source, file in CONTENT[name].files.items()}
    return CONTENT[name]


def repaired(stage, files):
    """All is well with the sources, and these are their files."""
    stage.settings.clear()
    stage.server.tls = None
    stage.server.answers = {source: [answer(file)] for source, file in files.items()}
    fetcher.parts.cache_clear()


@pytest.mark.parametrize(
    "name", [*WHOLE, *(pytest.param(name, marks=pytest.mark.long) for name in FOR_THE_NIGHT)]
)
def test_what_is_refused_changes_nothing_is_told_once_and_the_next_files_are_taken(daybook, stage, name):
    cloud = daybook.cloud
    cloud.again()
    daybook.moment = START
    stored = {day: GOOD[day] for day in list(GOOD)[:STORED]}
    daybook.publisher.files = {"nyt": nyt_file(stored), "jhu": jhu_file(stored)}
    # The invariants are held to what the sources mean: the good files, unless others are believed.
    watch = Watch(
        cloud, lambda: published(daybook.publisher.files, cloud.clock.now().date()), cloud.wire.asked
    )
    cloud.runtime.after.append(watch.look)
    with reliability.counted("sources, through the whole"):
        repaired(stage, daybook.publisher.files)
        daybook.run()
        before = cloud.tables.daily()
        assert len(before) == STORED
        repaired(stage, FILES)
        fault = arrange(stage, name)
        believed = fault.outcome in (TAKEN, WARNED)
        daybook.publisher.files = FILES | (getattr(fault, "files", {}) if believed else {})
        run = daybook.run()
        if believed:
            assert (run.state, len(run.inserted)) == (COMPLETED, BELIEVED.get(name, len(NEW)))
            assert bool(run.warnings) == (fault.outcome == WARNED)
            assert daybook.told("alerts") == []
        else:
            assert (run.state, run.pending) == (FAILED, ())
            assert cloud.tables.daily() == before
            (alert,) = daybook.told("alerts")
            assert re.search(fault.told.lstrip("^"), alert.text("email"))
        daybook.publisher.files = dict(FILES)
        repaired(stage, FILES)
        daybook.run()
        assert broken(cloud, watch) == []
        assert {row.day.date: row.day.counts for row in cloud.tables.daily()} == GOOD
