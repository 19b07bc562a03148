"""What an update and a deletion do in the local cloud, whose own programs only ever create."""

from collections.abc import Callable
from typing import Any

from local.stack.resources import Cloud, Inputs, Outputs, create


class Refused(Exception):
    """What AWS doesn't delete."""


def update(cloud: Cloud, kind: str, name: str, old: Inputs, new: Inputs) -> Outputs:
    """Definitions and parameters are made anew; of anything else only the engine's state says how it is."""
    if kind in DEFINITIONS:
        DEFINITIONS[kind](cloud, old)
    if kind in DEFINITIONS or kind == "aws:ssm/parameter:Parameter":
        _, outputs = create(cloud, kind, name, new)
        return outputs
    return {}


def delete(cloud: Cloud, kind: str, identity: str, inputs: Inputs) -> None:
    if kind in DEFINITIONS:
        DEFINITIONS[kind](cloud, inputs)
    elif kind in THINGS:
        THINGS[kind](cloud, identity, inputs)


def _without(definitions: list[Any], **known: str) -> None:
    definitions[:] = [item for item in definitions if any(getattr(item, k) != v for k, v in known.items())]


def _subscription(cloud: Cloud, identity: str, inputs: Inputs) -> None:
    cloud.client("sns").unsubscribe(SubscriptionArn=identity)
    _without(cloud.subscriptions, topic_arn=inputs["topic"], endpoint=inputs["endpoint"])


def _table(cloud: Cloud, identity: str, inputs: Inputs) -> None:
    if inputs.get("deletionProtectionEnabled"):
        raise Refused(f"ValidationException: {identity}: the table has deletion protection enabled")
    cloud.client("dynamodb").delete_table(TableName=identity)


def _bucket(cloud: Cloud, identity: str, inputs: Inputs) -> None:
    """With forceDestroy the AWS provider empties it first; S3 refuses otherwise."""
    s3 = cloud.client("s3")
    if inputs.get("forceDestroy"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=identity):
            for item in page.get("Contents", []):
                s3.delete_object(Bucket=identity, Key=item["Key"])
    s3.delete_bucket(Bucket=identity)


def _timestream_table(cloud: Cloud, _identity: str, inputs: Inputs) -> None:
    cloud.client("timestream-write").delete_table(
        DatabaseName=inputs["databaseName"], TableName=inputs["tableName"]
    )


DEFINITIONS: dict[str, Callable[[Cloud, Inputs], Any]] = {
    "aws:iam/rolePolicy:RolePolicy": lambda cloud, inputs: cloud.policies.pop(inputs["role"]),
    "aws:lambda/eventSourceMapping:EventSourceMapping": lambda cloud, inputs: _without(
        cloud.mappings, function_name=inputs["functionName"]
    ),
    "aws:lambda/function:Function": lambda cloud, inputs: _without(cloud.functions, name=inputs["name"]),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": lambda cloud, inputs: _without(
        cloud.invoke_configs, function_name=inputs["functionName"]
    ),
    "aws:scheduler/schedule:Schedule": lambda cloud, inputs: _without(cloud.schedules, name=inputs["name"]),
}
THINGS: dict[str, Callable[[Cloud, str, Inputs], Any]] = {
    "aws:dynamodb/table:Table": _table,
    "aws:kinesis/stream:Stream": lambda cloud, _, inputs: cloud.client("kinesis").delete_stream(
        StreamName=inputs["name"]
    ),
    "aws:s3/bucket:Bucket": _bucket,
    "aws:sns/topic:Topic": lambda cloud, arn, _: cloud.client("sns").delete_topic(TopicArn=arn),
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
    "aws:ssm/parameter:Parameter": lambda cloud, name, _: cloud.client("ssm").delete_parameter(Name=name),
    "aws:timestreamwrite/database:Database": lambda cloud, name, _: cloud.client(
        "timestream-write"
    ).delete_database(DatabaseName=name),
    "aws:timestreamwrite/table:Table": _timestream_table,
}
