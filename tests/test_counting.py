"""What the real functions count for CloudWatch, by the names that alarms and picture ask for."""

import json
from collections import defaultdict

import pytest
from system import START, System

from functions import metrics
from local.clock import Clock
from local.cloud import LocalCloud
from local.sources.publisher import Publisher
from schemas.ledger import COMPLETED, FAILED

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("counting")]


@pytest.fixture(scope="module")
def counted() -> dict[str, list[float]]:
    """By metric, its values in order: of a first load, a day restated beside a new one, a malformed file, and
    a record that can't be read."""
    found: dict[str, list[float]] = defaultdict(list)

    def read(_function: str, _request: str, line: str) -> None:
        if not line.startswith('{"_aws"'):
            return
        said = json.loads(line)
        (directive,) = said["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == metrics.NAMESPACE
        assert said[metrics.STACK] == "local"
        for metric in directive["Metrics"]:
            found[metric["Name"]].append(said[metric["Name"]])

    with Publisher() as publisher, LocalCloud(Clock.virtual(START), publisher.config(), read) as cloud:
        daybook = System(cloud, publisher)
        daybook.publish({"2020-03-01": 10, "2020-03-02": 20})
        assert daybook.run().state == COMPLETED
        daybook.publish({"2020-03-01": 11, "2020-03-02": 20, "2020-03-03": 30})
        assert daybook.run().state == COMPLETED
        daybook.publisher.files["nyt"] += b"\n2020-03-04,many,0"
        assert daybook.run().state == FAILED
        stream = cloud.stack.exports["stream"]
        cloud.client("kinesis").put_record(StreamName=stream, PartitionKey="US", Data=b"no event")
        cloud.settle(until=daybook.moment)
    return dict(found)


def test_what_was_pending_entered_and_set_aside_is_counted_run_by_run(counted):
    assert counted[metrics.DAYS_PENDING] == [2, 0, 2, 0, 0]  # decided, completed; twice; and refused
    assert counted[metrics.DAYS_INSERTED] == [2, 1]
    assert counted[metrics.DAYS_UPDATED] == [0, 1]
    assert counted[metrics.RUNS_COMPLETED] == [1, 1]
    assert counted[metrics.RUNS_FAILED] == [1]
    assert counted[metrics.RECORDS_SET_ASIDE] == [1]
    assert len(counted[metrics.RUN_SECONDS]) == 2
    assert all(seconds >= 0 for seconds in counted[metrics.RUN_SECONDS])


def test_the_lag_is_counted_when_a_run_is_stored_and_when_it_is_completed(counted):
    assert counted[metrics.LAG_DAYS] == [
        0,
        1,
        0,
        0,
    ]  # and not before the first is completed
