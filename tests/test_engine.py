"""The Pulumi program, made in the emulator."""

import json
import sys
from pathlib import Path

import pytest

from functions.settings import ConsumerSettings
from local.aws.clients import client
from local.aws.emulator import Emulator
from local.stack import resources
from local.stack.definitions import LocalInvokeConfig, LocalMapping, LocalSchedule, LocalSubscription
from local.stack.program import ROOT, Provisioned, provision
from local.stack.resources import Cloud, UnknownResource, create

pytestmark = pytest.mark.cloud

TOPIC = "arn:aws:sns:us-east-1:123456789012:daybook-dev-"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/daybook-dev-stream"


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as running:
        yield running


@pytest.fixture(scope="module")
def code_dir(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("code")


@pytest.fixture(scope="module")
def provisioned(emulator, code_dir) -> Provisioned:
    return provision(emulator, code_dir, "dev", {"emails": '["ada@example.org"]'})


@pytest.mark.usefixtures("provisioned")
def test_the_ledger_is_there(emulator):
    table = client("dynamodb", emulator.endpoint).describe_table(TableName="daybook-dev-ledger")["Table"]
    assert {key["AttributeName"]: key["KeyType"] for key in table["KeySchema"]} == {
        "series": "HASH",
        "entry": "RANGE",
    }


@pytest.mark.usefixtures("provisioned")
def test_the_stream_keeps_its_day(emulator):
    kinesis = client("kinesis", emulator.endpoint)
    found = kinesis.describe_stream_summary(StreamName="daybook-dev-stream")["StreamDescriptionSummary"]
    assert (found["OpenShardCount"], found["RetentionPeriodHours"], found["StreamARN"]) == (1, 24, STREAM)


@pytest.mark.usefixtures("provisioned")
def test_the_buckets_and_topics_are_there(emulator):
    buckets = client("s3", emulator.endpoint).list_buckets()["Buckets"]
    assert {"daybook-dev-archive-123456789012", "daybook-dev-rejected-123456789012"} <= {
        bucket["Name"] for bucket in buckets
    }
    topics = {topic["TopicArn"] for topic in client("sns", emulator.endpoint).list_topics()["Topics"]}
    assert {TOPIC + "daily-report", TOPIC + "alerts", TOPIC + "failures"} <= topics


@pytest.mark.usefixtures("provisioned")
def test_a_message_to_the_alerts_has_the_configured_reader(emulator):
    client("sns", emulator.endpoint).publish(TopicArn=TOPIC + "alerts", Message="…")
    assert emulator.publications[-1].subscriptions == (("email", "ada@example.org"),)


@pytest.mark.usefixtures("provisioned")
def test_the_tables_take_the_past_and_report_to_the_rejected_bucket(emulator):
    timestream = client("timestream-write", emulator.endpoint)
    for name in ("daily", "revisions"):
        table = timestream.describe_table(DatabaseName="daybook-dev", TableName=name)["Table"]
        assert table["RetentionProperties"] == {
            "MemoryStoreRetentionPeriodInHours": 24,
            "MagneticStoreRetentionPeriodInDays": 73_000,
        }
        magnetic = table["MagneticStoreWriteProperties"]
        assert magnetic["EnableMagneticStoreWrites"] is True
        location = magnetic["MagneticStoreRejectedDataLocation"]["S3Configuration"]
        assert location["BucketName"] == "daybook-dev-rejected-123456789012"


def test_the_parameter_holds_what_is_exported(emulator, provisioned):
    found = client("ssm", emulator.endpoint).get_parameter(Name="/daybook/dev")["Parameter"]["Value"]
    facts = {name: value for name, value in provisioned.exports.items() if name != "dashboard_environment"}
    assert json.loads(found) == facts
    assert provisioned.exports["stream_arn"] == STREAM


def test_functions_are_kept_in_the_order_of_their_deployment(provisioned):
    assert [function.name for function in provisioned.functions] == [
        "daybook-dev-reporter",
        "daybook-dev-consumer",
        "daybook-dev-fetcher",
    ]


def test_a_function_has_its_environment_and_its_code(provisioned, code_dir):
    consumer = provisioned.functions[1]
    assert consumer.arn == "arn:aws:lambda:us-east-1:123456789012:function:daybook-dev-consumer"
    assert (consumer.handler, consumer.timeout) == ("functions.consumer.handler", 120)
    assert ConsumerSettings.read(consumer.environment).database == "daybook-dev"
    assert consumer.code == code_dir / "daybook-dev-consumer"
    unpacked = consumer.code / "functions" / "settings.py"
    assert unpacked.read_bytes() == (ROOT / "functions" / "settings.py").read_bytes()
    assert not unpacked.is_symlink()


def test_what_the_local_cloud_acts_on_is_as_the_program_has_it(provisioned):
    assert provisioned.mappings == (
        LocalMapping(
            function_name="daybook-dev-consumer",
            stream_arn=STREAM,
            batch_size=98,
            window_seconds=5,
            bisect=True,
            max_record_age_seconds=43_200,
            max_retries=-1,
            partial_response=True,
            on_failure_topic=TOPIC + "failures",
        ),
    )
    assert set(provisioned.invoke_configs) == {
        LocalInvokeConfig("daybook-dev-fetcher", 2, 3_600, TOPIC + "failures"),
        LocalInvokeConfig("daybook-dev-reporter", 2, 21_600, TOPIC + "alerts"),
    }
    assert provisioned.schedules == (
        LocalSchedule(
            name="daybook-dev-schedule",
            expression="cron(0 12 * * ? *)",
            timezone="UTC",
            target_function="daybook-dev-fetcher",
            input='{"scheduled_at": "<aws.scheduler.scheduled-time>", "trigger": "schedule"}',
            max_attempts=11,
        ),
    )
    assert set(provisioned.subscriptions) == {
        LocalSubscription(TOPIC + "daily-report", "email", "ada@example.org"),
        LocalSubscription(TOPIC + "alerts", "email", "ada@example.org"),
        LocalSubscription(TOPIC + "fallback", "email", "ada@example.org"),
        LocalSubscription(TOPIC + "failures", "lambda", provisioned.functions[0].arn),
    }


def test_a_second_stack_is_made_in_the_same_process_and_knows_nothing_of_the_first(
    emulator, provisioned, code_dir
):
    main = sys.modules["__main__"]
    other = provision(emulator, code_dir, "other", {"schedule": "rate(1 day)"})
    assert other.exports.keys() == provisioned.exports.keys()
    assert other.exports["schedule_expression"] == "rate(1 day)"
    assert {subscription.protocol for subscription in other.subscriptions} == {"lambda"}
    assert not [text for text in other.exports.values() if "daybook-dev" in text]
    assert sys.modules["__main__"] is main


def test_code_of_an_earlier_deployment_is_gone(emulator, code_dir):
    stale = code_dir / "daybook-again-fetcher" / "functions" / "gone.py"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    provision(emulator, code_dir, "again", {})
    assert not stale.exists()
    assert (stale.parent / "settings.py").exists()


def test_an_unknown_type_stops_the_program_and_is_named(emulator, code_dir, monkeypatch):
    monkeypatch.delitem(resources.REAL, "aws:scheduler/schedule:Schedule")
    with pytest.raises(UnknownResource, match=r"aws:scheduler/schedule:Schedule \(schedule\)"):
        provision(emulator, code_dir, "unknown", {})


def test_no_type_is_both_made_and_ignored(emulator, code_dir):
    assert not resources.REAL.keys() & resources.INERT.keys()
    with pytest.raises(UnknownResource, match="aws:sqs/queue:Queue"):
        create(Cloud(emulator.endpoint, code_dir), "aws:sqs/queue:Queue", "letters", {})
