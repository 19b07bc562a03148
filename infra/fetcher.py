"""The fetcher, and the schedule that starts it."""

import json

import pulumi
import pulumi_aws as aws

from functions.request import EVENT_AGE
from functions.settings import FetcherSettings
from infra.consumer import Consumer
from infra.functions import Function, Surroundings, create_function
from infra.roles import LIST, Right, create_role, grant
from infra.settings import Settings
from storage.archive import REASONS, SOURCES

MAX_RETRIES = 2  # the most that Lambda does
EVENT_AGE_SECONDS = int(EVENT_AGE.total_seconds())
MAX_DELIVERIES = 10  # of the Scheduler's; what the function makes of it is Lambda's affair
# Scheduler puts its time there: a retried request has the time of the first.
REQUEST = json.dumps({"scheduled_at": "<aws.scheduler.scheduled-time>", "trigger": "schedule"})


def create_fetcher(surroundings: Surroundings, consumer: Consumer) -> Function:
    """Deployed after the consumer, so that nobody emits what nobody can read."""
    failures = surroundings.topics.failures
    function = create_function(
        "fetcher",
        surroundings,
        FetcherSettings,
        rights=[
            Right(LIST, [surroundings.ledger.arn]),
            Right(["s3:PutObject"], surroundings.kept(SOURCES, REASONS)),
            Right(["s3:GetObject"], surroundings.kept(SOURCES)),
            *surroundings.read_log(),
            Right(["kinesis:PutRecords"], [surroundings.stream.arn]),
            Right(["sns:Publish"], [failures.arn]),
        ],
        memory=1024,
        timeout=120,
        layers=["functions", "fetcher"],
        after=[consumer.mapping],
        reserved_concurrent_executions=1 if surroundings.settings.reserve_concurrency else None,
    )
    aws.lambda_.FunctionEventInvokeConfig(
        "fetcher",
        function_name=function.resource.name,
        maximum_retry_attempts=MAX_RETRIES,
        maximum_event_age_in_seconds=EVENT_AGE_SECONDS,
        destination_config={"on_failure": {"destination": failures.arn}},
        opts=pulumi.ResourceOptions(depends_on=[function.rights]),
    )
    return function


def create_schedule(settings: Settings, fetcher: Function, account: str) -> aws.scheduler.Schedule:
    role = create_role(
        "schedule",
        settings,
        "scheduler.amazonaws.com",
        {"StringEquals": {"aws:SourceAccount": account}},
    )
    right = grant("schedule", role, [Right(["lambda:InvokeFunction"], [fetcher.resource.arn])])
    return aws.scheduler.Schedule(
        "schedule",
        name=settings.name("schedule"),
        schedule_expression=settings.schedule,
        schedule_expression_timezone=settings.timezone,
        flexible_time_window={"mode": "OFF"},
        target={
            "arn": fetcher.resource.arn,
            "role_arn": role.arn,
            "input": REQUEST,
            "retry_policy": {
                "maximum_retry_attempts": MAX_DELIVERIES,
                "maximum_event_age_in_seconds": EVENT_AGE_SECONDS,
            },
        },
        opts=pulumi.ResourceOptions(depends_on=[right]),
    )
