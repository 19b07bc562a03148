"""The emulator where it isn't plain moto: clock, sequence numbers, transactions, hooks, leftovers."""

from __future__ import annotations

import io
import itertools
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import moto.s3.models
import pytest
from moto.dynamodb.models import DynamoDBBackend
from moto.kinesis.models import Shard
from moto.s3.models import S3Backend

from local.aws import emulator as emulators
from local.aws.emulator import Emulator
from local.aws.publication import Publication
from local.clock import Clock

pytestmark = pytest.mark.cloud

NOW = datetime(2020, 6, 1, 12, tzinfo=UTC)
FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:reporter"


@pytest.fixture
def clock() -> Clock:
    return Clock.virtual(NOW)


@pytest.fixture
def emulator(clock: Clock) -> Iterator[Emulator]:
    with Emulator(clock) as running:
        yield running


def test_an_answer_bears_the_clocks_date_in_whole_seconds(emulator: Emulator, clock: Clock) -> None:
    clock.sleep(7.9)
    for service, operation in (("dynamodb", "list_tables"), ("s3", "list_buckets"), ("sns", "list_topics")):
        answer = getattr(emulator.client(service), operation)()
        assert answer["ResponseMetadata"]["HTTPHeaders"]["date"] == "Mon, 01 Jun 2020 12:00:07 GMT"


# Kinesis


def test_a_record_arrives_when_the_clock_says(emulator: Emulator, clock: Clock) -> None:
    kinesis = stream(emulator)
    kinesis.put_record(StreamName="events", PartitionKey="US", Data=b"first")
    clock.advance_to(NOW + timedelta(hours=1, microseconds=1_999))
    kinesis.put_record(StreamName="events", PartitionKey="US", Data=b"second")

    arrivals = [record["ApproximateArrivalTimestamp"] for record in read(kinesis)]
    assert arrivals == [NOW, NOW + timedelta(hours=1, milliseconds=1)]


def test_a_stream_can_be_read_from_a_time_on(emulator: Emulator, clock: Clock) -> None:
    kinesis = stream(emulator)
    for data in (b"first", b"second", b"third"):
        kinesis.put_record(StreamName="events", PartitionKey="US", Data=data)
        clock.sleep(60)

    later = read(kinesis, ShardIteratorType="AT_TIMESTAMP", Timestamp=NOW + timedelta(seconds=60))
    assert [record["Data"] for record in later] == [b"second", b"third"]


def test_sequence_numbers_look_like_those_of_aws(emulator: Emulator) -> None:
    kinesis = stream(emulator, shards=3)
    answer = kinesis.put_records(
        StreamName="events", Records=[{"PartitionKey": str(key), "Data": b"x"} for key in range(50)]
    )
    numbers = [record["SequenceNumber"] for record in answer["Records"]]

    assert {len(number) for number in numbers} == {56}
    assert numbers == sorted(numbers)
    assert len({record["ShardId"] for record in answer["Records"]}) == 3
    assert min(int(b) - int(a) for a, b in itertools.pairwise(numbers)) > 1


def test_a_stream_can_be_read_at_and_after_a_sequence_number(emulator: Emulator) -> None:
    kinesis = stream(emulator, shards=2)
    put = [kinesis.put_record(StreamName="events", PartitionKey="US", Data=bytes([n])) for n in range(4)]
    shard, second = put[1]["ShardId"], put[1]["SequenceNumber"]

    at = read(kinesis, shard, ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=second)
    after = read(kinesis, shard, ShardIteratorType="AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=second)
    assert [record["SequenceNumber"] for record in at] == [one["SequenceNumber"] for one in put[1:]]
    assert [record["Data"] for record in after] == [b"\x02", b"\x03"]


def test_a_sequence_number_of_another_shard_is_refused(emulator: Emulator) -> None:
    kinesis = stream(emulator, shards=2)
    put = kinesis.put_record(StreamName="events", PartitionKey="US", Data=b"first", ExplicitHashKey="0")
    place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": put["SequenceNumber"]}
    assert iterator(kinesis, put["ShardId"], **place)
    with pytest.raises(kinesis.exceptions.InvalidArgumentException):
        iterator(kinesis, "shardId-000000000001", **place)


def test_an_iterator_at_a_moment_to_come_is_refused(emulator: Emulator) -> None:
    kinesis = stream(emulator)
    with pytest.raises(kinesis.exceptions.InvalidArgumentException):
        iterator(kinesis, ShardIteratorType="AT_TIMESTAMP", Timestamp=NOW + timedelta(seconds=1))


def test_an_iterator_goes_on_where_it_stopped(emulator: Emulator) -> None:
    kinesis = stream(emulator)
    for n in range(5):
        kinesis.put_record(StreamName="events", PartitionKey="US", Data=bytes([n]))

    first = kinesis.get_records(ShardIterator=iterator(kinesis), Limit=2)
    second = kinesis.get_records(ShardIterator=first["NextShardIterator"])
    third = kinesis.get_records(ShardIterator=second["NextShardIterator"])
    assert [len(page["Records"]) for page in (first, second, third)] == [2, 3, 0]


def test_the_latest_iterator_sees_only_what_comes_later(emulator: Emulator) -> None:
    kinesis = stream(emulator)
    kinesis.put_record(StreamName="events", PartitionKey="US", Data=b"before")
    latest = iterator(kinesis, ShardIteratorType="LATEST")
    kinesis.put_record(StreamName="events", PartitionKey="US", Data=b"after")

    assert [record["Data"] for record in kinesis.get_records(ShardIterator=latest)["Records"]] == [b"after"]


def test_a_stream_forgets_after_its_retention(emulator: Emulator, clock: Clock) -> None:
    kinesis = stream(emulator)
    kinesis.put_record(StreamName="events", PartitionKey="US", Data=b"old")
    clock.advance_to(NOW + timedelta(hours=20))
    kinesis.put_record(StreamName="events", PartitionKey="US", Data=b"new")
    assert len(read(kinesis)) == 2

    clock.advance_to(NOW + timedelta(hours=25))
    assert [record["Data"] for record in read(kinesis)] == [b"new"]


def test_a_stream_may_be_named_by_its_arn(emulator: Emulator) -> None:
    kinesis = stream(emulator)
    arn = kinesis.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"]["StreamARN"]
    kinesis.put_record(StreamARN=arn, PartitionKey="US", Data=b"x")

    found = kinesis.get_shard_iterator(
        StreamARN=arn, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )
    assert len(kinesis.get_records(ShardIterator=found["ShardIterator"])["Records"]) == 1


def test_a_mapping_of_a_stream_runs_nothing_by_itself(emulator: Emulator) -> None:
    kinesis, invoked = stream(emulator), hooked(emulator)
    arn = kinesis.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"]["StreamARN"]
    function(emulator).create_event_source_mapping(
        FunctionName="reporter", EventSourceArn=arn, StartingPosition="TRIM_HORIZON"
    )
    kinesis.put_record(StreamName="events", PartitionKey="US", Data=b"x")

    assert invoked == []


# S3


def test_an_object_is_created_only_once(emulator: Emulator, clock: Clock) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="archive")
    s3.put_object(Bucket="archive", Key="events/1.jsonl", Body=b"first", IfNoneMatch="*")

    with pytest.raises(s3.exceptions.ClientError) as refused:
        s3.put_object(Bucket="archive", Key="events/1.jsonl", Body=b"second", IfNoneMatch="*")

    assert refused.value.response["Error"]["Code"] == "PreconditionFailed"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412
    kept = s3.get_object(Bucket="archive", Key="events/1.jsonl")
    assert kept["Body"].read() == b"first"
    assert kept["LastModified"] == clock.now()


def test_of_many_who_create_an_object_at_once_one_succeeds(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(S3Backend, "get_object", slowly(S3Backend.get_object))
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="archive")
    outcomes: list[str] = []

    def create(number: int) -> None:
        try:
            s3.put_object(Bucket="archive", Key="one", Body=str(number).encode(), IfNoneMatch="*")
            outcomes.append("created")
        except s3.exceptions.ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    in_threads(create, 8)
    assert sorted(outcomes) == ["PreconditionFailed"] * 7 + ["created"]


# DynamoDB


def test_a_transaction_writes_all_its_items(emulator: Emulator) -> None:
    ledger = table(emulator)
    ledger.transact_write_items(TransactItems=[put("a", 1), put("b", 2), add("c", "2020-01-21")])

    assert everything(ledger) == {"a": 1, "b": 2, "c": {"2020-01-21"}}


def test_a_transaction_sent_again_with_its_token_is_done_once(emulator: Emulator) -> None:
    ledger = table(emulator)
    first = put("a", 1, ConditionExpression="attribute_not_exists(entry)")
    for _ in range(2):
        ledger.transact_write_items(TransactItems=[first], ClientRequestToken="once")
    assert everything(ledger) == {"a": 1}
    with pytest.raises(ledger.exceptions.IdempotentParameterMismatchException):
        ledger.transact_write_items(TransactItems=[first, put("b", 2)], ClientRequestToken="once")


def test_a_cancelled_transaction_leaves_everything_as_it_was(emulator: Emulator) -> None:
    ledger = table(emulator)
    ledger.transact_write_items(TransactItems=[put("a", 1), put("b", 2), put("c", 3), add("set", "x")])
    before = ledger.scan(TableName="ledger")["Items"]

    with pytest.raises(ledger.exceptions.TransactionCanceledException) as cancelled:
        ledger.transact_write_items(
            TransactItems=[
                put("a", 10),
                {"Delete": {"TableName": "ledger", "Key": key("b")}},
                add("set", "y"),
                put("new", 4),
                {**put("c", 30, ConditionExpression="attribute_not_exists(entry)")},
            ]
        )

    reasons = [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]]
    assert reasons == ["None"] * 4 + ["ConditionalCheckFailed"]
    assert ledger.scan(TableName="ledger")["Items"] == before


def test_a_failed_condition_can_show_the_item(emulator: Emulator) -> None:
    ledger = table(emulator)
    ledger.transact_write_items(TransactItems=[put("a", 1)])
    guarded = put(
        "a",
        2,
        ConditionExpression="attribute_not_exists(entry)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )

    with pytest.raises(ledger.exceptions.TransactionCanceledException) as cancelled:
        ledger.transact_write_items(TransactItems=[guarded])
    assert cancelled.value.response["CancellationReasons"][0]["Item"]["value"] == {"N": "1"}


def test_a_transaction_names_an_item_once(emulator: Emulator) -> None:
    ledger = table(emulator)

    with pytest.raises(ledger.exceptions.ClientError, match="multiple operations on one item"):
        ledger.transact_write_items(TransactItems=[put("a", 1), put("a", 2)])
    assert everything(ledger) == {}


def test_a_cancelled_transaction_over_two_tables_leaves_both(emulator: Emulator) -> None:
    ledger = table(emulator)
    ledger.create_table(
        TableName="plain",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    ledger.put_item(TableName="plain", Item={"id": {"S": "x"}, "value": {"N": "1"}})

    with pytest.raises(ledger.exceptions.TransactionCanceledException):
        ledger.transact_write_items(
            TransactItems=[
                {"Put": {"TableName": "plain", "Item": {"id": {"S": "x"}, "value": {"N": "2"}}}},
                {"Put": {"TableName": "plain", "Item": {"id": {"S": "y"}}}},
                put("a", 1, ConditionExpression="attribute_exists(entry)"),
            ]
        )

    assert ledger.scan(TableName="plain")["Items"] == [{"id": {"S": "x"}, "value": {"N": "1"}}]
    assert everything(ledger) == {}


def test_of_many_transactions_on_one_version_one_succeeds(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DynamoDBBackend, "get_item", slowly(DynamoDBBackend.get_item))
    ledger = table(emulator)
    outcomes: list[str] = []

    def claim(number: int) -> None:
        try:
            ledger.transact_write_items(
                TransactItems=[
                    put("head", number, ConditionExpression="attribute_not_exists(entry)"),
                    put(f"by{number}", 0),
                ]
            )
            outcomes.append("done")
        except ledger.exceptions.TransactionCanceledException:
            outcomes.append("cancelled")

    in_threads(claim, 6)
    assert sorted(outcomes) == ["cancelled"] * 5 + ["done"]
    assert len(everything(ledger)) == 2


# SNS


def test_a_message_is_seen_with_its_text_for_every_protocol(emulator: Emulator) -> None:
    seen: list[Publication] = []
    emulator.on_publish(seen.append)
    sns = emulator.client("sns")
    arn = sns.create_topic(Name="daily-report")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="someone@example.org")
    texts = {"default": "plain", "sms": "short", "email": "long"}

    answer = sns.publish(TopicArn=arn, Subject="A report", MessageStructure="json", Message=json.dumps(texts))

    [publication] = seen
    assert (publication.topic_arn, publication.subject, publication.time) == (arn, "A report", NOW)
    assert publication.message_id == answer["MessageId"]
    assert json.loads(publication.message) == texts
    assert [publication.text(protocol) for protocol in ("sms", "email", "lambda")] == [
        "short",
        "long",
        "plain",
    ]
    assert publication.subscriptions == (("email", "someone@example.org"),)


def test_a_plain_message_is_the_same_for_all(emulator: Emulator) -> None:
    sns = emulator.client("sns")
    arn = sns.create_topic(Name="failures")["TopicArn"]
    sns.publish(TopicArn=arn, Message='{"version": "1.0"}')

    [publication] = emulator.publications
    assert publication.structure is None
    assert publication.text("lambda") == '{"version": "1.0"}'


@pytest.mark.parametrize("message", ['{"sms": "short"}', '["default"]', "not JSON"])
def test_texts_by_protocol_need_a_default(emulator: Emulator, message: str) -> None:
    sns = emulator.client("sns")
    arn = sns.create_topic(Name="alerts")["TopicArn"]

    with pytest.raises(sns.exceptions.InvalidParameterException):
        sns.publish(TopicArn=arn, MessageStructure="json", Message=message)
    assert emulator.publications == []


@pytest.mark.parametrize("subject", ["", "x" * 100, "two\nlines", "1,000 rows – late", " begins late"])
def test_a_subject_that_sns_refuses_is_refused(emulator: Emulator, subject: str) -> None:
    sns = emulator.client("sns")
    arn = sns.create_topic(Name="alerts")["TopicArn"]

    with pytest.raises(sns.exceptions.InvalidParameterException, match="Subject"):
        sns.publish(TopicArn=arn, Subject=subject, Message="a text")
    sns.publish(TopicArn=arn, Subject="x" * 99, Message="a text")
    assert [publication.subject for publication in emulator.publications] == ["x" * 99]


def test_a_function_that_subscribes_is_left_to_the_hook(emulator: Emulator) -> None:
    function(emulator)
    sns = emulator.client("sns")
    arn = sns.create_topic(Name="failures")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="lambda", Endpoint=FUNCTION_ARN)
    sns.publish(TopicArn=arn, Message="it failed")

    assert emulator.publications[0].subscriptions == (("lambda", FUNCTION_ARN),)


def test_a_listener_may_call_other_services(emulator: Emulator) -> None:
    s3 = emulator.client("s3")
    s3.create_bucket(Bucket="archive")
    emulator.on_publish(lambda seen: s3.put_object(Bucket="archive", Key=seen.message_id, Body=b""))
    sns = emulator.client("sns")
    answer = sns.publish(TopicArn=sns.create_topic(Name="alerts")["TopicArn"], Message="x")

    assert s3.list_objects_v2(Bucket="archive")["Contents"][0]["Key"] == answer["MessageId"]


# Lambda


def test_a_function_is_run_by_the_hook(emulator: Emulator) -> None:
    invoked = hooked(emulator, response=b'{"inserted": 2}')

    answer = function(emulator).invoke(FunctionName="reporter", Payload=b'{"run": 1}')

    assert invoked == [("reporter", b'{"run": 1}', False)]
    assert (answer["StatusCode"], answer["Payload"].read()) == (200, b'{"inserted": 2}')
    assert "FunctionError" not in answer


def test_a_function_may_be_named_by_its_arn(emulator: Emulator) -> None:
    invoked = hooked(emulator)
    function(emulator).invoke(FunctionName=FUNCTION_ARN, Payload=b"{}")

    assert invoked == [("reporter", b"{}", False)]


def test_an_error_of_a_function_is_unhandled(emulator: Emulator) -> None:
    hooked(emulator, response=b'{"errorType": "MalformedSource"}', error="Unhandled")

    answer = function(emulator).invoke(FunctionName="reporter", Payload=b"{}")

    assert answer["FunctionError"] == "Unhandled"
    assert json.loads(answer["Payload"].read()) == {"errorType": "MalformedSource"}


def test_an_asynchronous_invocation_is_answered_with_nothing(emulator: Emulator) -> None:
    invoked = hooked(emulator, response=b'{"inserted": 2}')

    answer = function(emulator).invoke(FunctionName="reporter", Payload=b"{}", InvocationType="Event")

    assert invoked == [("reporter", b"{}", True)]
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")


def test_a_function_that_does_not_exist_is_not_run(emulator: Emulator) -> None:
    invoked, client = hooked(emulator), emulator.client("lambda")

    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="nobody", Payload=b"{}")
    assert invoked == []


# Timestream, as time passes


def test_magnetic_writes_can_be_invisible_for_hours(clock: Clock) -> None:
    with Emulator(clock, magnetic_visible_after=timedelta(hours=6)) as emulator:
        write_cases(emulator, 1, version=1)
        assert cases(emulator) == []
        clock.advance_to(NOW + timedelta(hours=3))
        write_cases(emulator, 2, version=2)

        clock.advance_to(NOW + timedelta(hours=6))
        assert cases(emulator) == ["1"]
        clock.advance_to(NOW + timedelta(hours=9))
        assert cases(emulator) == ["2"]


def test_records_past_the_magnetic_retention_are_gone(emulator: Emulator, clock: Clock) -> None:
    write_cases(emulator, 1)
    assert cases(emulator) == ["1"]

    clock.advance_to(NOW + timedelta(days=300))
    assert cases(emulator) == []


def test_a_first_page_may_come_empty(clock: Clock) -> None:
    with Emulator(clock, empty_first_page=True) as emulator:
        query = emulator.client("timestream-query")
        pages = list(query.get_paginator("query").paginate(QueryString="SELECT 1"))

        assert [len(page["Rows"]) for page in pages] == [0, 1]


# The emulator itself


def test_one_emulator_after_another_begins_empty(clock: Clock) -> None:
    for _ in range(2):
        with Emulator(clock) as emulator:
            s3, kinesis = emulator.client("s3"), emulator.client("kinesis")
            assert s3.list_buckets()["Buckets"] == []
            assert kinesis.list_streams()["StreamNames"] == []
            assert emulator.client("timestream-write").list_databases()["Databases"] == []
            s3.create_bucket(Bucket="archive")
            kinesis.create_stream(StreamName="events", ShardCount=1)
            emulator.client("timestream-write").create_database(DatabaseName="daybook")


def test_two_emulators_at_once_are_refused(emulator: Emulator) -> None:
    with pytest.raises(RuntimeError, match="already running"):
        Emulator()


def test_moto_is_left_as_it_was(clock: Clock) -> None:
    before = Shard.put_record, vars(moto.s3.models)["utcnow"]
    with Emulator(clock):
        assert Shard.put_record is not before[0]

    assert (Shard.put_record, vars(moto.s3.models)["utcnow"]) == before


def test_a_patch_of_something_that_is_gone_fails_and_leaves_the_others_undone(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Shard.put_record
    gone = [(Shard, "put_record", None), (Shard, "nothing", None)]
    monkeypatch.setattr(emulators, "patches", lambda _emulator: gone)
    with pytest.raises(AttributeError, match="nothing"):
        Emulator(clock)
    assert Shard.put_record is before


def test_it_listens_on_loopback_and_prints_nothing(clock: Clock, capfd: pytest.CaptureFixture[str]) -> None:
    with Emulator(clock) as emulator:
        emulator.client("s3").list_buckets()
        assert emulator.endpoint.startswith("http://127.0.0.1:")
        assert emulator.environment()["AWS_ENDPOINT_URL"] == emulator.endpoint

    assert capfd.readouterr() == ("", "")


# The clock


def test_virtual_time_passes_at_once_and_never_goes_back() -> None:
    clock = Clock.virtual(NOW)
    clock.sleep(3_600)
    clock.advance_to(NOW)

    assert clock.now() == NOW + timedelta(hours=1)


def test_real_time_can_not_be_moved() -> None:
    clock = Clock.real()

    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
    with pytest.raises(RuntimeError):
        clock.advance_to(NOW)


def test_a_moment_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        Clock.virtual(datetime(2020, 6, 1))  # noqa: DTZ001


# Building blocks


def stream(emulator: Emulator, shards: int = 1) -> Any:
    kinesis = emulator.client("kinesis")
    kinesis.create_stream(StreamName="events", ShardCount=shards)
    return kinesis


def iterator(kinesis: Any, shard: str = "shardId-000000000000", **start: Any) -> str:
    start = start or {"ShardIteratorType": "TRIM_HORIZON"}
    return kinesis.get_shard_iterator(StreamName="events", ShardId=shard, **start)["ShardIterator"]


def read(kinesis: Any, shard: str = "shardId-000000000000", **start: Any) -> list[dict[str, Any]]:
    return kinesis.get_records(ShardIterator=iterator(kinesis, shard, **start))["Records"]


def in_threads(work: Any, count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def slowly(real: Any) -> Any:
    """Looks, and lets others come in before anything is made of it."""

    def look(*arguments: Any, **named: Any) -> Any:
        found = real(*arguments, **named)
        time.sleep(0.02)
        return found

    return look


def table(emulator: Emulator) -> Any:
    dynamodb = emulator.client("dynamodb")
    dynamodb.create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "series", "AttributeType": "S"},
            {"AttributeName": "entry", "AttributeType": "S"},
        ],
        KeySchema=[
            {"AttributeName": "series", "KeyType": "HASH"},
            {"AttributeName": "entry", "KeyType": "RANGE"},
        ],
    )
    return dynamodb


def key(entry: str) -> dict[str, Any]:
    return {"series": {"S": "US"}, "entry": {"S": entry}}


def put(entry: str, value: int, **condition: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "ledger", "Item": {**key(entry), "value": {"N": str(value)}}, **condition}}


def add(entry: str, member: str) -> dict[str, Any]:
    """Adds a member to the set of an entry."""
    return {
        "Update": {
            "TableName": "ledger",
            "Key": key(entry),
            "UpdateExpression": "ADD members :new",
            "ExpressionAttributeValues": {":new": {"SS": [member]}},
        }
    }


def everything(ledger: Any) -> dict[str, Any]:
    items = ledger.scan(TableName="ledger", ConsistentRead=True)["Items"]
    return {
        item["entry"]["S"]: int(item["value"]["N"]) if "value" in item else set(item["members"]["SS"])
        for item in items
    }


def function(emulator: Emulator) -> Any:
    """A Lambda client, where the function "reporter" exists."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = emulator.client("iam").create_role(RoleName="reporter", AssumeRolePolicyDocument=document)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("reporter.py", "def handler(event, context): ...")
    client = emulator.client("lambda")
    client.create_function(
        FunctionName="reporter",
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="reporter.handler",
        Code={"ZipFile": code.getvalue()},
    )
    return client


def hooked(
    emulator: Emulator, response: bytes = b"null", error: str | None = None
) -> list[tuple[str, bytes, bool]]:
    """What the hook was asked to run."""
    invoked: list[tuple[str, bytes, bool]] = []

    def invoke(name: str, payload: bytes, asynchronous: bool) -> tuple[bytes, str | None]:
        invoked.append((name, payload, asynchronous))
        return response, error

    emulator.invoke_function = invoke
    return invoked


def write_cases(emulator: Emulator, count: int, version: int = 1) -> None:
    """One day, older than the memory store, in a table that keeps it for 300 days."""
    write = emulator.client("timestream-write")
    if not write.list_databases()["Databases"]:
        write.create_database(DatabaseName="daybook")
        write.create_table(
            DatabaseName="daybook",
            TableName="daily",
            RetentionProperties={
                "MemoryStoreRetentionPeriodInHours": 1,
                "MagneticStoreRetentionPeriodInDays": 300,
            },
            MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True},
        )
    record = {
        "Dimensions": [{"Name": "region", "Value": "US"}],
        "Time": str(int((NOW - timedelta(days=100)).timestamp() * 1000)),
        "MeasureName": "day",
        "MeasureValueType": "MULTI",
        "MeasureValues": [{"Name": "cases", "Type": "BIGINT", "Value": str(count)}],
        "Version": version,
    }
    write.write_records(DatabaseName="daybook", TableName="daily", Records=[record])


def cases(emulator: Emulator) -> list[str]:
    answer = emulator.client("timestream-query").query(QueryString="SELECT cases FROM daybook.daily")
    return [row["Data"][0]["ScalarValue"] for row in answer["Rows"]]
