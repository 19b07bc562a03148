"""Who looks at the stack while nobody does: alarms, each with its entry in docs/runbook.md, and a picture.

Alarms go to the topic ``alerts``, straight to people: a reporter that fails is told of like anything else.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from functions import metrics
from infra.functions import Function
from infra.settings import MAX_ALARM_HOURS, Settings
from infra.tables import Tables
from infra.topics import Topics
from storage.tables import TIMESTREAM

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # seconds
RUNBOOK = "docs/runbook.md#"
MAX_LAG_DAYS = 2  # a source that is two days behind the other is no lag: this is days that nobody entered
MAX_ITERATOR_AGE = 6 * HOUR * 1000  # milliseconds; half of what a record is tried


@dataclass(frozen=True)
class Alarm:
    """``threshold`` is the first value that rings; ``missing`` what no data means to CloudWatch.

    ``rings_without_data``: the alarm rings when data that came no longer comes. Its first state is the one
    without data, so that it is silent on a new stack.
    """

    name: str
    says: str
    metric: str
    threshold: float
    period: int
    periods: int = 1
    statistic: str = "Sum"
    namespace: str = metrics.NAMESPACE
    dimensions: Mapping[str, pulumi.Input[str]] | None = None
    comparison: str = "GreaterThanOrEqualToThreshold"
    missing: str = "notBreaching"
    rings_without_data: bool = False


def alarms(settings: Settings, functions: Mapping[str, Function], tables: Tables) -> list[Alarm]:
    """What rings. Each name is a heading of the runbook."""
    hours = min(settings.stale_after_hours, MAX_ALARM_HOURS)
    of_stack = {metrics.STACK: settings.stack}
    found = [
        Alarm(
            "no-completed-run",
            f"No run has completed in {hours} hours",
            metrics.RUNS_COMPLETED,
            1,
            HOUR,
            hours,
            dimensions=of_stack,
            comparison="LessThanThreshold",
            missing="missing",
            rings_without_data=True,
        ),
        Alarm(
            "lag",
            "Published days have not been entered",
            metrics.LAG_DAYS,
            MAX_LAG_DAYS,
            DAY,
            # Each run writes it before what it found is entered, and again at its completion. On a usual day
            # that is 1, then 0; while the consumer is out only the former is written, and grows each day.
            statistic="Minimum",
            dimensions=of_stack,
        ),
        Alarm(
            "records-set-aside",
            "Records can never be entered",
            metrics.RECORDS_SET_ASIDE,
            1,
            5 * MINUTE,
            dimensions=of_stack,
        ),
        Alarm(
            "iterator-age",
            "The consumer is hours behind the stream",
            "IteratorAge",
            MAX_ITERATOR_AGE,
            5 * MINUTE,
            3,
            "Maximum",
            "AWS/Lambda",
            _of(functions["consumer"]),
        ),
    ]
    for part, function in functions.items():
        # The fetcher is tried three times and the consumer until it works; the reporter has nobody behind it.
        found.append(
            Alarm(
                f"{part}-errors",
                f"The {part} fails again and again" if part != "reporter" else "The reporter fails",
                "Errors",
                {"fetcher": 3, "consumer": 3, "reporter": 1}[part],
                HOUR if part == "fetcher" else 5 * MINUTE,
                3 if part == "consumer" else 1,
                namespace="AWS/Lambda",
                dimensions=_of(function),
            )
        )
        found.append(
            Alarm(
                f"{part}-throttles",
                f"The {part} is kept from running by the account's limit",
                "Throttles",
                1,
                5 * MINUTE,
                3,
                namespace="AWS/Lambda",
                dimensions=_of(function),
            )
        )
    if tables.store == TIMESTREAM:
        found.append(
            Alarm(
                "timestream-rejections",
                "Timestream has refused rows that it had accepted",
                "NumberOfObjects",
                1,
                DAY,
                statistic="Average",
                namespace="AWS/S3",
                dimensions={"BucketName": tables.rejected, "StorageType": "AllStorageTypes"},
            )
        )
    return found


def _of(function: Function) -> dict[str, pulumi.Input[str]]:
    return {"FunctionName": function.resource.name}


def watch(settings: Settings, functions: Mapping[str, Function], tables: Tables, topics: Topics) -> int:
    """Declare the alarms, the dashboard and the budget; how many alarms there are."""
    found = alarms(settings, functions, tables)
    made = [_declare(settings, alarm, topics) for alarm in found]
    _picture(settings, functions, made)
    if settings.budget_usd:
        _budget(settings, topics.alerts)
    return len(found)


def _declare(settings: Settings, alarm: Alarm, topics: Topics) -> aws.cloudwatch.MetricAlarm:
    # Where the reporter can't tell, the reason may be what the alerts pass through.
    to = [topics.alerts.arn, *([topics.fallback.arn] if alarm.name.startswith("reporter") else [])]
    return aws.cloudwatch.MetricAlarm(
        alarm.name,
        name=settings.name(alarm.name),
        alarm_description=f"{alarm.says}. {RUNBOOK}{alarm.name}",
        namespace=alarm.namespace,
        metric_name=alarm.metric,
        dimensions=alarm.dimensions,
        statistic=alarm.statistic,
        period=alarm.period,
        evaluation_periods=alarm.periods,
        threshold=alarm.threshold,
        comparison_operator=alarm.comparison,
        treat_missing_data=alarm.missing,
        alarm_actions=to,
        ok_actions=to,
        insufficient_data_actions=to if alarm.rings_without_data else None,
    )


def _budget(settings: Settings, topic: aws.sns.Topic) -> None:
    """The account's month, not the stack's alone: AWS counts by tag only where that was switched on."""
    aws.budgets.Budget(
        "budget",
        name=settings.name("budget"),
        budget_type="COST",
        limit_amount=str(settings.budget_usd),
        limit_unit="USD",
        time_unit="MONTHLY",
        notifications=[
            {
                "comparison_operator": "GREATER_THAN",
                "threshold": 100,
                "threshold_type": "PERCENTAGE",
                "notification_type": kind,
                "subscriber_sns_topic_arns": [topic.arn],
            }
            for kind in ("ACTUAL", "FORECASTED")
        ],
    )


def _picture(
    settings: Settings, functions: Mapping[str, Function], alarms: list[aws.cloudwatch.MetricAlarm]
) -> None:
    """A dashboard in CloudWatch: the alarms, the runs, the functions."""
    names = [function.resource.name for function in functions.values()]
    body = pulumi.Output.all(
        region=aws.get_region().region, names=names, alarms=[alarm.arn for alarm in alarms]
    ).apply(lambda known: json.dumps(_body(settings, **known)))
    aws.cloudwatch.Dashboard("watch", dashboard_name=f"daybook-{settings.stack}", dashboard_body=body)


def _body(settings: Settings, region: str, names: list[str], alarms: list[str]) -> dict[str, Any]:
    def ours(*wanted: str) -> list[list[Any]]:
        return [[metrics.NAMESPACE, name, metrics.STACK, settings.stack] for name in wanted]

    def theirs(metric: str) -> list[list[Any]]:
        return [["AWS/Lambda", metric, "FunctionName", name] for name in names]

    graphs = [
        ("Runs", "Sum", ours(metrics.RUNS_COMPLETED, metrics.RUNS_FAILED)),
        ("Days", "Sum", ours(metrics.DAYS_INSERTED, metrics.DAYS_UPDATED)),
        ("Days pending, and lag", "Maximum", ours(metrics.DAYS_PENDING, metrics.LAG_DAYS)),
        ("From a run's time to its end, seconds", "Maximum", ours(metrics.RUN_SECONDS)),
        ("Records set aside and given up", "Sum", ours(metrics.RECORDS_SET_ASIDE, metrics.RECORDS_GIVEN_UP)),
        ("Duration, milliseconds", "Maximum", theirs("Duration")),
        ("Errors", "Sum", theirs("Errors")),
        ("Behind the stream, milliseconds", "Maximum", theirs("IteratorAge")),
    ]
    widgets: list[dict[str, Any]] = [
        {"type": "alarm", "width": 24, "height": 3, "properties": {"title": "Alarms", "alarms": alarms}}
    ]
    for title, statistic, shown in graphs:
        properties = {
            "title": title,
            "region": region,
            "stat": statistic,
            "period": HOUR,
            "metrics": shown,
        }
        widgets.append({"type": "metric", "width": 12, "height": 6, "properties": properties})
    return {"start": "-P14D", "widgets": widgets}
