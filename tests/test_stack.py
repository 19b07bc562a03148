"""What the Pulumi program promises, resource by resource."""

import json
import subprocess
import sys
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

import infra.code
from dashboard.settings import Settings as DashboardSettings
from functions import history
from functions.settings import ConsumerSettings, FetcherSettings
from functions.settings import Settings as FunctionSettings
from infra.schedule_expression import longest_interval, problem_with
from infra.settings import RETENTION_HOURS, ConfigurationError, Settings
from local.stack.program import ROOT, answer, plain, run_program

CONFIG = {
    "emails": '["ada@example.org"]',
    "phones": '["+12065550100"]',
    "webhooks": '["https://example.org/hook"]',
}
READS = {"fetcher": FetcherSettings, "consumer": ConsumerSettings, "reporter": FunctionSettings}
LEDGER = ("BatchGetItem", "GetItem", "PutItem", "UpdateItem")


def test_each_function_is_told_exactly_what_it_reads(stack):
    for part, kind in READS.items():
        told = stack.one("lambda/function:Function", part)["environment"]["variables"]
        assert set(told) == {f"DAYBOOK_{field.name.upper()}" for field in fields(kind)}
        kind.read(told)


def test_what_a_function_is_told_is_what_was_declared(stack):
    fetcher = FetcherSettings.read(
        stack.one("lambda/function:Function", "fetcher")["environment"]["variables"]
    )
    consumer = ConsumerSettings.read(
        stack.one("lambda/function:Function", "consumer")["environment"]["variables"]
    )
    assert fetcher.stack == "test"
    assert fetcher.ledger_table == stack.one("dynamodb/table:Table")["name"]
    assert fetcher.archive_bucket == stack.one("s3/bucket:Bucket", "archive")["bucket"]
    assert fetcher.stream == stack.one("kinesis/stream:Stream")["name"]
    assert fetcher.daily_report_topic == stack.arn("sns/topic:Topic", "daily-report")
    assert fetcher.alerts_topic == stack.arn("sns/topic:Topic", "alerts")
    assert fetcher.allowed_hosts == "raw.githubusercontent.com"
    assert fetcher.insecure_hosts == ""
    assert fetcher.max_source_bytes == 50_000_000
    assert fetcher.source_deadline_seconds == 60
    mapping = stack.one("lambda/eventSourceMapping:EventSourceMapping")
    assert fetcher.record_age_seconds == mapping["maximumRecordAgeInSeconds"]
    assert consumer.database == stack.one("timestreamwrite/database:Database")["databaseName"]
    assert (consumer.daily_table, consumer.revisions_table) == ("daily", "revisions")


def test_functions_run_on_python_3_13_and_arm_under_their_limits(stack):
    seen = {
        part: (
            function["handler"],
            function["runtime"],
            function["architectures"],
            function["memorySize"],
            function["timeout"],
        )
        for part, function in stack.all("lambda/function:Function").items()
    }
    assert seen == {
        "fetcher": ("functions.fetcher.handler", "python3.13", ["arm64"], 1024, 120),
        "consumer": ("functions.consumer.handler", "python3.13", ["arm64"], 512, 120),
        "reporter": ("functions.reporter.handler", "python3.13", ["arm64"], 256, 60),
    }


def test_logs_are_kept_for_a_while_only_and_in_the_declared_groups(stack):
    for part in READS:
        group = stack.one("cloudwatch/logGroup:LogGroup", part)
        function = stack.one("lambda/function:Function", part)
        assert group["retentionInDays"] == 90
        assert group["name"] == f"/aws/lambda/{function['name']}" == function["loggingConfig"]["logGroup"]


def test_the_code_is_the_modules_of_three_packages_the_list_of_the_history_and_nothing_else(stack):
    archives = [function["code"] for function in stack.all("lambda/function:Function").values()]
    modules = sorted(
        path.relative_to(ROOT).as_posix()
        for package in ("functions", "schemas", "storage")
        for path in (ROOT / package).iterdir()
        if path.suffix == ".py" or path == history.LIST
    )
    assert {"functions/settings.py", "storage/__init__.py"} <= set(modules)
    assert [sorted(archive.assets) for archive in archives] == [modules] * 3


def test_the_codes_hash_changes_with_contents_and_names_but_not_with_the_place(tmp_path, monkeypatch):
    def hash_of(place: str, files: dict[str, str]) -> str:
        for name, text in files.items():
            (tmp_path / place / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place / name).write_text(text)
        monkeypatch.setattr(infra.code, "ROOT", tmp_path / place)
        return infra.code.read_code().hash

    first = hash_of("one", {"functions/a.py": "1"})
    assert hash_of("two", {"functions/a.py": "1", "functions/__pycache__/a.pyc": "x"}) == first
    assert hash_of("three", {"functions/a.py": "2"}) != first
    assert hash_of("four", {"functions/b.py": "1"}) != first


@pytest.mark.parametrize("name", ["archive", "rejected", "bundles"])
def test_buckets_are_private_encrypted_and_closed_to_plain_http(stack, name):
    bucket = stack.one("s3/bucket:Bucket", name)
    assert bucket["bucket"] == f"daybook-test-{name}-123456789012"
    assert bucket["forceDestroy"] is False
    (rule,) = stack.one(
        "s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", name
    )["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    block = stack.one("s3/bucketPublicAccessBlock:BucketPublicAccessBlock", name)
    assert [on for key, on in block.items() if key != "bucket"] == [True] * 4
    ownership = stack.one("s3/bucketOwnershipControls:BucketOwnershipControls", name)
    assert ownership["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    tls, *others = json.loads(stack.one("s3/bucketPolicy:BucketPolicy", name)["policy"])["Statement"]
    arn = stack.arn("s3/bucket:Bucket", name)
    assert (tls["Effect"], tls["Principal"], tls["Action"]) == ("Deny", "*", "s3:*")
    assert tls["Resource"] == [arn, f"{arn}/*"]
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    writers = [(other["Principal"], other["Action"], other["Condition"]) for other in others]
    timestream = {"Service": "timestream.amazonaws.com"}
    ours = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    reports = [(timestream, "s3:PutObject", ours), (timestream, "s3:GetBucketAcl", ours)]
    assert writers == (reports if name == "rejected" else [])


def test_buckets_keep_versions_but_for_the_one_whose_objects_an_alarm_counts(stack):
    """CloudWatch's NumberOfObjects counts the versions of deleted objects as well."""
    versions = stack.all("s3/bucketVersioning:BucketVersioning")
    assert {name: found["versioningConfiguration"] for name, found in versions.items()} == {
        "archive": {"status": "Enabled"},
        "bundles": {"status": "Enabled"},
    }


def test_the_ledger_is_paid_by_request_can_be_wound_back_and_cant_be_deleted(stack):
    ledger = stack.one("dynamodb/table:Table")
    assert (ledger["hashKey"], ledger["rangeKey"]) == ("series", "entry")
    assert ledger["attributes"] == [{"name": "series", "type": "S"}, {"name": "entry", "type": "S"}]
    assert ledger["billingMode"] == "PAY_PER_REQUEST"
    assert ledger["pointInTimeRecovery"] == {"enabled": True}
    assert ledger["deletionProtectionEnabled"] is True


def test_a_stack_that_isnt_protected_can_be_deleted():
    stack = run(protect="false")
    assert stack.one("dynamodb/table:Table")["deletionProtectionEnabled"] is False
    assert stack.one("s3/bucket:Bucket", "archive")["forceDestroy"] is True


def test_the_stream_has_one_shard_and_keeps_an_encrypted_day(stack):
    stream = stack.one("kinesis/stream:Stream")
    assert stream["shardCount"] == 1
    assert stream["streamModeDetails"] == {"streamMode": "PROVISIONED"}
    assert stream["retentionPeriod"] == 24
    assert (stream["encryptionType"], stream["kmsKeyId"]) == ("KMS", "alias/aws/kinesis")


def test_a_stream_can_keep_its_records_for_a_week_and_never_shorter_than_they_are_tried():
    stack = run(stream_retention_hours="168")
    assert stack.one("kinesis/stream:Stream")["retentionPeriod"] == 168
    assert stack.outputs["stream_retention_hours"] == "168"
    assert stack.one("lambda/eventSourceMapping:EventSourceMapping")["maximumRecordAgeInSeconds"] == 43_200
    assert RETENTION_HOURS[0] * 3_600 > 43_200


@pytest.mark.parametrize("name", ["daily", "revisions"])
def test_tables_take_days_of_the_past_and_keep_them(stack, name):
    table = stack.one("timestreamwrite/table:Table", name)
    assert (table["databaseName"], table["tableName"]) == ("daybook-test", name)
    assert table["retentionProperties"] == {
        "memoryStoreRetentionPeriodInHours": 24,
        "magneticStoreRetentionPeriodInDays": 73_000,
    }
    magnetic = table["magneticStoreWriteProperties"]
    assert magnetic["enableMagneticStoreWrites"] is True
    rejected = magnetic["magneticStoreRejectedDataLocation"]["s3Configuration"]
    assert rejected["bucketName"] == stack.one("s3/bucket:Bucket", "rejected")["bucket"]


def test_an_entry_that_is_retried_to_the_end_is_still_young_enough_for_the_memory_store(stack):
    mapping = stack.one("lambda/eventSourceMapping:EventSourceMapping")
    table = stack.one("timestreamwrite/table:Table", "revisions")
    hours = table["retentionProperties"]["memoryStoreRetentionPeriodInHours"]
    assert hours * 3_600 > mapping["maximumRecordAgeInSeconds"]


def test_people_get_reports_and_alerts_and_only_the_reporter_gets_failures(stack):
    subscriptions = {
        (entry["topic"], entry["protocol"], entry["endpoint"])
        for entry in stack.all("sns/topicSubscription:TopicSubscription").values()
    }
    people = {
        (stack.arn("sns/topic:Topic", topic), protocol, endpoint)
        for topic in ("daily-report", "alerts")
        for protocol, endpoint in (
            ("email", "ada@example.org"),
            ("sms", "+12065550100"),
            ("https", "https://example.org/hook"),
        )
    }
    reporter = stack.arn("lambda/function:Function", "reporter")
    assert subscriptions == people | {
        (stack.arn("sns/topic:Topic", "failures"), "lambda", reporter),
        (stack.arn("sns/topic:Topic", "fallback"), "email", "ada@example.org"),
    }


def test_the_failures_topic_and_nothing_else_may_invoke_the_reporter(stack):
    assert stack.all("lambda/permission:Permission") == {
        "reporter": {
            "action": "lambda:InvokeFunction",
            "function": "daybook-test-reporter",
            "principal": "sns.amazonaws.com",
            "sourceArn": stack.arn("sns/topic:Topic", "failures"),
        }
    }


@pytest.mark.parametrize(
    ("topic", "publishers", "services"),
    [
        ("daily-report", ["fetcher", "consumer", "reporter"], []),
        (
            "alerts",
            ["fetcher", "consumer", "reporter"],
            ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"],
        ),
        ("failures", ["fetcher", "consumer"], []),
        ("fallback", [], ["cloudwatch.amazonaws.com"]),
    ],
)
def test_nobody_else_may_publish_on_a_topic(stack, topic, publishers, services):
    entry = stack.one("sns/topicPolicy:TopicPolicy", topic)
    statements = json.loads(entry["policy"])["Statement"]
    assert entry["arn"] == stack.arn("sns/topic:Topic", topic)
    assert {(found["Action"], found["Resource"]) for found in statements} == {("sns:Publish", entry["arn"])}
    others, tls, *allowed = statements
    assert (others["Effect"], others["Principal"]) == (tls["Effect"], tls["Principal"]) == ("Deny", "*")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert others["Condition"].get("ArnNotEquals", {}) == (
        {"aws:PrincipalArn": [stack.arn("iam/role:Role", part) for part in publishers]} if publishers else {}
    )
    assert others["Condition"]["BoolIfExists"] == {"aws:PrincipalIsAWSService": "false"}
    ours = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert [(found["Effect"], found["Principal"]["Service"], found["Condition"]) for found in allowed] == (
        [("Allow", services, ours)] if services else []
    )
    may = {part for part in READS if entry["arn"] in stack.rights(part).get("sns:Publish", [])}
    assert may == set(publishers)


def test_the_mapping_retries_a_record_for_twelve_hours_and_then_tells(stack):
    mapping = stack.one("lambda/eventSourceMapping:EventSourceMapping")
    assert mapping == {
        "functionName": "daybook-test-consumer",
        "eventSourceArn": stack.arn("kinesis/stream:Stream", "stream"),
        "startingPosition": "TRIM_HORIZON",
        "batchSize": 98,
        "maximumBatchingWindowInSeconds": 5,
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "bisectBatchOnFunctionError": True,
        "maximumRetryAttempts": -1,
        "maximumRecordAgeInSeconds": 43_200,
        "destinationConfig": {"onFailure": {"destinationArn": stack.arn("sns/topic:Topic", "failures")}},
        "tags": {"project": "daybook", "stack": "test"},
    }


def test_a_failed_fetcher_is_told_to_the_reporter_and_a_failed_reporter_to_people(stack):
    def config(part: str, age: int, topic: str) -> dict[str, Any]:
        return {
            "functionName": f"daybook-test-{part}",
            "maximumRetryAttempts": 2,
            "maximumEventAgeInSeconds": age,
            "destinationConfig": {"onFailure": {"destination": stack.arn("sns/topic:Topic", topic)}},
        }

    assert stack.all("lambda/functionEventInvokeConfig:FunctionEventInvokeConfig") == {
        "fetcher": config("fetcher", 3_600, "failures"),
        "reporter": config("reporter", 21_600, "alerts"),
    }


def test_the_schedule_starts_the_fetcher_with_the_scheduled_time(stack):
    schedule = stack.one("scheduler/schedule:Schedule")
    assert schedule["scheduleExpression"] == "cron(0 12 * * ? *)"
    assert schedule["scheduleExpressionTimezone"] == "UTC"
    assert schedule["flexibleTimeWindow"] == {"mode": "OFF"}
    target = schedule["target"]
    assert target["arn"] == stack.arn("lambda/function:Function", "fetcher")
    assert target["roleArn"] == stack.arn("iam/role:Role", "schedule")
    assert json.loads(target["input"]) == {
        "scheduled_at": "<aws.scheduler.scheduled-time>",
        "trigger": "schedule",
    }
    assert target["retryPolicy"] == {"maximumRetryAttempts": 10, "maximumEventAgeInSeconds": 3_600}


def test_the_consumer_is_deployed_before_the_fetcher(stack):
    order = [(kind, name) for kind, name, _ in stack.resources]
    fetcher = order.index(("aws:lambda/function:Function", "fetcher"))
    assert order.index(("aws:lambda/eventSourceMapping:EventSourceMapping", "consumer")) < fetcher


def test_only_one_fetcher_runs_at_a_time_where_the_account_allows_it(stack):
    assert "reservedConcurrentExecutions" not in stack.one("lambda/function:Function", "fetcher")
    reserved = run(reserve_concurrency="true").all("lambda/function:Function")
    assert {part: function.get("reservedConcurrentExecutions") for part, function in reserved.items()} == {
        "fetcher": 1,
        "consumer": None,
        "reporter": None,
    }


def test_the_fetcher_may_only_do_this(stack):
    assert stack.rights("fetcher") == {
        **stack.common_rights("fetcher"),
        "dynamodb:Query": [stack.arn("dynamodb/table:Table", "ledger")],
        "s3:PutObject": stack.kept("sources", "reasons"),
        "s3:GetObject": stack.kept("sources", "events"),
        "s3:ListBucket": [stack.arn("s3/bucket:Bucket", "archive")],
        "kinesis:PutRecords": [stack.arn("kinesis/stream:Stream", "stream")],
        "sns:Publish": stack.topics("daily-report", "alerts", "failures"),
    }


def test_the_consumer_may_only_do_this(stack):
    tables = [stack.arn("timestreamwrite/table:Table", name) for name in ("daily", "revisions")]
    stream = [stack.arn("kinesis/stream:Stream", "stream")]
    rejected = stack.arn("s3/bucket:Bucket", "rejected")
    assert stack.rights("consumer") == {
        **stack.common_rights("consumer"),
        "kinesis:DescribeStream": stream,
        "kinesis:DescribeStreamSummary": stream,
        "kinesis:GetRecords": stream,
        "kinesis:GetShardIterator": stream,
        "kinesis:ListShards": stream,
        "timestream:WriteRecords": tables,
        "timestream:DescribeEndpoints": ["*"],
        "s3:PutObject": [*stack.kept("events", "rejected"), f"{rejected}/*"],
        "s3:GetObject": stack.kept("events"),
        "s3:ListBucket": [stack.arn("s3/bucket:Bucket", "archive")],
        "s3:GetBucketAcl": [rejected],
        "sns:Publish": stack.topics("daily-report", "alerts", "failures"),
    }


def test_the_reporter_may_only_do_this(stack):
    stream = [stack.arn("kinesis/stream:Stream", "stream")]
    assert stack.rights("reporter") == {
        **stack.common_rights("reporter"),
        "dynamodb:Query": [stack.arn("dynamodb/table:Table", "ledger")],
        "kinesis:GetRecords": stream,
        "kinesis:GetShardIterator": stream,
        "sns:Publish": stack.topics("daily-report", "alerts"),
    }


def test_of_the_archive_only_the_log_may_be_listed_and_no_other_right_has_a_condition(stack):
    log = {"s3:ListBucket": {"StringLike": {"s3:prefix": "events/*"}}}
    assert {part: stack.conditions(part) for part in stack.all("iam/rolePolicy:RolePolicy")} == {
        "fetcher": log,
        "consumer": log,
        "reporter": {},
        "schedule": {},
        "dashboard": {},
    }


def test_the_schedule_may_only_invoke_the_fetcher(stack):
    assert stack.rights("schedule") == {
        "lambda:InvokeFunction": [stack.arn("lambda/function:Function", "fetcher")]
    }


def test_a_role_is_taken_by_its_service_only(stack):
    services = {}
    for name, role in stack.all("iam/role:Role").items():
        (trust,) = json.loads(role["assumeRolePolicy"])["Statement"]
        assert (trust["Effect"], trust["Action"]) == ("Allow", "sts:AssumeRole")
        services[name] = trust["Principal"]
    function = {"Service": "lambda.amazonaws.com"}
    assert services == {
        "fetcher": function,
        "consumer": function,
        "reporter": function,
        "schedule": {"Service": "scheduler.amazonaws.com"},
        "dashboard": {"Service": "ec2.amazonaws.com"},
        "beanstalk": {"Service": "elasticbeanstalk.amazonaws.com"},
    }


def test_the_dashboard_is_told_exactly_what_it_reads(stack):
    told = stack.outputs["dashboard_environment"]
    assert told.keys() == {"DAYBOOK_" + field.name.upper() for field in fields(DashboardSettings)}
    assert DashboardSettings.read(told).ledger_table == "daybook-test-ledger"


def test_the_operators_facts_are_the_outputs_and_the_parameter(stack):
    parameter = stack.one("ssm/parameter:Parameter")
    assert parameter["name"] == "/daybook/test"
    facts = {name: value for name, value in stack.outputs.items() if name != "dashboard_environment"}
    assert json.loads(parameter["value"]) == facts
    assert len(parameter["value"]) < 4_096  # a standard parameter
    declared = {
        "fetcher": "daybook-test-fetcher",
        "consumer": "daybook-test-consumer",
        "reporter": "daybook-test-reporter",
        "stream": "daybook-test-stream",
        "ledger_table": "daybook-test-ledger",
        "archive_bucket": "daybook-test-archive-123456789012",
        "database": "daybook-test",
        "failures_topic": stack.arn("sns/topic:Topic", "failures"),
        "schedule_expression": "cron(0 12 * * ? *)",
        "record_age_seconds": "43200",
        "stream_retention_hours": "24",
    }
    assert declared.items() <= stack.outputs.items()
    assert [name for name, value in stack.outputs.items() if not value] == ["label", "insecure_hosts"]


def test_no_output_is_rendered_into_a_text_before_it_is_known(stack):
    texts = [*strings([inputs for _, _, inputs in stack.resources]), *strings(stack.outputs)]
    assert len(texts) > 200
    assert [text for text in texts if "Calling __str__" in text or "Output object" in text] == []


def test_stacks_live_side_by_side_in_one_account(stack):
    other = run("other")
    assert other.names()
    assert stack.names() & other.names() == set()
    assert len(stack.resources) > len(other.resources)  # which has no subscribers


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        ({"schedule": "every day"}, "daybook:schedule 'every day': write cron"),
        ({"timezone": "Mars/Olympus"}, "daybook:timezone 'Mars/Olympus': no such zone"),
        ({"emails": '["ada"]'}, "daybook:emails 'ada': not an e-mail address"),
        ({"phones": '["206-555-0100"]'}, "daybook:phones '206-555-0100': not in E.164"),
        ({"webhooks": '["http://example.org"]'}, "daybook:webhooks 'http://example.org': must be https"),
        ({"webhooks": '["mailto:ada@example.org"]'}, "not a web address"),
        ({"nyt_url": "http://raw.githubusercontent.com/us.csv"}, "daybook:nyt_url .*: must be https"),
        ({"jhu_url": "https://example.org/a.csv"}, "daybook:jhu_url .*isn't one of daybook:allowed_hosts"),
        ({"nyt_url": "https://raw.githubusercontent.com/us.csv?token=t"}, "us.csv': has a query"),
        ({"history_base": "http://raw.githubusercontent.com"}, "daybook:history_base .*: must be https"),
        ({"history_base": "https://ada:b@example.org"}, "daybook:history_base .*: not a web address"),
        ({"history_base": "https://example.org/?token=t"}, "daybook:history_base .*: has a query"),
        ({"history_base": "raw.githubusercontent.com"}, "daybook:history_base .*: not a web address"),
        ({"nyt_url": "https://raw.githubusercontent.com:70000/us.csv"}, "nyt_url .*Port out of range"),
        ({"webhooks": '["https://example.org:hook/"]'}, "daybook:webhooks .*Port could not be cast"),
        ({"webhooks": '["HTTPS://example.org/"]'}, "daybook:webhooks .*not a web address"),
        ({"emails": '["ada@example.org,"]'}, "daybook:emails 'ada@example.org,': not an e-mail address"),
        ({"emails": '["<ada@example.org"]'}, "daybook:emails '<ada@example.org': not an e-mail address"),
        ({"emails": '"ada@example.org"'}, "daybook:emails is a list of texts"),
        ({"emails": "[1]"}, "daybook:emails is a list of texts"),
        ({"emails": "ada@example.org"}, "daybook:emails"),
        ({"max_source_bytes": "many"}, "daybook:max_source_bytes"),
        ({"max_source_bytes": "0"}, "daybook:max_source_bytes 0: must be more than 0"),
        ({"source_deadline_seconds": "91"}, "daybook:source_deadline_seconds 91: must be at most 90"),
        ({"stream_retention_hours": "23"}, "daybook:stream_retention_hours 23: must be 24 to 168"),
        ({"stream_retention_hours": "169"}, "daybook:stream_retention_hours 169: must be 24 to 168"),
        ({"protect": "perhaps"}, "daybook:protect"),
        ({"shedule": "rate(1 day)"}, "daybook:shedule: .* no such setting; the nearest is daybook:schedule$"),
        ({"stack": "other"}, "daybook:stack: there is no such setting"),
        ({"stale_after_hours": "1"}, "daybook:stale_after_hours 1: must be more than the 24 hours that"),
        ({"stale_after_hours": "62", "schedule": "cron(0/15 8-17 ? * 2-6 *)"}, "more than the 62.25 hours"),
        ({"stale_after_hours": "200", "schedule": "rate(7 days)"}, "'rate.7 days.': may leave 168 hours"),
        ({"schedule": "cron(0 12 31 2 ? *)"}, "daybook:schedule .*: never comes twice"),
        ({"dashboard_subnet": "vpc-1"}, "daybook:dashboard_subnet 'vpc-1': write it like subnet-"),
    ],
)
def test_a_bad_configuration_is_refused_before_anything_is_declared(config, complaint):
    recorder = Recorder()
    with pytest.raises(ConfigurationError, match=complaint):
        run_program(recorder, "test", config)
    assert recorder.resources == []


def test_a_setting_that_isn_t_there_is_refused_however_the_engine_hands_it_over(monkeypatch):
    monkeypatch.setenv("PULUMI_CONFIG", '{"daybook:lable": "staging"}')  # as to a program in its own process
    with pytest.raises(ConfigurationError, match=r"daybook:lable: .* the nearest is daybook:label$"):
        run_program(Recorder(), "test", {})


def test_keys_of_other_namespaces_are_none_of_the_programs_business():
    recorder = Recorder()
    run_program(recorder, "test", {"aws:region": "us-east-1", "other:shedule": "rate(1 day)"})
    assert recorder.resources


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("rate(90 minutes)", 1.5),
        ("rate(2 days)", 48),
        ("cron(0 12 * * ? *)", 24),
        ("cron(0 6,9 * * ? *)", 21),
        ("cron(0 12 ? * MON-FRI *)", 72),
        ("cron(0 12 ? * L *)", 28 * 24),
        ("cron(0 12 31 * ? *)", 61 * 24),  # from March to May, over a shorter month
        ("cron(0 12 29 2 ? *)", 1461 * 24),
        ("cron(0 12 1 1 ? 2026)", 0),  # once, and never again
    ],
)
def test_the_longest_interval_of_a_schedule(expression, hours):
    assert longest_interval(expression) == timedelta(hours=hours)


@pytest.mark.parametrize("stack_name", ["Prod", "a_b", "a--b", "1st", "x" * 31])
def test_a_stack_whose_name_no_bucket_could_bear_is_refused(stack_name):
    with pytest.raises(ConfigurationError, match=f"stack '{stack_name}'"):
        run_program(Recorder(), stack_name, {})


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(ConfigurationError) as refused:
        run_program(Recorder(), "test", {"timezone": "Mars", "phones": '["1", "2"]'})
    assert len(str(refused.value).splitlines()) == 4
    assert isinstance(refused.value, pulumi.RunError)  # which the CLI shows without a traceback


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_an_account_of_another_partition_is_refused_before_anything_is_declared(partition):
    class Elsewhere(Recorder):
        def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
            known, failures = super().call(args)
            return {**known, "arn": f"arn:{partition}:iam::123456789012:user/ada"}, failures

    elsewhere = Elsewhere()
    with pytest.raises(ConfigurationError, match=f"This account is of {partition}"):
        run_program(elsewhere, "test", {"store": "dynamodb"})
    assert elsewhere.resources == []


def test_http_is_for_insecure_hosts_only():
    stack = run(
        nyt_url="http://127.0.0.1:8000/us.csv",
        webhooks='["http://127.0.0.1:8001/hook"]',
        allowed_hosts='["127.0.0.1", "raw.githubusercontent.com"]',
        insecure_hosts='["127.0.0.1"]',
    )
    told = stack.one("lambda/function:Function", "fetcher")["environment"]["variables"]
    assert told["DAYBOOK_ALLOWED_HOSTS"] == "127.0.0.1,raw.githubusercontent.com"
    assert told["DAYBOOK_INSECURE_HOSTS"] == "127.0.0.1"
    protocols = {entry["protocol"] for entry in stack.all("sns/topicSubscription:TopicSubscription").values()}
    assert protocols == {"http", "lambda"}


def test_every_setting_is_described_in_pulumi_yaml_and_has_a_default():
    described = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert set(described) == {field.name for field in fields(Settings)} - {"stack"}
    assert all(entry.keys() >= {"type", "default", "description"} for entry in described.values())


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 day)",
        "rate(12 hours)",
        "cron(0 12 * * ? *)",
        "cron(0/15 8-17 ? * MON-FRI *)",
        "cron(30 6,18 1,15 JAN,JUL ? 2026-2030)",
        "cron(0 12 L * ? *)",
        "cron(0 12 15W * ? *)",
        "cron(0 12 ? * 6L *)",
        "cron(0 12 ? * FRI#2 *)",
    ],
)
def test_expressions_that_the_scheduler_takes(expression):
    assert problem_with(expression) is None


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "write cron("),
        ("0 12 * * ? *", "write cron("),
        ("rate(0 days)", "write cron("),
        ("at(2026-01-01T00:00:00)", "write cron("),
        ("cron(0 12 * * *)", "6 fields"),
        ("cron(60 12 * * ? *)", "'60' is no minutes"),
        ("cron(0 24 * * ? *)", "'24' is no hours"),
        ("cron(0 12 0 * ? *)", "'0' is no day of month"),
        ("cron(0 12 * 13 ? *)", "'13' is no month"),
        ("cron(0 12 * FEBRUARY ? *)", "'FEBRUARY' is no month"),
        ("cron(0 12 ? * 0 *)", "'0' is no day of week"),
        ("cron(0 12 * * ? 1969)", "'1969' is no year"),
        ("cron(0 17-8 * * ? *)", "'17-8' is no hours"),
        ("cron(0/0 12 * * ? *)", "'0/0' is no minutes"),
        ("cron(0, 12 * * ? *)", "'0,' is no minutes"),
        ("cron(? 12 * * ? *)", "'?' is no minutes"),
        ("cron(0 12 * * * *)", "must be ?"),
        ("cron(0 12 ? * ? *)", "must be ?"),
    ],
)
def test_expressions_that_it_would_refuse(expression, problem):
    assert problem in str(problem_with(expression))


@pytest.mark.cloud  # a process of its own imports all of the stack
def test_without_pulumi_the_program_says_what_to_do():
    done = subprocess.run(
        [sys.executable, str(ROOT)], capture_output=True, text=True, check=False, cwd=Path.home()
    )
    assert done.returncode == 1
    assert "This is a Pulumi program" in done.stderr
    assert "Traceback" not in done.stderr


@dataclass
class Recorder(Mocks):
    """Every resource in the order it was made, its inputs under the names that the provider gets."""

    resources: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = plain(args.inputs)
        self.resources.append((args.typ, args.name, inputs))
        known = {"arn": arn_of(args.typ, args.name, inputs), "uuid": "a-uuid"}
        hosts = {"cname": f"{args.name}.beanstalk.test", "domainName": f"{args.name}.cloudfront.test"}
        return args.name, {**inputs, **known, **hosts}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return answer(args.token), []

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """Inputs by the resource's name in the program."""
        return {name: inputs for found, name, inputs in self.resources if found == f"aws:{kind}"}

    def one(self, kind: str, name: str | None = None) -> dict[str, Any]:
        found = self.all(kind)
        if name is not None:
            return found[name]
        (inputs,) = found.values()
        return inputs

    def arn(self, kind: str, name: str) -> str:
        return arn_of(f"aws:{kind}", name, self.one(kind, name))

    def topics(self, *names: str) -> list[str]:
        return [self.arn("sns/topic:Topic", name) for name in names]

    def rights(self, part: str) -> dict[str, list[str]]:
        """What a role may do, and on what."""
        rights: dict[str, list[str]] = {}
        for statement in self.statements(part):
            assert statement["Effect"] == "Allow"
            for action in statement["Action"]:
                rights.setdefault(action, []).extend(statement["Resource"])
        return rights

    def conditions(self, part: str) -> dict[str, dict[str, Any]]:
        """Under what conditions it may, by action."""
        return {
            action: statement["Condition"]
            for statement in self.statements(part)
            if "Condition" in statement
            for action in statement["Action"]
        }

    def statements(self, part: str) -> list[dict[str, Any]]:
        policy = self.one("iam/rolePolicy:RolePolicy", part)
        assert policy["role"] == part
        return json.loads(policy["policy"])["Statement"]

    def kept(self, *prefixes: str) -> list[str]:
        archive = self.arn("s3/bucket:Bucket", "archive")
        return [f"{archive}/{prefix}/*" for prefix in prefixes]

    def common_rights(self, part: str) -> dict[str, list[str]]:
        ledger = self.arn("dynamodb/table:Table", "ledger")
        logs = self.arn("cloudwatch/logGroup:LogGroup", part) + ":log-stream:*"
        return {
            **{f"dynamodb:{action}": [ledger] for action in LEDGER},
            "kms:Decrypt": [self.arn("kms/key:Key", "alerts")],
            "kms:GenerateDataKey": [self.arn("kms/key:Key", "alerts")],
            "logs:CreateLogStream": [logs],
            "logs:PutLogEvents": [logs],
        }

    def names(self) -> set[str]:
        """What the resources are called in the account; a Timestream table by its database's name."""
        own = {"Bucket": "bucket", "Database": "databaseName"}
        return {
            inputs[own.get(kind.rpartition(":")[2], "name")]
            for kind, _, inputs in self.resources
            if own.get(kind.rpartition(":")[2], "name") in inputs
        }


def arn_of(kind: str, name: str, inputs: dict[str, Any]) -> str:
    return f"arn:{kind}:{inputs.get('name') or inputs.get('bucket') or name}"


def run(stack_name: str = "test", **config: str) -> Recorder:
    recorder = Recorder()
    recorder.outputs = run_program(recorder, stack_name, config)
    return recorder


@pytest.fixture(scope="module")
def stack() -> Recorder:
    return run(**CONFIG)


def strings(value: Any) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for item in value.values() for text in strings(item)]
        case list():
            return [text for item in value for text in strings(item)]
    return []
