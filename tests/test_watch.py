"""Alarms: what the program declares, what the functions count, and what the runbook says of each."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest
from test_stack import CONFIG, Recorder, run

from functions import metrics

RUNBOOK = Path(__file__).resolve().parent.parent / "docs" / "runbook.md"
NAMES = {*metrics.NAMES}  # which CloudWatch wants in CamelCase


@pytest.fixture(scope="module")
def stack() -> Recorder:
    return run(**CONFIG)


@pytest.fixture(scope="module")
def alarms(stack):
    return stack.all("cloudwatch/metricAlarm:MetricAlarm")


def test_each_alarm_goes_to_people_and_says_where_to_read_on(stack, alarms):
    alerts, fallback = stack.topics("alerts", "fallback")
    for name, alarm in alarms.items():
        assert alarm["name"] == f"daybook-test-{name}"
        to = [alerts, fallback] if name.startswith("reporter") else [alerts]
        assert alarm["alarmActions"] == alarm["okActions"] == to
        assert alarm["alarmDescription"].endswith(f". docs/runbook.md#{name}")


def test_the_runbook_has_an_entry_for_each_alarm_and_no_other(alarms):
    section = RUNBOOK.read_text().partition("\n## Alarms\n")[2].partition("\n## ")[0]
    entries = re.split(r"^### ", section, flags=re.MULTILINE)[1:]
    assert {entry.partition("\n")[0] for entry in entries} == set(alarms)
    for entry in entries:
        for word in ("**Means:**", "**Look:**", "**Do:**", "**Over when:**"):
            assert word in entry, (entry.partition("\n")[0], word)


def test_no_completed_run_rings_when_runs_no_longer_complete_and_not_on_a_new_stack(alarms):
    """A new alarm begins without data, which CloudWatch tells nobody: only a change of state is told."""
    alarm = alarms["no-completed-run"]
    assert (alarm["metricName"], alarm["statistic"]) == ("RunsCompleted", "Sum")
    assert (alarm["comparisonOperator"], alarm["threshold"]) == ("LessThanThreshold", 1)
    assert alarm["period"] * alarm["evaluationPeriods"] == 26 * 3600
    assert alarm["treatMissingData"] == "missing"
    assert alarm["insufficientDataActions"] == alarm["alarmActions"]


def test_no_other_alarm_rings_where_nothing_is_heard(alarms):
    silent = {name for name, alarm in alarms.items() if alarm["treatMissingData"] == "notBreaching"}
    assert silent == set(alarms) - {"no-completed-run"}
    assert not any("insufficientDataActions" in alarms[name] for name in silent)


def test_lag_rings_only_where_a_whole_day_brought_it_no_lower(alarms):
    alarm = alarms["lag"]
    assert (alarm["metricName"], alarm["statistic"], alarm["threshold"]) == ("LagDays", "Minimum", 2)
    assert (alarm["period"], alarm["evaluationPeriods"]) == (86_400, 1)


def test_every_function_is_watched_for_errors_and_throttles_and_the_reporter_rings_at_once(stack, alarms):
    for part in ("fetcher", "consumer", "reporter"):
        for kind, metric in (("errors", "Errors"), ("throttles", "Throttles")):
            alarm = alarms[f"{part}-{kind}"]
            assert (alarm["namespace"], alarm["metricName"]) == ("AWS/Lambda", metric)
            assert alarm["dimensions"] == {"FunctionName": f"daybook-test-{part}"}
    reporter = alarms["reporter-errors"]
    assert (reporter["threshold"], reporter["evaluationPeriods"], reporter["period"]) == (1, 1, 300)


def test_the_consumer_has_hours_left_when_the_iterators_age_rings(stack, alarms):
    alarm = alarms["iterator-age"]
    assert alarm["statistic"] == "Maximum"
    age = stack.one("lambda/eventSourceMapping:EventSourceMapping")["maximumRecordAgeInSeconds"]
    assert alarm["threshold"] == age * 1000 / 2


def test_what_timestream_refuses_later_rings_where_it_reports_it(stack, alarms):
    dimensions = alarms["timestream-rejections"]["dimensions"]
    assert dimensions["BucketName"] == stack.one("s3/bucket:Bucket", "rejected")["bucket"]
    assert "timestream-rejections" not in run(**CONFIG, store="dynamodb").all(
        "cloudwatch/metricAlarm:MetricAlarm"
    )


def test_alarms_and_picture_ask_for_what_the_functions_count(stack, alarms):
    ours = [alarm for alarm in alarms.values() if alarm["namespace"] == metrics.NAMESPACE]
    assert {alarm["metricName"] for alarm in ours} <= NAMES
    assert all(alarm["dimensions"] == {metrics.STACK: "test"} for alarm in ours)
    body = json.loads(stack.one("cloudwatch/dashboard:Dashboard")["dashboardBody"])
    drawn = [line for widget in body["widgets"] for line in widget["properties"].get("metrics", [])]
    assert {line[1] for line in drawn if line[0] == metrics.NAMESPACE} == NAMES
    (first, *_) = body["widgets"]
    assert len(first["properties"]["alarms"]) == len(alarms)


def test_the_number_of_alarms_is_told_for_their_cost(stack, alarms):
    assert stack.outputs["alarms"] == str(len(alarms))


def test_the_budget_alerts_and_can_be_left_out(stack):
    budget = stack.one("budgets/budget:Budget")
    assert (budget["limitAmount"], budget["limitUnit"], budget["timeUnit"]) == ("60", "USD", "MONTHLY")
    assert {one["notificationType"] for one in budget["notifications"]} == {"ACTUAL", "FORECASTED"}
    topic = stack.topics("alerts")
    assert all(one["subscriberSnsTopicArns"] == topic for one in budget["notifications"])
    assert not run(**CONFIG, budget_usd="0").all("budgets/budget:Budget")


def test_a_metric_is_a_line_in_the_embedded_format(capsys):
    now = dt.datetime(2020, 3, 1, tzinfo=dt.UTC)
    metrics.count("dev", now, RunsCompleted=1, RunSeconds=2.5)
    (line,) = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert {name: found[name] for name in ("stack", "RunsCompleted", "RunSeconds")} == {
        "stack": "dev",
        "RunsCompleted": 1,
        "RunSeconds": 2.5,
    }
    assert line.startswith('{"_aws"'), "by which readers of the log leave it out"
    assert found["_aws"]["Timestamp"] == 1_583_020_800_000
    (directive,) = found["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["stack"]]
    units = {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}
    assert units == {"RunsCompleted": "Count", "RunSeconds": "Seconds"}
