"""Calls that a deployment makes to create each resource, with the input as AWS's API has it.

Only their input is of interest: what the local cloud makes itself is in `local/stack/resources.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

ACCOUNT = "123456789012"  # moto's
SOME_ZIP = b"PK"  # an archive's contents are no matter of the model
# Said to the provider, not to AWS: how it waits and deletes.
OF_THE_PROVIDER = ("forceDestroy", "waitForReadyTimeout", "deletionWindowInDays")
DEFAULT_RETENTION_HOURS = 24  # what a stream begins with

Inputs = dict[str, Any]  # as the provider gets them: camelCase names


class Call(NamedTuple):
    service: str
    operation: str
    params: dict[str, Any]


def calls(kind: str, name: str, inputs: Inputs) -> Iterable[Call]:
    """In their order. ``name`` is the resource's in the program. Raises KeyError for an unknown type."""
    return CALLS[kind](name, inputs)


def pascal(value: Any) -> Any:
    """Names of an API: `camelCase` keys begin with a capital."""
    match value:
        case dict():
            return {key[:1].upper() + key[1:]: pascal(item) for key, item in value.items()}
        case list():
            return [pascal(item) for item in value]
    return value


def renamed(inputs: Inputs, names: Mapping[str, str], without: Iterable[str] = ()) -> dict[str, Any]:
    """Inputs under AWS's names: those of ``names``, else capitalised. Tags are another's affair."""
    left_out = {"tags", *OF_THE_PROVIDER, *without}
    return {
        names.get(key, key[:1].upper() + key[1:]): pascal(value)
        for key, value in inputs.items()
        if key not in left_out
    }


def tag_list(inputs: Inputs, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in inputs.get("tags", {}).items()]


def key_schema(inputs: Inputs) -> dict[str, Any]:
    """A DynamoDB table's keys, as its API and CloudFormation have them."""
    keys = [("hashKey", "HASH"), ("rangeKey", "RANGE")]
    return {
        "AttributeDefinitions": [
            {"AttributeName": item["name"], "AttributeType": item["type"]} for item in inputs["attributes"]
        ],
        "KeySchema": [{"AttributeName": inputs[key], "KeyType": kind} for key, kind in keys if key in inputs],
    }


def notifications(inputs: Inputs) -> list[dict[str, Any]]:
    """A budget's, as its API and CloudFormation have them."""
    return [
        {
            "Notification": renamed(item, {}, without=["subscriberSnsTopicArns"]),
            "Subscribers": [
                {"SubscriptionType": "SNS", "Address": arn} for arn in item["subscriberSnsTopicArns"]
            ],
        }
        for item in inputs["notifications"]
    ]


def on_failure(inputs: Inputs) -> dict[str, Any]:
    """A mapping's destination, whose ARN the provider gives another name than AWS."""
    arn = inputs.get("destinationConfig", {}).get("onFailure", {}).get("destinationArn")
    return {"DestinationConfig": {"OnFailure": {"Destination": arn}}} if arn else {}


def dimensions(inputs: Inputs) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in inputs.get("dimensions", {}).items()]


def option_settings(inputs: Inputs) -> list[dict[str, str]]:
    return [
        {"Namespace": item["namespace"], "OptionName": item["name"], "Value": item["value"]}
        for item in inputs["settings"]
    ]


def _plain(service: str, operation: str, names: Mapping[str, str]) -> Maker:
    """Makes one call whose input is the resource's."""

    def make(_name: str, inputs: Inputs) -> Iterable[Call]:
        params = renamed(inputs, names)
        if "tags" in inputs:
            params["Tags"] = tag_list(inputs)
        yield Call(service, operation, params)

    return make


Maker = Callable[[str, Inputs], Iterable[Call]]


def _budget(_name: str, inputs: Inputs) -> Iterable[Call]:
    names = {"name": "BudgetName"}
    budget = renamed(inputs, names, without=["limitAmount", "limitUnit", "notifications"])
    budget["BudgetLimit"] = {"Amount": inputs["limitAmount"], "Unit": inputs["limitUnit"]}
    params = {
        "AccountId": ACCOUNT,
        "Budget": budget,
        "NotificationsWithSubscribers": notifications(inputs),
        "ResourceTags": tag_list(inputs),
    }
    yield Call("budgets", "CreateBudget", params)


def _distribution(name: str, inputs: Inputs) -> Iterable[Call]:
    def counted(items: list[Any]) -> dict[str, Any]:
        return {"Quantity": len(items), "Items": items}

    names = {"isIpv6Enabled": "IsIPV6Enabled"}
    config = renamed(inputs, names, without=["origins", "restrictions", "viewerCertificate"])
    config["CallerReference"] = name
    config["Origins"] = counted([_origin(origin) for origin in inputs["origins"]])
    behaviour = config["DefaultCacheBehavior"]
    behaviour["AllowedMethods"] = {
        **counted(behaviour["AllowedMethods"]),
        "CachedMethods": counted(behaviour.pop("CachedMethods")),
    }
    geography = inputs["restrictions"]["geoRestriction"]
    config["Restrictions"] = {
        "GeoRestriction": {"RestrictionType": geography["restrictionType"], "Quantity": 0}
    }
    config["ViewerCertificate"] = certificate(inputs)
    params = {"DistributionConfig": config, "Tags": {"Items": tag_list(inputs)}}
    yield Call("cloudfront", "CreateDistributionWithTags", {"DistributionConfigWithTags": params})


def certificate(inputs: Inputs) -> dict[str, Any]:
    return renamed(
        inputs["viewerCertificate"], {"cloudfrontDefaultCertificate": "CloudFrontDefaultCertificate"}
    )


def _origin(origin: Inputs) -> dict[str, Any]:
    own = renamed(
        origin["customOriginConfig"],
        {"httpPort": "HTTPPort", "httpsPort": "HTTPSPort"},
        without=["originSslProtocols"],
    )
    protocols = origin["customOriginConfig"]["originSslProtocols"]
    own["OriginSslProtocols"] = {"Quantity": len(protocols), "Items": protocols}
    return {"Id": origin["originId"], "DomainName": origin["domainName"], "CustomOriginConfig": own}


def _headers_policy(_name: str, inputs: Inputs) -> Iterable[Call]:
    yield Call("cloudfront", "CreateResponseHeadersPolicy", {"ResponseHeadersPolicyConfig": pascal(inputs)})


def _log_group(_name: str, inputs: Inputs) -> Iterable[Call]:
    name = {"logGroupName": inputs["name"]}
    yield Call("logs", "CreateLogGroup", {**name, "tags": inputs.get("tags", {})})
    if "retentionInDays" in inputs:
        yield Call("logs", "PutRetentionPolicy", {**name, "retentionInDays": inputs["retentionInDays"]})


def _alarm(_name: str, inputs: Inputs) -> Iterable[Call]:
    names = {"name": "AlarmName", "okActions": "OKActions"}
    params = renamed(inputs, names, without=["dimensions"])
    params |= {"Dimensions": dimensions(inputs), "Tags": tag_list(inputs)}
    yield Call("cloudwatch", "PutMetricAlarm", params)


def _dynamodb_table(_name: str, inputs: Inputs) -> Iterable[Call]:
    left_out = ["attributes", "hashKey", "rangeKey", "pointInTimeRecovery", "serverSideEncryption"]
    params = {**renamed(inputs, {"name": "TableName"}, without=left_out), **key_schema(inputs)}
    if "serverSideEncryption" in inputs:
        params["SSESpecification"] = pascal(inputs["serverSideEncryption"])
    yield Call("dynamodb", "CreateTable", {**params, "Tags": tag_list(inputs)})
    if "pointInTimeRecovery" in inputs:
        recovery = {"PointInTimeRecoveryEnabled": inputs["pointInTimeRecovery"]["enabled"]}
        params = {"TableName": inputs["name"], "PointInTimeRecoverySpecification": recovery}
        yield Call("dynamodb", "UpdateContinuousBackups", params)


def _group(_name: str, inputs: Inputs) -> Iterable[Call]:
    params = renamed(inputs, {"name": "GroupName"}) | _specified("security-group", inputs)
    yield Call("ec2", "CreateSecurityGroup", params)


def _specified(resource: str, inputs: Inputs) -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": resource, "Tags": tag_list(inputs)}]}


def _group_rule(operation: str) -> Maker:
    def make(_name: str, inputs: Inputs) -> Iterable[Call]:
        description = {"Description": inputs["description"]} if "description" in inputs else {}
        others = ["description", "securityGroupId", "cidrIpv4", "prefixListId"]
        permission = renamed(inputs, {}, without=others)
        if "cidrIpv4" in inputs:
            permission["IpRanges"] = [{"CidrIp": inputs["cidrIpv4"], **description}]
        if "prefixListId" in inputs:
            permission["PrefixListIds"] = [{"PrefixListId": inputs["prefixListId"], **description}]
        params = {"GroupId": inputs["securityGroupId"], "IpPermissions": [permission]}
        yield Call("ec2", operation, params | _specified("security-group-rule", inputs))

    return make


def _application_version(_name: str, inputs: Inputs) -> Iterable[Call]:
    names = {"application": "ApplicationName", "name": "VersionLabel"}
    params = renamed(inputs, names, without=["bucket", "key"])
    params["SourceBundle"] = {"S3Bucket": inputs["bucket"], "S3Key": inputs["key"]}
    yield Call("elasticbeanstalk", "CreateApplicationVersion", {**params, "Tags": tag_list(inputs)})


ENVIRONMENT = {"application": "ApplicationName", "name": "EnvironmentName", "version": "VersionLabel"}


def _environment(_name: str, inputs: Inputs) -> Iterable[Call]:
    params = renamed(inputs, ENVIRONMENT, without=["settings", "tier"])
    params |= {"Tier": {"Name": inputs["tier"], "Type": "Standard"}, "Tags": tag_list(inputs)}
    yield Call("elasticbeanstalk", "CreateEnvironment", {**params, "OptionSettings": option_settings(inputs)})


def _instance_profile(_name: str, inputs: Inputs) -> Iterable[Call]:
    name = {"InstanceProfileName": inputs["name"]}
    yield Call("iam", "CreateInstanceProfile", {**name, "Tags": tag_list(inputs)})
    yield Call("iam", "AddRoleToInstanceProfile", {**name, "RoleName": inputs["role"]})


def _role_policy(name: str, inputs: Inputs) -> Iterable[Call]:
    params = renamed(inputs, {"role": "RoleName", "policy": "PolicyDocument", "name": "PolicyName"})
    # Where the program names none, Pulumi does: the resource's name and seven hexadecimal digits.
    yield Call("iam", "PutRolePolicy", {"PolicyName": f"{name}-0123456", **params})


def _stream(_name: str, inputs: Inputs) -> Iterable[Call]:
    name = {"StreamName": inputs["name"]}
    others = ["name", "retentionPeriod", "encryptionType", "kmsKeyId"]
    params = name | renamed(inputs, {}, without=others)
    yield Call("kinesis", "CreateStream", params | {"Tags": inputs.get("tags", {})})
    if inputs["retentionPeriod"] != DEFAULT_RETENTION_HOURS:
        hours = {"RetentionPeriodHours": inputs["retentionPeriod"]}
        yield Call("kinesis", "IncreaseStreamRetentionPeriod", name | hours)
    if "encryptionType" in inputs:
        key = {"EncryptionType": inputs["encryptionType"], "KeyId": inputs["kmsKeyId"]}
        yield Call("kinesis", "StartStreamEncryption", name | key)


def _key(_name: str, inputs: Inputs) -> Iterable[Call]:
    params = renamed(inputs, {}, without=["enableKeyRotation"])
    yield Call("kms", "CreateKey", {**params, "Tags": tag_list(inputs, "TagKey", "TagValue")})


def _function(_name: str, inputs: Inputs) -> Iterable[Call]:
    others = ["code", "environment", "reservedConcurrentExecutions"]
    params = renamed(inputs, {"name": "FunctionName"}, without=others)
    params |= {"Code": {"ZipFile": SOME_ZIP}, "Tags": inputs.get("tags", {})}
    if "environment" in inputs:
        params["Environment"] = {"Variables": inputs["environment"]["variables"]}
    yield Call("lambda", "CreateFunction", params)
    if "reservedConcurrentExecutions" in inputs:
        reserved = {"ReservedConcurrentExecutions": inputs["reservedConcurrentExecutions"]}
        yield Call("lambda", "PutFunctionConcurrency", {"FunctionName": inputs["name"], **reserved})


def _layer(_name: str, inputs: Inputs) -> Iterable[Call]:
    params = renamed(inputs, {}, without=["code"])
    yield Call("lambda", "PublishLayerVersion", {**params, "Content": {"ZipFile": SOME_ZIP}})


def _mapping(_name: str, inputs: Inputs) -> Iterable[Call]:
    params = renamed(inputs, {}, without=["destinationConfig"]) | on_failure(inputs)
    yield Call("lambda", "CreateEventSourceMapping", params | {"Tags": inputs.get("tags", {})})


def _permission(name: str, inputs: Inputs) -> Iterable[Call]:
    params = renamed(inputs, {"function": "FunctionName"})
    yield Call("lambda", "AddPermission", {"StatementId": f"{name}-0123456", **params})


def _bucket(_name: str, inputs: Inputs) -> Iterable[Call]:
    name = {"Bucket": inputs["bucket"]}
    yield Call("s3", "CreateBucket", name)
    yield Call("s3", "PutBucketTagging", {**name, "Tagging": {"TagSet": tag_list(inputs)}})


def _of_bucket(operation: str, member: str, names: Mapping[str, str] | None = None) -> Maker:
    """Makes a call on a bucket whose settings are one structure, ``member``."""

    def make(_name: str, inputs: Inputs) -> Iterable[Call]:
        settings = renamed(inputs, names or {}, without=["bucket"])
        yield Call("s3", operation, {"Bucket": inputs["bucket"], member: settings})

    return make


def encryption(inputs: Inputs) -> list[dict[str, Any]]:
    """A bucket's rules of encryption, as its API has them."""
    names = {"sseAlgorithm": "SSEAlgorithm"}
    default = "applyServerSideEncryptionByDefault"
    return [{"ApplyServerSideEncryptionByDefault": renamed(rule[default], names)} for rule in inputs["rules"]]


def _encryption(_name: str, inputs: Inputs) -> Iterable[Call]:
    params = {"ServerSideEncryptionConfiguration": {"Rules": encryption(inputs)}}
    yield Call("s3", "PutBucketEncryption", {"Bucket": inputs["bucket"], **params})


def _versioning(_name: str, inputs: Inputs) -> Iterable[Call]:
    yield Call("s3", "PutBucketVersioning", renamed(inputs, {}))


def _ownership(_name: str, inputs: Inputs) -> Iterable[Call]:
    params = {"Bucket": inputs["bucket"], "OwnershipControls": {"Rules": [pascal(inputs["rule"])]}}
    yield Call("s3", "PutBucketOwnershipControls", params)


def _object(_name: str, inputs: Inputs) -> Iterable[Call]:
    params = renamed(inputs, {}, without=["source"])
    yield Call("s3", "PutObject", {**params, "Body": SOME_ZIP})


def _topic(_name: str, inputs: Inputs) -> Iterable[Call]:
    params = {"Name": inputs["name"], "Tags": tag_list(inputs)}
    yield Call("sns", "CreateTopic", {**params, "Attributes": renamed(inputs, {}, without=["name"])})


def _topic_policy(_name: str, inputs: Inputs) -> Iterable[Call]:
    params = {"TopicArn": inputs["arn"], "AttributeName": "Policy", "AttributeValue": inputs["policy"]}
    yield Call("sns", "SetTopicAttributes", params)


CALLS: dict[str, Maker] = {
    "aws:budgets/budget:Budget": _budget,
    "aws:cloudfront/distribution:Distribution": _distribution,
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy": _headers_policy,
    "aws:cloudwatch/dashboard:Dashboard": _plain("cloudwatch", "PutDashboard", {}),
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:dynamodb/table:Table": _dynamodb_table,
    "aws:ec2/securityGroup:SecurityGroup": _group,
    "aws:elasticbeanstalk/application:Application": _plain(
        "elasticbeanstalk", "CreateApplication", {"name": "ApplicationName"}
    ),
    "aws:elasticbeanstalk/applicationVersion:ApplicationVersion": _application_version,
    "aws:elasticbeanstalk/environment:Environment": _environment,
    "aws:iam/instanceProfile:InstanceProfile": _instance_profile,
    "aws:iam/role:Role": _plain(
        "iam", "CreateRole", {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"}
    ),
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": _plain(
        "iam", "AttachRolePolicy", {"role": "RoleName"}
    ),
    "aws:kinesis/stream:Stream": _stream,
    "aws:kms/alias:Alias": _plain("kms", "CreateAlias", {"name": "AliasName"}),
    "aws:kms/key:Key": _key,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _mapping,
    "aws:lambda/function:Function": _function,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": _plain(
        "lambda", "PutFunctionEventInvokeConfig", {}
    ),
    "aws:lambda/layerVersion:LayerVersion": _layer,
    "aws:lambda/permission:Permission": _permission,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketObjectv2:BucketObjectv2": _object,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _ownership,
    "aws:s3/bucketPolicy:BucketPolicy": _plain("s3", "PutBucketPolicy", {}),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket(
        "PutPublicAccessBlock", "PublicAccessBlockConfiguration"
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _encryption,
    "aws:s3/bucketVersioning:BucketVersioning": _versioning,
    "aws:scheduler/schedule:Schedule": _plain("scheduler", "CreateSchedule", {}),
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _plain("sns", "Subscribe", {"topic": "TopicArn"}),
    "aws:ssm/parameter:Parameter": _plain("ssm", "PutParameter", {}),
    "aws:timestreamwrite/database:Database": _plain("timestream-write", "CreateDatabase", {}),
    "aws:timestreamwrite/table:Table": _plain("timestream-write", "CreateTable", {}),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _group_rule("AuthorizeSecurityGroupEgress"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _group_rule("AuthorizeSecurityGroupIngress"),
}
