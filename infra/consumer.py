"""The consumer, and the mapping that brings it the stream's records."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from functions.settings import ConsumerSettings
from infra.functions import Function, Surroundings, create_function
from infra.roles import READ_STREAM, Right
from infra.stream import RECORD_AGE_SECONDS
from schemas.ledger import MAX_DAYS
from storage.archive import EVENTS, REJECTED

BATCHING_WINDOW_SECONDS = 5
WITHOUT_END = -1


@dataclass(frozen=True)
class Consumer:
    function: Function
    mapping: aws.lambda_.EventSourceMapping


def create_consumer(surroundings: Surroundings) -> Consumer:
    stream, tables, failures = surroundings.stream, surroundings.tables, surroundings.topics.failures
    function = create_function(
        "consumer",
        surroundings,
        ConsumerSettings,
        rights=[
            Right(READ_STREAM, [stream.arn]),
            Right(["s3:PutObject"], surroundings.kept(EVENTS, REJECTED)),
            *surroundings.read_log(),
            *tables.writing,
            Right(["sns:Publish"], [failures.arn]),
        ],
        memory=512,
        timeout=120,  # a call that hangs at each of its three attempts takes 36 s: 2 to connect, 10 to read
    )
    mapping = aws.lambda_.EventSourceMapping(
        "consumer",
        function_name=function.resource.name,
        event_source_arn=stream.arn,
        starting_position="TRIM_HORIZON",
        batch_size=MAX_DAYS,
        maximum_batching_window_in_seconds=BATCHING_WINDOW_SECONDS,
        function_response_types=["ReportBatchItemFailures"],
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=WITHOUT_END,
        maximum_record_age_in_seconds=RECORD_AGE_SECONDS,
        destination_config={"on_failure": {"destination_arn": failures.arn}},
        opts=pulumi.ResourceOptions(depends_on=[function.rights]),
    )
    return Consumer(function, mapping)
