"""A rendering as a CloudFormation template, so that AWS's own schemas can be asked about it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from renderings import Resources

from local.stack.calls import (
    ENVIRONMENT,
    Inputs,
    certificate,
    dimensions,
    encryption,
    key_schema,
    notifications,
    on_failure,
    option_settings,
    pascal,
    renamed,
    tag_list,
)

Properties = dict[str, Any]
# A bucket's settings are resources of their own for Pulumi, and properties of the bucket for CloudFormation.
OF_A_BUCKET: dict[str, Callable[[Inputs], Properties]] = {
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": lambda inputs: {
        "OwnershipControls": {"Rules": [pascal(inputs["rule"])]}
    },
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": lambda inputs: {
        "PublicAccessBlockConfiguration": renamed(inputs, {}, without=["bucket"])
    },
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        lambda inputs: {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"ServerSideEncryptionByDefault": rule["ApplyServerSideEncryptionByDefault"]}
                    for rule in encryption(inputs)
                ]
            }
        }
    ),
    "aws:s3/bucketVersioning:BucketVersioning": lambda inputs: renamed(inputs, {}, without=["bucket"]),
}
# What CloudFormation can't declare: an object in a bucket; a policy's attachment it has at the role.
UNCOVERED = {"aws:s3/bucketObjectv2:BucketObjectv2"}
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"


def template(resources: Resources) -> str:
    """JSON; logical ids are the resources' types and names."""
    made: dict[str, dict[str, Any]] = {}
    buckets, roles = {}, {}
    for kind, name, inputs in resources:
        if kind in TYPES:
            type_, properties = TYPES[kind]
            made[logical(kind, name)] = entry = {"Type": type_, "Properties": properties(inputs)}
            buckets |= {inputs["bucket"]: entry} if kind == "aws:s3/bucket:Bucket" else {}
            roles |= {inputs["name"]: entry} if kind == "aws:iam/role:Role" else {}
    for kind, _, inputs in resources:
        if kind in OF_A_BUCKET:
            buckets[inputs["bucket"]]["Properties"] |= OF_A_BUCKET[kind](inputs)
        if kind == ATTACHMENT:
            arns = roles[inputs["role"]]["Properties"].setdefault("ManagedPolicyArns", [])
            arns.append(inputs["policyArn"])
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": made}, indent=1)


def logical(kind: str, name: str) -> str:
    return re.sub(r"\W|_", "", kind.rpartition(":")[2] + name.title())


def uncovered(resources: Resources) -> set[str]:
    """Types of AWS's that no part of the template says anything of."""
    covered = {*TYPES, *OF_A_BUCKET, ATTACHMENT}
    return {kind for kind, _, _ in resources if kind.startswith("aws:")} - covered


def _properties(
    names: dict[str, str] | None = None,
    without: tuple[str, ...] = (),
    tags: str = "Tags",
    more: Callable[[Inputs], Properties] | None = None,
) -> Callable[[Inputs], Properties]:
    """Properties by their names; those of ``without`` are what ``more`` makes. ``tags``: the property that
    they are in, empty where the type has none."""

    def properties(inputs: Inputs) -> Properties:
        made = renamed(inputs, names or {}, without)
        if tags and inputs.get("tags"):
            made[tags] = tag_list(inputs)
        return made | (more(inputs) if more else {})

    return properties


def _policy(*names: str) -> Callable[[Inputs], Properties]:
    """A policy as the document it is, not as text."""
    source, target = names
    return lambda inputs: {target: json.loads(inputs[source])}


def _budget(inputs: Inputs) -> Properties:
    budget = renamed(
        inputs, {"name": "BudgetName"}, without=["limitAmount", "limitUnit", "notifications", "tags"]
    )
    budget["BudgetLimit"] = {"Amount": inputs["limitAmount"], "Unit": inputs["limitUnit"]}
    return {
        "Budget": budget,
        "NotificationsWithSubscribers": notifications(inputs),
        "ResourceTags": tag_list(inputs),
    }


def _distribution(inputs: Inputs) -> Properties:
    names = {"isIpv6Enabled": "IPV6Enabled"}
    config = renamed(inputs, names, without=["origins", "viewerCertificate"])
    ports = {"httpPort": "HTTPPort", "httpsPort": "HTTPSPort", "originSslProtocols": "OriginSSLProtocols"}
    config["Origins"] = [
        {
            "Id": origin["originId"],
            "DomainName": origin["domainName"],
            "CustomOriginConfig": renamed(origin["customOriginConfig"], ports),
        }
        for origin in inputs["origins"]
    ]
    config["ViewerCertificate"] = certificate(inputs)
    return {"DistributionConfig": config, "Tags": tag_list(inputs)}


def _table(inputs: Inputs) -> Properties:
    recovery = {"PointInTimeRecoveryEnabled": inputs["pointInTimeRecovery"]["enabled"]}
    return {
        **key_schema(inputs),
        "PointInTimeRecoverySpecification": recovery,
        "SSESpecification": {"SSEEnabled": inputs["serverSideEncryption"]["enabled"]},
    }


def _stream(inputs: Inputs) -> Properties:
    return {"StreamEncryption": {"EncryptionType": inputs["encryptionType"], "KeyId": inputs["kmsKeyId"]}}


def _function(inputs: Inputs) -> Properties:
    return {"Code": {"ZipFile": "-"}, "Environment": {"Variables": inputs["environment"]["variables"]}}


def _environment(inputs: Inputs) -> Properties:
    return {
        "OptionSettings": option_settings(inputs),
        "Tier": {"Name": inputs["tier"], "Type": "Standard"},
    }


def _role_policy(inputs: Inputs) -> Properties:
    return {"PolicyName": "rights", "PolicyDocument": json.loads(inputs["policy"])}


RULE_NAMES = {"securityGroupId": "GroupId", "cidrIpv4": "CidrIp"}
SOME_OBJECT = {"S3Bucket": "daybook-bundles", "S3Key": "layer.zip"}
TYPES: dict[str, tuple[str, Callable[[Inputs], Properties]]] = {
    "aws:budgets/budget:Budget": ("AWS::Budgets::Budget", _budget),
    "aws:cloudfront/distribution:Distribution": ("AWS::CloudFront::Distribution", _distribution),
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": (
        "AWS::CloudFront::ResponseHeadersPolicy",
        lambda inputs: {"ResponseHeadersPolicyConfig": pascal(inputs)},
    ),
    "aws:cloudwatch/dashboard:Dashboard": ("AWS::CloudWatch::Dashboard", _properties()),
    "aws:cloudwatch/logGroup:LogGroup": ("AWS::Logs::LogGroup", _properties({"name": "LogGroupName"})),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        "AWS::CloudWatch::Alarm",
        _properties(
            {"name": "AlarmName", "okActions": "OKActions"},
            without=("dimensions",),
            more=lambda inputs: {"Dimensions": dimensions(inputs)},
        ),
    ),
    "aws:dynamodb/table:Table": (
        "AWS::DynamoDB::Table",
        _properties(
            {"name": "TableName"},
            without=("attributes", "hashKey", "rangeKey", "pointInTimeRecovery", "serverSideEncryption"),
            more=_table,
        ),
    ),
    "aws:ec2/securityGroup:SecurityGroup": (
        "AWS::EC2::SecurityGroup",
        _properties({"name": "GroupName", "description": "GroupDescription"}),
    ),
    "aws:elasticbeanstalk/application:Application": (
        "AWS::ElasticBeanstalk::Application",
        _properties({"name": "ApplicationName"}, tags=""),
    ),
    "aws:elasticbeanstalk/applicationVersion:ApplicationVersion": (
        "AWS::ElasticBeanstalk::ApplicationVersion",
        _properties(
            {"application": "ApplicationName"},
            without=("name", "bucket", "key"),
            tags="",
            more=lambda inputs: {"SourceBundle": {"S3Bucket": inputs["bucket"], "S3Key": inputs["key"]}},
        ),
    ),
    "aws:elasticbeanstalk/environment:Environment": (
        "AWS::ElasticBeanstalk::Environment",
        _properties(ENVIRONMENT, without=("settings", "tier"), more=_environment),
    ),
    "aws:iam/instanceProfile:InstanceProfile": (
        "AWS::IAM::InstanceProfile",
        _properties(
            {"name": "InstanceProfileName"},
            without=("role",),
            tags="",
            more=lambda inputs: {"Roles": [inputs["role"]]},
        ),
    ),
    "aws:iam/role:Role": (
        "AWS::IAM::Role",
        _properties(
            {"name": "RoleName"},
            without=("assumeRolePolicy",),
            more=_policy("assumeRolePolicy", "AssumeRolePolicyDocument"),
        ),
    ),
    "aws:iam/rolePolicy:RolePolicy": (
        "AWS::IAM::RolePolicy",
        _properties({"role": "RoleName"}, without=("policy",), more=_role_policy),
    ),
    "aws:kinesis/stream:Stream": (
        "AWS::Kinesis::Stream",
        _properties(
            {"retentionPeriod": "RetentionPeriodHours"},
            without=("encryptionType", "kmsKeyId"),
            more=_stream,
        ),
    ),
    "aws:kms/alias:Alias": ("AWS::KMS::Alias", _properties({"name": "AliasName"})),
    "aws:kms/key:Key": (
        "AWS::KMS::Key",
        _properties(
            without=("policy",),
            more=lambda inputs: {
                "KeyPolicy": json.loads(inputs["policy"]),
                "PendingWindowInDays": inputs["deletionWindowInDays"],
            },
        ),
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        "AWS::Lambda::EventSourceMapping",
        _properties(without=("destinationConfig",), more=on_failure),
    ),
    "aws:lambda/function:Function": (
        "AWS::Lambda::Function",
        _properties({"name": "FunctionName"}, without=("code", "environment"), more=_function),
    ),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": (
        "AWS::Lambda::EventInvokeConfig",
        _properties(more=lambda _: {"Qualifier": "$LATEST"}),
    ),
    "aws:lambda/layerVersion:LayerVersion": (
        "AWS::Lambda::LayerVersion",
        _properties(without=("code",), more=lambda _: {"Content": SOME_OBJECT}),
    ),
    "aws:lambda/permission:Permission": (
        "AWS::Lambda::Permission",
        _properties({"function": "FunctionName"}),
    ),
    "aws:s3/bucket:Bucket": ("AWS::S3::Bucket", _properties({"bucket": "BucketName"})),
    "aws:s3/bucketPolicy:BucketPolicy": (
        "AWS::S3::BucketPolicy",
        _properties(without=("policy",), more=_policy("policy", "PolicyDocument")),
    ),
    "aws:scheduler/schedule:Schedule": ("AWS::Scheduler::Schedule", _properties()),
    "aws:sns/topic:Topic": ("AWS::SNS::Topic", _properties({"name": "TopicName"})),
    "aws:sns/topicPolicy:TopicPolicy": (
        "AWS::SNS::TopicPolicy",
        _properties(
            without=("policy", "arn"),
            more=lambda inputs: {"PolicyDocument": json.loads(inputs["policy"]), "Topics": [inputs["arn"]]},
        ),
    ),
    "aws:sns/topicSubscription:TopicSubscription": (
        "AWS::SNS::Subscription",
        _properties({"topic": "TopicArn"}),
    ),
    "aws:ssm/parameter:Parameter": (
        "AWS::SSM::Parameter",
        _properties(tags="", more=lambda inputs: {"Tags": inputs["tags"]}),
    ),
    "aws:timestreamwrite/database:Database": ("AWS::Timestream::Database", _properties()),
    "aws:timestreamwrite/table:Table": ("AWS::Timestream::Table", _properties()),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (
        "AWS::EC2::SecurityGroupEgress",
        _properties({**RULE_NAMES, "prefixListId": "DestinationPrefixListId"}, tags=""),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        "AWS::EC2::SecurityGroupIngress",
        _properties({**RULE_NAMES, "prefixListId": "SourcePrefixListId"}, tags=""),
    ),
}
