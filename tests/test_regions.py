"""Regions beside the United States: made up here, since the sources have one. Each is a series of its own."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest
from builders import counts, date, event
from system import START, System

from functions.stream import Stream
from local.clock import Clock
from local.cloud import LocalCloud
from local.publisher import Publisher
from ops.target import Target
from ops.verify import found_in, read_archive
from schemas.day import Day
from schemas.event import DayEvent
from schemas.moment import version

pytestmark = pytest.mark.cloud


@pytest.fixture(scope="module")
def daybook() -> Iterator[System]:
    more = {"regions": '["US", "CA", "MX"]', "shards": "2"}
    with Publisher() as publisher, LocalCloud(Clock.virtual(START), publisher.config() | more) as cloud:
        yield System(cloud, publisher)


def of(region: str, number: int, cases: int) -> DayEvent:
    entered = event(number, cases, version(START) + number, run=f"of {region}")
    return replace(entered, day=Day(date(number), counts(cases), region))


def put(daybook: System, *events: DayEvent) -> None:
    cloud = daybook.cloud
    Stream(cloud.client("kinesis"), cloud.stack.exports["stream"]).put(events)
    cloud.settle(until=cloud.clock.now() + dt.timedelta(hours=1))


def test_each_region_is_acknowledged_in_its_own_series_and_the_united_states_stay_as_they_are(daybook):
    daybook.publish({"2020-03-01": 10, "2020-03-02": 20})
    daybook.run()
    before = daybook.cloud.ledger.head()
    put(daybook, of("CA", 1, 5), of("CA", 2, 6), of("MX", 1, 7), of("CA", 3, 8))
    days = {region: daybook.cloud.ledger.of(region).days() for region in ("CA", "MX")}
    assert {region: [day.counts.cases for day in found.values()] for region, found in days.items()} == {
        "CA": [5, 6, 8],
        "MX": [7],
    }
    assert daybook.cloud.ledger.of("CA").head().stamp == sum(day.version for day in days["CA"].values())
    assert daybook.cloud.ledger.head() == before
    daybook.agrees()
    assert daybook.daily() == {"2020-03-01": 10, "2020-03-02": 20}
    target = Target("", daybook.cloud.stack.exports, daybook.cloud.client, daybook.cloud.clock.now)
    log, _ = read_archive(target)  # these events name files that were never there
    assert {event.day.region for event in log} == {"US", "CA", "MX"}
    assert [one for one in found_in(target, log) if one.broken] == []


def test_a_record_of_a_region_that_is_not_ours_is_set_aside_and_told_of(daybook):
    put(daybook, of("XX", 1, 5))
    assert daybook.subjects("alerts")[-1].startswith("Daybook ALERT")
    assert "is not US or CA or MX" in daybook.told("alerts")[-1].text("email")
    assert daybook.cloud.ledger.of("XX").days() == {}
