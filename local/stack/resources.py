"""What becomes of each resource of the Pulumi program: made in the emulator, a definition, or nothing."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pulumi

from local.aws.clients import client
from local.aws.sessions import REGION
from local.stack.calls import ACCOUNT
from local.stack.definitions import (
    LocalFunction,
    LocalInvokeConfig,
    LocalMapping,
    LocalSchedule,
    LocalSubscription,
)
from local.stack.refusals import Account

Inputs = dict[str, Any]  # as the provider gets them: camelCase names
Outputs = dict[str, Any]


class UnknownResource(Exception):
    """The local cloud doesn't know what to make of a resource type."""


@dataclass
class Cloud:
    """Where resources are made, and the definitions found on the way."""

    endpoint: str
    code_dir: Path
    functions: list[LocalFunction] = field(default_factory=list)
    mappings: list[LocalMapping] = field(default_factory=list)
    invoke_configs: list[LocalInvokeConfig] = field(default_factory=list)
    schedules: list[LocalSchedule] = field(default_factory=list)
    subscriptions: list[LocalSubscription] = field(default_factory=list)
    policies: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # by role, their statements
    account: Account = field(default_factory=Account)

    def client(self, service: Any) -> Any:
        return client(service, self.endpoint)


def create(cloud: Cloud, kind: str, name: str, inputs: Inputs) -> tuple[str, Outputs]:
    """A resource's id and outputs. Raises UnknownResource, and RefusedByAWS where AWS wouldn't make it."""
    if kind not in REAL and kind not in INERT:
        raise UnknownResource(
            f"the local cloud doesn't know {kind} ({name}): list it in local/stack/resources.py"
        )
    cloud.account.check(kind, name, inputs)
    return REAL[kind](cloud, inputs) if kind in REAL else INERT[kind](inputs, name)


def _arn(service: str, path: str, region: str = REGION, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{region}:{account}:{path}"


def _bucket(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    name = inputs["bucket"]
    cloud.client("s3").create_bucket(Bucket=name)
    return name, {"bucket": name, "arn": _arn("s3", name, "", ""), "region": REGION}


def _ledger(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    name = inputs["name"]
    keys = [{"AttributeName": inputs["hashKey"], "KeyType": "HASH"}]
    if "rangeKey" in inputs:
        keys.append({"AttributeName": inputs["rangeKey"], "KeyType": "RANGE"})
    made = cloud.client("dynamodb").create_table(
        TableName=name,
        KeySchema=keys,
        AttributeDefinitions=[
            {"AttributeName": attribute["name"], "AttributeType": attribute["type"]}
            for attribute in inputs["attributes"]
        ],
        BillingMode=inputs["billingMode"],
    )
    return name, {"name": name, "arn": made["TableDescription"]["TableArn"]}


def _stream(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    name, kinesis = inputs["name"], cloud.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=inputs["shardCount"])
    if inputs["retentionPeriod"] > 24:  # what a stream begins with
        kinesis.increase_stream_retention_period(
            StreamName=name, RetentionPeriodHours=inputs["retentionPeriod"]
        )
    arn = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    return arn, {"name": name, "arn": arn}


def _topic(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    name = inputs["name"]
    arn = cloud.client("sns").create_topic(Name=name)["TopicArn"]
    return arn, {"name": name, "arn": arn}


def _subscription(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    subscription = LocalSubscription(inputs["topic"], inputs["protocol"], inputs["endpoint"])
    made = cloud.client("sns").subscribe(
        TopicArn=subscription.topic_arn,
        Protocol=subscription.protocol,
        Endpoint=subscription.endpoint,
        ReturnSubscriptionArn=True,
    )
    cloud.subscriptions.append(subscription)
    return made["SubscriptionArn"], {"arn": made["SubscriptionArn"]}


def _database(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    name = inputs["databaseName"]
    made = cloud.client("timestream-write").create_database(DatabaseName=name)
    return name, {"databaseName": name, "arn": made["Database"]["Arn"]}


def _table(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    database, name = inputs["databaseName"], inputs["tableName"]
    retention = inputs["retentionProperties"]
    magnetic = inputs["magneticStoreWriteProperties"]
    rejected = magnetic["magneticStoreRejectedDataLocation"]["s3Configuration"]
    made = cloud.client("timestream-write").create_table(
        DatabaseName=database,
        TableName=name,
        RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": retention["memoryStoreRetentionPeriodInHours"],
            "MagneticStoreRetentionPeriodInDays": retention["magneticStoreRetentionPeriodInDays"],
        },
        MagneticStoreWriteProperties={
            "EnableMagneticStoreWrites": magnetic["enableMagneticStoreWrites"],
            "MagneticStoreRejectedDataLocation": {
                "S3Configuration": {
                    "BucketName": rejected["bucketName"],
                    "ObjectKeyPrefix": rejected["objectKeyPrefix"],
                    "EncryptionOption": rejected["encryptionOption"],
                }
            },
        },
    )
    return f"{name}:{database}", {"tableName": name, "arn": made["Table"]["Arn"]}


def _parameter(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    name = inputs["name"]
    cloud.client("ssm").put_parameter(Name=name, Type=inputs["type"], Value=inputs["value"], Overwrite=True)
    return name, {"arn": _arn("ssm", f"parameter{name}")}


def _function(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    name = inputs["name"]
    function = LocalFunction(
        name=name,
        arn=_arn("lambda", f"function:{name}"),
        handler=inputs["handler"],
        environment=inputs["environment"]["variables"],
        timeout=inputs["timeout"],
        code=cloud.code_dir / name,
    )
    _unpack(inputs["code"], function.code)
    cloud.functions.append(function)
    return name, {"arn": function.arn, "invokeArn": function.arn, "version": "$LATEST"}


def _unpack(archive: pulumi.AssetArchive, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # a module that isn't there any more mustn't be found
    for name, asset in archive.assets.items():
        if not isinstance(asset, pulumi.FileAsset):
            raise UnknownResource(f"the local cloud unpacks files, {name} is a {type(asset).__name__}")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(asset.path, target)


def _mapping(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    mapping = LocalMapping(
        function_name=inputs["functionName"],
        stream_arn=inputs["eventSourceArn"],
        batch_size=inputs["batchSize"],
        window_seconds=inputs.get("maximumBatchingWindowInSeconds", 0),
        bisect=inputs.get("bisectBatchOnFunctionError", False),
        max_record_age_seconds=inputs.get("maximumRecordAgeInSeconds", -1),
        max_retries=inputs.get("maximumRetryAttempts", -1),
        partial_response="ReportBatchItemFailures" in inputs.get("functionResponseTypes", []),
        on_failure_topic=_destination(inputs, "destinationArn"),
    )
    cloud.mappings.append(mapping)
    uuid = str(uuid5(NAMESPACE_URL, f"{mapping.stream_arn} {mapping.function_name}"))
    return uuid, {"uuid": uuid, "arn": _arn("lambda", f"event-source-mapping:{uuid}")}


def _invoke_config(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    name = inputs["functionName"]
    config = LocalInvokeConfig(
        function_name=name,
        max_retries=inputs["maximumRetryAttempts"],
        max_event_age_seconds=inputs["maximumEventAgeInSeconds"],
        on_failure_topic=_destination(inputs, "destination"),
    )
    cloud.invoke_configs.append(config)
    return name, {}


def _destination(inputs: Inputs, name: str) -> str | None:
    return inputs.get("destinationConfig", {}).get("onFailure", {}).get(name)


def _schedule(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    target, name = inputs["target"], inputs["name"]
    schedule = LocalSchedule(
        name=name,
        expression=inputs["scheduleExpression"],
        timezone=inputs["scheduleExpressionTimezone"],
        target_function=target["arn"].rpartition(":")[2],
        input=target["input"],
        max_attempts=target["retryPolicy"]["maximumRetryAttempts"] + 1,
    )
    cloud.schedules.append(schedule)
    return f"default/{name}", {"arn": _arn("scheduler", f"schedule/default/{name}")}


def _role_policy(cloud: Cloud, inputs: Inputs) -> tuple[str, Outputs]:
    """Not enforced; a test compares it with the calls that are made."""
    role = inputs["role"]
    cloud.policies.setdefault(role, []).extend(json.loads(inputs["policy"])["Statement"])
    return f"{role}:{role}", {}


def _role(inputs: Inputs, _name: str) -> tuple[str, Outputs]:
    name = inputs["name"]
    return name, {"name": name, "arn": _arn("iam", f"role/{name}", region=""), "uniqueId": "AROALOCAL"}


def _key(inputs: Inputs, name: str) -> tuple[str, Outputs]:
    identity = str(uuid5(NAMESPACE_URL, f"{name} {inputs['description']}"))
    return identity, {"keyId": identity, "arn": _arn("kms", f"key/{identity}")}


def _log_group(inputs: Inputs, _name: str) -> tuple[str, Outputs]:
    name = inputs["name"]
    return name, {"name": name, "arn": _arn("logs", f"log-group:{name}")}


def _layer(inputs: Inputs, _name: str) -> tuple[str, Outputs]:
    """Never opened: the functions' processes have what this one has."""
    arn = _arn("lambda", f"layer:{inputs['layerName']}:1")
    return arn, {"arn": arn}


def _host(_inputs: Inputs, name: str) -> tuple[str, Outputs]:
    """The local dashboard has its own address, which `python -m local up` says."""
    return name, {"cname": f"{name}.invalid", "domainName": f"{name}.invalid"}


def _nothing(_inputs: Inputs, name: str) -> tuple[str, Outputs]:
    return re.sub(r"\W+", "-", name), {}


REAL: dict[str, Callable[[Cloud, Inputs], tuple[str, Outputs]]] = {
    "aws:dynamodb/table:Table": _ledger,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:kinesis/stream:Stream": _stream,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _mapping,
    "aws:lambda/function:Function": _function,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _invoke_config,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:scheduler/schedule:Schedule": _schedule,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicSubscription:TopicSubscription": _subscription,
    "aws:ssm/parameter:Parameter": _parameter,
    "aws:timestreamwrite/database:Database": _database,
    "aws:timestreamwrite/table:Table": _table,
}
# Rights, logs and precautions change nothing that a laptop could show; the dashboard is local/dashboard.py's.
INERT: dict[str, Callable[[Inputs, str], tuple[str, Outputs]]] = {
    "aws:budgets/budget:Budget": _nothing,
    "aws:cloudfront/distribution:Distribution": _host,
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": _nothing,
    "aws:cloudwatch/dashboard:Dashboard": _nothing,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _nothing,
    "aws:ec2/securityGroup:SecurityGroup": _nothing,
    "aws:elasticbeanstalk/application:Application": _nothing,
    "aws:elasticbeanstalk/applicationVersion:ApplicationVersion": _nothing,
    "aws:elasticbeanstalk/environment:Environment": _host,
    "aws:iam/instanceProfile:InstanceProfile": _nothing,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _nothing,
    "aws:kms/alias:Alias": _nothing,
    "aws:kms/key:Key": _key,
    "aws:lambda/layerVersion:LayerVersion": _layer,
    "aws:lambda/permission:Permission": _nothing,
    "aws:s3/bucketObjectv2:BucketObjectv2": _nothing,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _nothing,
    "aws:s3/bucketPolicy:BucketPolicy": _nothing,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _nothing,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _nothing,
    "aws:s3/bucketVersioning:BucketVersioning": _nothing,
    "aws:sns/topicPolicy:TopicPolicy": _nothing,
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _nothing,
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _nothing,
}
