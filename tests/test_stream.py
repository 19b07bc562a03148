"""The stream: events out, records in, and an invocation's records in chunks."""

import base64
import datetime as dt
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from builders import NOON, counts, event
from services import Services, failing, refused

from functions import stream as stream_module
from functions.errors import StreamBusy
from functions.stream import Record, Stream, chunks, delivered, read_range
from local.aws.emulator import Emulator
from local.clock import Clock
from schemas.event import DayEvent, decode, encode
from schemas.moment import version
from storage.replay import REDELIVERY, REPLAY, payload

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("stream")]


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with Emulator(Clock.virtual(NOON)) as running:
        yield Services(running)


# Putting


class Shard:
    """Kinesis as far as PutRecords goes; refuses what ``refused`` says, by call and position in it."""

    def __init__(self, refused: dict[int, set[int]] | None = None) -> None:
        self.refused = refused or {}
        self.calls: list[list[DayEvent]] = []
        self.taken: list[DayEvent] = []

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert StreamName == "events"
        found = [decode(record["Data"]) for record in Records]
        assert {record["PartitionKey"] for record in Records} == {"US"}
        refused = self.refused.get(len(self.calls), self.refused.get(-1, set()))
        self.calls.append(found)
        self.taken += [event for place, event in enumerate(found) if place not in refused]
        outcomes = [
            {"ErrorCode": "ProvisionedThroughputExceededException"} if place in refused else {"ShardId": "1"}
            for place in range(len(found))
        ]
        return {"FailedRecordCount": len(refused), "Records": outcomes}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(stream_module, "time", SimpleNamespace(sleep=found.append))
    return found


def test_events_go_out_in_their_order_at_most_500_a_call(waits):
    shard, found = Shard(), [event(number, number) for number in range(1, 1_102)]
    assert Stream(shard, "events").put(iter(found)) == 1_101
    assert [len(call) for call in shard.calls] == [500, 500, 101]
    assert (shard.taken, waits) == (found, [])


def test_no_events_are_no_call():
    shard = Shard()
    assert Stream(shard, "events").put([]) == 0
    assert shard.calls == []


def test_only_the_refused_records_are_put_again(waits):
    shard, found = Shard({0: {1, 3}, 1: {0}}), [event(number, number) for number in range(1, 6)]
    assert Stream(shard, "events").put(found) == 5
    assert [[event.day.counts.cases for event in call] for call in shard.calls] == [
        [1, 2, 3, 4, 5],
        [2, 4],
        [2],
    ]
    assert sorted(event.day.date for event in shard.taken) == [event.day.date for event in found]
    assert len(waits) == 2
    assert waits[0] <= 0.1 <= waits[1] <= 0.2


def test_records_refused_five_times_are_given_up_and_those_behind_them_not_tried(waits):
    shard, found = Shard({-1: {0}}), [event(number, number) for number in range(1, 502)]
    with pytest.raises(StreamBusy, match="1 records still refused by events after 5 attempts"):
        Stream(shard, "events").put(found)
    assert [len(call) for call in shard.calls] == [500, 1, 1, 1, 1]
    assert len(waits) == 4


# Reading


@pytest.fixture
def kinesis(services: Services) -> Any:
    return services.client("kinesis")


@pytest.fixture
def arn(services: Services) -> str:
    return services.stream()


def put(kinesis: Any, arn: str, *payloads: bytes) -> list[str]:
    """Their sequence numbers."""
    return [
        kinesis.put_record(StreamARN=arn, PartitionKey="US", Data=data)["SequenceNumber"] for data in payloads
    ]


SHARD = "shardId-000000000000"


def test_a_range_of_the_stream_is_read_exactly(kinesis, arn, services):
    found = [event(number, number) for number in range(1, 6)]
    sequences = put(kinesis, arn, *map(encode, found))
    middle = read_range(kinesis, arn, SHARD, sequences[1], sequences[3])
    assert [(record.sequence, record.event) for record in middle or []] == list(
        zip(sequences[1:4], found[1:4], strict=True)
    )
    (one,) = read_range(kinesis, arn, SHARD, sequences[4], sequences[4]) or []
    assert one == Record(sequences[4], services.emulator.clock.now(), encode(found[4]), found[4], None)


def test_a_range_that_ends_with_a_number_that_no_record_has_ends_before_it(kinesis, arn):
    sequences = put(kinesis, arn, *(encode(event(number, number)) for number in range(1, 4)))
    found = read_range(kinesis, arn, SHARD, sequences[0], str(int(sequences[2]) - 1))
    assert [record.sequence for record in found or []] == sequences[:2]
    beyond = read_range(kinesis, arn, SHARD, sequences[0], str(int(sequences[2]) + 1))
    assert [record.sequence for record in beyond or []] == sequences


def test_an_undecodable_record_of_a_range_is_given_with_its_problem(kinesis, arn):
    (sequence,) = put(kinesis, arn, b"\x00")
    (record,) = read_range(kinesis, arn, SHARD, sequence, sequence) or []
    assert (record.payload, record.event) == (b"\x00", None)
    assert "not JSON" in str(record.problem)


def test_a_stream_or_a_shard_that_is_gone_has_no_records(kinesis, arn):
    assert read_range(kinesis, arn + "-gone", SHARD, "1", "2") is None
    assert read_range(kinesis, arn, "shardId-000000000007", "1", "2") is None


def test_a_range_that_the_stream_has_forgotten_has_no_records_and_a_half_forgotten_one_the_rest(
    kinesis, arn, services
):
    old = put(kinesis, arn, *(encode(event(number, number)) for number in (1, 2)))
    services.emulator.clock.sleep(20 * 3600)
    new = put(kinesis, arn, *(encode(event(number, number)) for number in (3, 4)))
    services.emulator.clock.sleep(10 * 3600)  # a stream keeps a day
    assert read_range(kinesis, arn, SHARD, *old) is None
    half = read_range(kinesis, arn, SHARD, old[1], new[0])
    assert [record.sequence for record in half or []] == new[:1]


def test_an_empty_page_before_the_newest_record_is_not_the_end():
    record = {
        "SequenceNumber": "100",
        "ApproximateArrivalTimestamp": NOON.astimezone(dt.timezone(dt.timedelta(hours=-5))),
        "Data": encode(event(1, 10)),
    }
    pages = {
        "a": {"Records": [], "MillisBehindLatest": 5_000, "NextShardIterator": "b"},
        "b": {"Records": [record], "MillisBehindLatest": 0, "NextShardIterator": "c"},
        "c": {"Records": [], "MillisBehindLatest": 0, "NextShardIterator": "d"},
    }
    client = SimpleNamespace(
        get_shard_iterator=lambda **_: {"ShardIterator": "a"},
        get_records=lambda ShardIterator, StreamARN: pages[ShardIterator],  # noqa: N803
    )
    for last in ("100", "101"):
        (found,) = read_range(client, "arn", SHARD, "99", last) or []
        assert (found.sequence, found.arrival, found.arrival.tzinfo) == ("100", NOON, dt.UTC)


@pytest.mark.parametrize("code", ["InvalidArgumentException", "ResourceNotFoundException"])
def test_numbers_that_the_stream_never_gave_have_no_records(code):
    client = SimpleNamespace(get_shard_iterator=failing(refused(code)))
    assert read_range(client, "arn", SHARD, "99", "100") is None


def test_a_stream_that_may_not_be_read_is_not_one_without_records():
    client = SimpleNamespace(get_shard_iterator=failing(refused("AccessDeniedException")))
    with pytest.raises(ClientError):
        read_range(client, "arn", SHARD, "99", "100")


# As delivered


def item(number: int, body: bytes, source: str = "aws:kinesis") -> dict[str, Any]:
    kinesis = {
        "sequenceNumber": str(number),
        "approximateArrivalTimestamp": NOON.timestamp(),
        "data": base64.b64encode(body).decode(),
    }
    return {"eventSource": source, "kinesis": kinesis}


def test_delivered_records_come_in_their_order_with_their_arrival():
    found = [event(2, 20), event(1, 10)]
    delivery = delivered({"Records": [item(7, encode(found[0])), item(8, encode(found[1]))]})
    assert [(record.sequence, record.arrival, record.event) for record in delivery.records] == [
        ("7", NOON, found[0]),
        ("8", NOON, found[1]),
    ]
    assert delivery.is_live


def test_the_time_of_an_invocation_is_its_newest_arrival():
    records = [item(number, encode(event(number, 10))) for number in (1, 2)]
    records[0]["kinesis"]["approximateArrivalTimestamp"] += 60
    assert delivered({"Records": records}).newest_arrival == NOON + dt.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("source", "live"), [("aws:kinesis", True), (REPLAY, False), (REDELIVERY, False), ("elsewhere", True)]
)
def test_only_what_an_operator_feeds_is_not_live(source, live):
    delivery = delivered({"Records": [item(1, encode(event(1, 10)), source)]})
    assert (delivery.source, delivery.is_live) == (source, live)


def test_a_replay_comes_in_lambda_s_own_shape_each_event_at_the_time_of_its_entry():
    found = [event(1, 10, version(NOON)), event(2, 20, version(NOON))]
    delivery = delivered(json.loads(payload(found)))
    assert [(record.sequence, record.arrival, record.event) for record in delivery.records] == [
        (each.id, NOON, each) for each in found
    ]
    assert delivery.source == REPLAY


def envelope(**data: Any) -> bytes:
    """A valid event but for these data; id and time go with them."""
    found = json.loads(encode(event(1, 10)))
    found["data"] |= data
    entered = found["data"]
    found["subject"] = f"{entered['region']}/{entered['date']}"
    digest = counts(entered["cases"]).digest
    return json.dumps(found | {"id": f"{found['subject']}/{entered['version']}/{digest}"}).encode()


def test_the_builder_of_bad_events_builds_a_good_one_where_nothing_is_bad():
    assert decode(envelope()) == event(1, 10)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a CloudEvent"),
        (b'{"type": {}}', "not a CloudEvent"),
        (b'{"type": "daybook.day.recorded.v9"}', "not a CloudEvent"),
        (envelope(region="CA"), "region"),
        (envelope(cases=10.0), "cases"),
        (envelope(version=2**63 - 1), "version"),  # no moment before the year 10000
        (envelope(more=1), "more"),
    ],
)
def test_a_record_that_is_no_event_of_ours_is_delivered_with_its_problem(body, problem):
    (record,) = delivered({"Records": [item(7, body)]}).records
    assert (record.sequence, record.payload, record.event) == ("7", body, None)
    assert problem in str(record.problem)


def record(number: int, found: DayEvent | None) -> Record:
    return Record(str(number), NOON, b"", found, None if found else "not JSON")


@pytest.mark.parametrize(
    ("found", "size", "expected"),
    [
        ([], 3, []),
        ([("r", 1), ("r", 2), ("r", 3)], 3, [[1, 2, 3]]),
        ([("r", 1), ("r", 2), ("r", 3), ("r", 4)], 3, [[1, 2, 3], [4]]),
        ([("r", 1), ("r", 2), ("s", 3), ("r", 4)], 9, [[1, 2], [3], [4]]),
        ([("r", 1), ("r", 2), ("r", 1), ("r", 2)], 9, [[1, 2], [3, 4]]),
        ([("r", 1), None, ("r", 2), ("r", 3)], 9, [[1], [2], [3, 4]]),
        ([None, None, ("r", 1)], 9, [[1], [2], [3]]),
        ([("r", 1), ("r", 2), None], 2, [[1, 2], [3]]),
    ],
)
def test_a_chunk_is_of_one_run_with_no_date_twice_and_what_is_no_event_stands_alone(found, size, expected):
    records = [
        record(number, run_and_date and event(run_and_date[1], 10, run=run_and_date[0]))
        for number, run_and_date in enumerate(found, 1)
    ]
    assert [[int(one.sequence) for one in chunk] for chunk in chunks(records, size)] == expected
