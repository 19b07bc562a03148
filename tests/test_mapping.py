"""The event source mapping by the documented rules, against a stream and a function made by hand."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.clock import Clock
from local.mapping.mapping import Mapping
from local.mapping.shard import Counts
from local.stack.definitions import LocalMapping

NOON = datetime(2020, 9, 2, 12, 0, 0, 123_000, tzinfo=UTC)
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/days"
SHARD = "shardId-000000000000"
TOPIC = "arn:aws:sns:us-east-1:123456789012:failures"


def test_a_record_reaches_the_function_in_the_shape_that_lambda_gives_it() -> None:
    rig = Rig()
    rig.stream.put("a")
    rig.mapping.drain()
    assert rig.events == [
        {
            "Records": [
                {
                    "kinesis": {
                        "kinesisSchemaVersion": "1.0",
                        "partitionKey": "US",
                        "sequenceNumber": "1001",
                        "data": base64.b64encode(b"a").decode(),
                        "approximateArrivalTimestamp": 1599048000.123,
                    },
                    "eventSource": "aws:kinesis",
                    "eventVersion": "1.0",
                    "eventID": "shardId-000000000000:1001",
                    "eventName": "aws:kinesis:record",
                    "invokeIdentityArn": "arn:aws:iam::123456789012:role/consumer",
                    "awsRegion": "us-east-1",
                    "eventSourceARN": STREAM,
                }
            ]
        }
    ]


def test_records_go_in_order_in_batches_of_the_size() -> None:
    rig = Rig(batch_size=3)
    rig.stream.put(*"abcdefgh")
    assert rig.mapping.drain() == Counts(invocations=3, done=8)
    assert rig.batches == ["abc", "def", "gh"]


def test_a_second_drain_goes_on_where_the_first_ended() -> None:
    rig = Rig()
    rig.stream.put("a")
    rig.mapping.drain()
    rig.stream.put("b")
    rig.mapping.drain()
    assert rig.mapping.drain() == Counts()
    assert rig.batches == ["a", "b"]


def test_a_batch_that_is_not_full_waits_for_its_window() -> None:
    rig = Rig(batch_size=2, window_seconds=5)
    rig.stream.put(*"abc")
    rig.mapping.drain()
    assert rig.batches == ["ab", "c"]
    assert rig.moments == [NOON, NOON + timedelta(seconds=5)]


def test_what_arrives_within_the_window_joins_the_batch() -> None:
    rig = Rig(batch_size=10, window_seconds=5)
    rig.stream.put("a")
    rig.mapping.drain(until=NOON)
    rig.stream.put("b")
    rig.mapping.drain()
    assert rig.batches == ["ab"]


def test_a_batch_stays_within_six_megabytes() -> None:
    rig = Rig(batch_size=10)
    rig.stream.put(*[letter * 1_000_000 for letter in "abcdefg"])  # 1.33 MB each as base64
    rig.mapping.drain()
    assert rig.counts == [4, 3]
    assert max(rig.sizes) <= 6 * 1024 * 1024


def test_a_record_too_big_for_any_batch_goes_alone() -> None:
    rig = Rig(batch_size=10)
    rig.stream.put("a", "b" * 7_000_000, "c")
    rig.mapping.drain()
    assert rig.counts == [1, 1, 1]


# Failures


def test_a_failed_batch_is_tried_again_whole_and_ever_later() -> None:
    rig = Rig(failing(times=8))
    rig.stream.put(*"ab")
    assert rig.mapping.drain() == Counts(invocations=9, retries=8, done=2)
    assert rig.batches == ["ab"] * 9
    assert rig.waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_later_records_wait_behind_a_failing_batch() -> None:
    rig = Rig(failing(times=2), batch_size=1)
    rig.stream.put(*"ab")
    rig.mapping.drain()
    assert rig.batches == ["a", "a", "a", "b"]


def test_after_the_last_retry_the_batch_is_given_up_with_a_message_and_the_next_one_follows() -> None:
    rig = Rig(refusing("b"), batch_size=2, max_retries=2)
    rig.stream.put(*"abcd")
    assert rig.mapping.drain() == Counts(invocations=4, retries=2, done=2, discarded=2)
    assert rig.batches == ["ab", "ab", "ab", "cd"]
    assert rig.messages == [
        (
            TOPIC,
            {
                "requestContext": {
                    "requestId": "request-3",
                    "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:consumer",
                    "condition": "RetryAttemptsExhausted",
                    "approximateInvokeCount": 3,
                },
                "responseContext": {
                    "statusCode": 200,
                    "executedVersion": "$LATEST",
                    "functionError": "Unhandled",
                },
                "version": "1.0",
                "timestamp": "2020-09-02T12:00:03.123Z",
                "KinesisBatchInfo": {
                    "shardId": SHARD,
                    "startSequenceNumber": "1001",
                    "endSequenceNumber": "1002",
                    "approximateArrivalOfFirstRecord": "2020-09-02T12:00:00.123Z",
                    "approximateArrivalOfLastRecord": "2020-09-02T12:00:00.123Z",
                    "batchSize": 2,
                    "streamArn": STREAM,
                },
            },
        )
    ]


def test_without_a_destination_a_batch_is_given_up_in_silence() -> None:
    rig = Rig(refusing("a"), max_retries=0, on_failure_topic=None)
    rig.stream.put("a")
    assert rig.mapping.drain() == Counts(invocations=1, discarded=1)
    assert rig.messages == []


def test_an_endless_failure_ends_when_the_records_are_too_old() -> None:
    rig = Rig(refusing("a"), max_record_age_seconds=3600)
    rig.stream.put("a")
    counts = rig.mapping.drain()
    assert counts.discarded == 1
    (message,) = rig.bodies
    assert message["requestContext"]["condition"] == "RecordAgeExceeded"
    assert message["requestContext"]["approximateInvokeCount"] == counts.invocations
    assert timedelta(hours=1) < rig.clock.now() - NOON < timedelta(hours=1, minutes=1, seconds=1)


def test_without_a_record_age_the_streams_retention_is_the_limit() -> None:
    rig = Rig(refusing("a"), max_record_age_seconds=-1)
    rig.stream.put("a")
    rig.mapping.drain()
    assert [message["requestContext"]["condition"] for message in rig.bodies] == ["RecordAgeExceeded"]
    assert rig.clock.now() > NOON + timedelta(hours=24)


def test_a_record_that_is_too_old_from_the_start_never_reaches_the_function() -> None:
    rig = Rig(max_record_age_seconds=60)
    rig.stream.put(*"ab")
    rig.clock.sleep(61)
    rig.stream.put("c")
    assert rig.mapping.drain() == Counts(invocations=1, done=1, discarded=2)
    assert rig.batches == ["c"]
    (message,) = rig.bodies
    assert message["KinesisBatchInfo"]["batchSize"] == 2
    assert "responseContext" not in message
    assert message["requestContext"]["approximateInvokeCount"] == 1
    assert message["requestContext"]["requestId"]


def test_what_is_left_after_a_partial_success_is_tried_as_often_as_a_new_batch() -> None:
    rig = Rig(naming("b"), max_retries=3)
    rig.stream.put(*"ab")
    rig.mapping.drain()
    assert rig.batches == ["ab", "b", "b", "b", "b"]


def test_a_message_that_cannot_be_sent_leaves_the_batch_where_it_was() -> None:
    rig = Rig(refusing("a"), max_retries=0)
    rig.stream.put("a")
    rig.unreachable = True
    with pytest.raises(ConnectionError):
        rig.mapping.drain()
    rig.unreachable = False
    assert rig.mapping.drain().discarded == 1
    assert len(rig.messages) == 1


# What the function says of its batch


@pytest.mark.parametrize(
    "response", ["", "null", "{}", '{"batchItemFailures": null}', '{"batchItemFailures": []}']
)
def test_an_answer_without_failures_is_a_success(response: str) -> None:
    rig = Rig(answering(response))
    rig.stream.put(*"ab")
    assert rig.mapping.drain() == Counts(invocations=1, done=2)


@pytest.mark.parametrize(
    "response",
    [
        '{"batchItemFailures": [{"itemIdentifier": ""}]}',
        '{"batchItemFailures": [{"itemIdentifier": null}]}',
        '{"batchItemFailures": [{"itemIdentifier": "999"}]}',
        '{"batchItemFailures": [{"itemIdentifier": 1002}]}',
        '{"batchItemFailures": [{"item": "1002"}]}',
        '{"batchItemFailures": [{"itemIdentifier": "1002"}, {"itemIdentifier": ""}]}',
        '{"batchItemFailures": ["1002"]}',
        '{"batchItemFailures": "1002"}',
        '"done"',
        "not JSON",
    ],
)
def test_an_answer_that_names_no_record_of_the_batch_fails_all_of_it(response: str) -> None:
    rig = Rig(answering(response), max_retries=1)
    rig.stream.put(*"ab")
    assert rig.mapping.drain() == Counts(invocations=2, retries=1, discarded=2)
    assert rig.batches == ["ab", "ab"]


def test_from_the_lowest_failed_record_on_everything_comes_again() -> None:
    rig = Rig(naming("c", "b", times=1))
    rig.stream.put(*"abcd")
    assert rig.mapping.drain() == Counts(invocations=2, done=4)
    assert rig.batches == ["abcd", "bcd"]


def test_sequence_numbers_are_compared_as_numbers() -> None:
    rig = Rig(naming("c", "a", times=1), first_number=998)
    rig.stream.put(*"abcd")  # 999, 1000, 1001, 1002
    rig.mapping.drain()
    assert rig.batches == ["abcd", "abcd"]


def test_a_function_that_is_not_to_report_failures_is_not_listened_to() -> None:
    rig = Rig(naming("a", times=1), partial_response=False)
    rig.stream.put(*"ab")
    assert rig.mapping.drain() == Counts(invocations=1, done=2)


def test_a_message_has_no_function_error_when_the_function_named_what_failed() -> None:
    rig = Rig(naming("b"), max_retries=0)
    rig.stream.put(*"abc")
    rig.mapping.drain()
    (message,) = rig.bodies
    assert message["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": None,
    }
    assert message["KinesisBatchInfo"]["startSequenceNumber"] == "1002"
    assert message["KinesisBatchInfo"]["batchSize"] == 2


# Bisecting


def test_bisecting_finds_the_bad_record_and_gives_up_it_alone() -> None:
    rig = Rig(refusing("c"), bisect=True, max_retries=1)
    rig.stream.put(*"abcdefgh")
    counts = rig.mapping.drain()
    assert rig.batches == ["abcdefgh", "abcd", "ab", "cd", "c", "c", "d", "efgh"]
    assert counts == Counts(invocations=8, retries=1, splits=3, done=7, discarded=1)
    (message,) = rig.bodies
    assert message["KinesisBatchInfo"]["startSequenceNumber"] == "1003"
    assert message["KinesisBatchInfo"]["batchSize"] == 1


def test_splitting_uses_up_no_retry_and_no_time() -> None:
    rig = Rig(refusing("a"), bisect=True, max_retries=0)
    rig.stream.put(*"abcd")
    assert rig.mapping.drain() == Counts(invocations=5, splits=2, done=3, discarded=1)
    assert rig.waits == []


def test_retries_made_before_a_split_count_for_both_parts() -> None:
    rig = Rig(answering(named("a"), *["!"] * 9), bisect=True, max_retries=1)
    rig.stream.put(*"ab")  # the first failure names the first record, which splits nothing
    assert rig.mapping.drain() == Counts(invocations=4, retries=1, splits=1, discarded=2)
    assert rig.batches == ["ab", "ab", "a", "b"]


def test_a_reported_failure_splits_the_batch_at_its_record() -> None:
    rig = Rig(naming("c", times=1), bisect=True, max_retries=0)
    rig.stream.put(*"abcd")
    assert rig.mapping.drain() == Counts(invocations=2, splits=1, done=4)
    assert rig.batches == ["abcd", "cd"]
    assert rig.waits == []


def test_a_record_that_always_fails_at_the_head_is_retried_with_what_follows_it() -> None:
    rig = Rig(naming("c"), bisect=True, max_retries=2)
    rig.stream.put(*"abcd")
    assert rig.mapping.drain() == Counts(invocations=4, retries=2, splits=1, done=2, discarded=2)
    assert rig.batches == ["abcd", "cd", "cd", "cd"]


# Virtual time


def test_a_drain_stops_before_a_wait_that_ends_too_late_and_the_next_goes_on_with_it() -> None:
    rig = Rig(failing(times=4))
    rig.stream.put(*"ab")
    assert rig.mapping.drain(until=NOON + timedelta(seconds=5)) == Counts(invocations=3, retries=3)
    assert rig.clock.now() == NOON + timedelta(seconds=3)
    assert rig.mapping.next_moment == NOON + timedelta(seconds=7)
    assert rig.mapping.pending == 2
    assert rig.mapping.drain(until=NOON + timedelta(seconds=6)) == Counts()
    rig.clock.advance_to(NOON + timedelta(seconds=7))
    assert rig.mapping.drain() == Counts(invocations=2, retries=1, done=2)
    assert (rig.mapping.next_moment, rig.mapping.pending) == (None, 0)


def test_an_invocation_that_could_not_be_made_is_made_by_the_next_drain() -> None:
    rig = Rig(breaking(ConnectionError("no function")))
    rig.stream.put("a")
    with pytest.raises(ConnectionError):
        rig.mapping.drain()
    rig.function = accept
    assert rig.mapping.drain() == Counts(invocations=1, done=1)


# Shards


def test_a_failing_shard_does_not_hold_up_another() -> None:
    rig = Rig(refusing("a"), max_retries=3, batch_size=1)
    rig.stream.add_shard("shardId-000000000001")
    rig.stream.put(*"ab")
    rig.stream.put(*"xyz", shard="shardId-000000000001")
    rig.mapping.drain()
    assert rig.batches == ["a", "x", "y", "z", "a", "a", "a", "b"]


def test_the_children_of_a_split_shard_wait_until_it_is_done_with() -> None:
    rig = Rig(failing(times=1))
    rig.stream.put(*"ab")
    rig.stream.split(SHARD, "shardId-000000000001", "shardId-000000000002")
    rig.stream.put("x", shard="shardId-000000000001")
    rig.stream.put("y", shard="shardId-000000000002")
    rig.mapping.drain()
    assert rig.batches == ["ab", "ab", "x", "y"]


def test_a_shard_whose_parent_has_expired_is_read() -> None:
    rig = Rig()
    rig.stream.add_shard("shardId-000000000007", parent="shardId-000000000003")
    rig.stream.put("x", shard="shardId-000000000007")
    rig.mapping.drain()
    assert rig.batches == ["x"]


def test_a_shard_that_is_closed_between_two_drains_is_read_to_its_end() -> None:
    rig = Rig(batch_size=1)
    rig.stream.put("a")
    rig.mapping.drain()
    rig.stream.put("b")
    rig.stream.split(SHARD, "shardId-000000000001", "shardId-000000000002")
    rig.stream.put("x", shard="shardId-000000000001")
    rig.mapping.drain()
    assert rig.batches == ["a", "b", "x"]


def test_an_expired_iterator_is_renewed_where_reading_stopped() -> None:
    rig = Rig()
    rig.stream.put(*"ab")
    rig.mapping.drain()
    rig.stream.expire_iterators()
    rig.stream.put("c")
    rig.mapping.drain()
    assert rig.batches == ["ab", "c"]


def test_a_shard_that_answers_with_nothing_for_a_while_is_asked_again() -> None:
    rig = Rig()
    rig.stream.put("a")
    rig.stream.empty_answers = 3
    rig.mapping.drain()
    assert rig.batches == ["a"]


# Real time


def test_a_started_mapping_delivers_what_arrives_until_it_is_stopped() -> None:
    delivered = threading.Event()

    def tell(_letters: str, _names: dict[str, str]) -> Answer:
        delivered.set()
        return Answer()

    rig = Rig(tell, clock=Clock.real())
    rig.stream.put("a")
    rig.mapping.start()
    assert delivered.wait(10)
    rig.mapping.stop()
    assert rig.batches == ["a"]


def test_stopping_does_not_wait_for_a_retry() -> None:
    failed = threading.Event()

    def fail(_letters: str, _names: dict[str, str]) -> Answer:
        failed.set()
        return Answer(error="Unhandled")

    rig = Rig(fail, clock=Clock.real())
    rig.stream.put("a")
    rig.mapping.start()
    assert failed.wait(10)
    rig.mapping.stop()
    assert rig.mapping.pending == 1


# Fakes. A function gets the letters of its batch, and the sequence number of each letter.


@dataclass(frozen=True)
class Answer:
    response: bytes = b"null"
    error: str | None = None
    request_id: str = ""


Function = Callable[[str, dict[str, str]], Answer]


def accept(_letters: str, _numbers: dict[str, str]) -> Answer:
    return Answer()


def failing(times: int) -> Function:
    left = iter(range(times))
    return lambda _letters, _numbers: Answer(error="Unhandled" if next(left, None) is not None else None)


def refusing(letter: str) -> Function:
    return lambda letters, _numbers: Answer(error="Unhandled" if letter in letters else None)


def breaking(error: Exception) -> Function:
    def function(_letters: str, _numbers: dict[str, str]) -> Answer:
        raise error

    return function


def answering(*responses: str) -> Function:
    """Each in turn, and the last one for ever. `<a>` stands for the sequence number of record a."""
    left = iter(responses)
    last = responses[-1]

    def function(_letters: str, numbers: dict[str, str]) -> Answer:
        text = next(left, last)
        for letter, number in numbers.items():
            text = text.replace(f"<{letter}>", number)
        return Answer(text.encode())

    return function


def named(*letters: str) -> str:
    return json.dumps({"batchItemFailures": [{"itemIdentifier": f"<{letter}>"} for letter in letters]})


def naming(*letters: str, times: int | None = None) -> Function:
    """Reports these records as failed, where they are in the batch; the first times, or always."""
    calls: Iterator[int] = iter(range(times)) if times is not None else iter(int, 1)

    def function(batch: str, numbers: dict[str, str]) -> Answer:
        found = [letter for letter in letters if letter in batch]
        if not found or next(calls, None) is None:
            return Answer()
        return answering(named(*found))(batch, numbers)

    return function


class Rig:
    """A mapping between a fake stream and a fake function, and what came of it."""

    def __init__(
        self,
        function: Function = accept,
        clock: Clock | None = None,
        first_number: int = 1000,
        **settings: Any,
    ) -> None:
        self.function = function
        self.unreachable = False
        self.events: list[Any] = []
        self.batches: list[str] = []
        self.counts: list[int] = []
        self.sizes: list[int] = []
        self.moments: list[datetime] = []
        self.messages: list[tuple[str, dict[str, Any]]] = []
        self.waits: list[float] = []
        self.clock = clock or WatchedClock(self.waits)
        self.stream = FakeStream(self.clock, first_number)
        config = replace(CONFIG, **settings)
        self.mapping = Mapping(config, self.stream, self.invoke, self.clock, self.tell)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [message for _, message in self.messages]

    def invoke(self, name: str, payload: bytes) -> Answer:
        assert name == "consumer"
        event = json.loads(payload)
        read = {
            base64.b64decode(record["kinesis"]["data"])[:1].decode(): record["kinesis"]["sequenceNumber"]
            for record in event["Records"]
        }
        self.events.append(event)
        self.batches.append("".join(read))
        self.counts.append(len(read))
        self.sizes.append(len(payload))
        self.moments.append(self.clock.now())
        return replace(self.function("".join(read), read), request_id=f"request-{len(self.batches)}")

    def tell(self, topic: str, message: dict[str, Any]) -> None:
        if self.unreachable:
            raise ConnectionError("no topic")
        self.messages.append((topic, message))


CONFIG = LocalMapping(
    function_name="consumer",
    stream_arn=STREAM,
    batch_size=100,
    window_seconds=0,
    bisect=False,
    max_record_age_seconds=43_200,
    max_retries=-1,
    partial_response=True,
    on_failure_topic=TOPIC,
)


class WatchedClock(Clock):
    def __init__(self, waits: list[float]) -> None:
        super().__init__(NOON)
        self._waits = waits

    def sleep(self, seconds: float) -> None:
        self._waits.append(seconds)
        super().sleep(seconds)


@dataclass
class FakeShard:
    listed: dict[str, Any]
    records: list[dict[str, Any]] = field(default_factory=list)


class FakeStream:
    """A Kinesis client of one stream. An iterator is `<age>/<shard>/<how many records come before it>`."""

    def __init__(self, clock: Clock, number: int) -> None:
        self._clock = clock
        self._number = number
        self._age = 0
        self._shards: dict[str, FakeShard] = {}
        self.empty_answers = 0
        self.add_shard(SHARD)

    def add_shard(self, name: str, parent: str | None = None) -> None:
        listed = {"ShardId": name, "SequenceNumberRange": {"StartingSequenceNumber": "0"}}
        self._shards[name] = FakeShard(listed | ({"ParentShardId": parent} if parent else {}))

    def split(self, name: str, *children: str) -> None:
        self._shards[name].listed["SequenceNumberRange"]["EndingSequenceNumber"] = "9999"
        for child in children:
            self.add_shard(child, parent=name)

    def put(self, *data: str, shard: str = SHARD) -> None:
        for text in data:
            self._number += 1
            record = {
                "SequenceNumber": str(self._number),
                "ApproximateArrivalTimestamp": self._clock.now(),
                "Data": text.encode(),
                "PartitionKey": "US",
            }
            self._shards[shard].records.append(record)

    def expire_iterators(self) -> None:
        self._age += 1

    # The client's side

    def describe_stream_summary(self, StreamARN: str) -> dict[str, Any]:  # noqa: N803
        assert StreamARN == STREAM
        return {"StreamDescriptionSummary": {"RetentionPeriodHours": 24}}

    def list_shards(self, StreamARN: str = "", NextToken: str = "") -> dict[str, Any]:  # noqa: N803
        """A page a shard."""
        names = list(self._shards)
        assert StreamARN == ("" if NextToken else STREAM)
        place = names.index(NextToken) if NextToken else 0
        page: dict[str, Any] = {"Shards": [self._shards[names[place]].listed]}
        return page | ({"NextToken": names[place + 1]} if place + 1 < len(names) else {})

    def get_shard_iterator(
        self,
        StreamARN: str,  # noqa: N803
        ShardId: str,  # noqa: N803
        ShardIteratorType: str,  # noqa: N803
        StartingSequenceNumber: str = "",  # noqa: N803
    ) -> dict[str, Any]:
        assert StreamARN == STREAM
        if ShardIteratorType == "TRIM_HORIZON":
            return {"ShardIterator": f"{self._age}/{ShardId}/0"}
        assert ShardIteratorType == "AFTER_SEQUENCE_NUMBER"
        numbers = [record["SequenceNumber"] for record in self._shards[ShardId].records]
        return {"ShardIterator": f"{self._age}/{ShardId}/{numbers.index(StartingSequenceNumber) + 1}"}

    def get_records(self, ShardIterator: str, Limit: int) -> dict[str, Any]:  # noqa: N803
        age, name, start = ShardIterator.split("/")
        if int(age) != self._age:
            raise ClientError({"Error": {"Code": "ExpiredIteratorException"}}, "GetRecords")
        if self.empty_answers:
            self.empty_answers -= 1
            return {"Records": [], "NextShardIterator": ShardIterator, "MillisBehindLatest": 1000}
        shard = self._shards[name]
        records = shard.records[int(start) : int(start) + Limit]
        end = int(start) + len(records)
        answer: dict[str, Any] = {"Records": records, "MillisBehindLatest": len(shard.records) - end}
        closed = "EndingSequenceNumber" in shard.listed["SequenceNumberRange"]
        if not (closed and end == len(shard.records)):
            answer["NextShardIterator"] = f"{age}/{name}/{end}"
        return answer
