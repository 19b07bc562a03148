"""The reporter, which reads the failures of the other two."""

import pulumi
import pulumi_aws as aws

from functions.settings import Settings
from infra.functions import Function, Surroundings, create_function
from infra.roles import LIST, READ_FAILED_RECORDS, Right

MAX_RETRIES = 2
MAX_EVENT_AGE_SECONDS = 21_600  # the longest that Lambda keeps an event


def create_reporter(surroundings: Surroundings) -> Function:
    failures, alerts = surroundings.topics.failures, surroundings.topics.alerts
    function = create_function(
        "reporter",
        surroundings,
        Settings,
        rights=[
            Right(LIST, [surroundings.ledger.arn]),
            Right(READ_FAILED_RECORDS, [surroundings.stream.arn]),
        ],
        memory=256,
        timeout=60,
    )
    # When telling fails as well, people get the machine's own words.
    aws.lambda_.FunctionEventInvokeConfig(
        "reporter",
        function_name=function.resource.name,
        maximum_retry_attempts=MAX_RETRIES,
        maximum_event_age_in_seconds=MAX_EVENT_AGE_SECONDS,
        destination_config={"on_failure": {"destination": alerts.arn}},
        opts=pulumi.ResourceOptions(depends_on=[function.rights]),
    )
    permission = aws.lambda_.Permission(
        "reporter",
        action="lambda:InvokeFunction",
        function=function.resource.name,
        principal="sns.amazonaws.com",
        source_arn=failures.arn,
    )
    aws.sns.TopicSubscription(
        "failures-reporter",
        topic=failures.arn,
        protocol="lambda",
        endpoint=function.resource.arn,
        opts=pulumi.ResourceOptions(depends_on=[permission]),
    )
    return function
