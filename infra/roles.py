"""Who may do what: a role for each service that acts, and its rights as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.settings import Settings

# A transaction asks for the right to each of its parts, not for one of its own. No role may delete.
ENTER = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
LIST = ("dynamodb:Query",)
LOOK_UP = ("dynamodb:GetItem", "dynamodb:Query")
READ_STREAM = (
    "kinesis:DescribeStream",
    "kinesis:DescribeStreamSummary",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:ListShards",
)
READ_FAILED_RECORDS = ("kinesis:GetRecords", "kinesis:GetShardIterator")


@dataclass(frozen=True)
class Right:
    actions: Sequence[str]
    resources: Sequence[pulumi.Input[str]]
    condition: Mapping[str, object] | None = None

    def statement(self) -> dict[str, object]:
        right: dict[str, object] = {
            "Effect": "Allow",
            "Action": [*self.actions],
            "Resource": [*self.resources],
        }
        return right if self.condition is None else {**right, "Condition": self.condition}


def objects_of(bucket: aws.s3.Bucket, prefix: str = "") -> pulumi.Output[str]:
    return pulumi.Output.concat(bucket.arn, f"/{prefix}*")


def create_role(
    part: str, settings: Settings, service: str, condition: dict[str, object] | None = None
) -> aws.iam.Role:
    """A role that only this service can take; without any right yet."""
    trust: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if condition is not None:
        trust["Condition"] = condition
    policy = {"Version": "2012-10-17", "Statement": [trust]}
    return aws.iam.Role(part, name=settings.name(part), assume_role_policy=pulumi.Output.json_dumps(policy))


def grant(part: str, role: aws.iam.Role, rights: Sequence[Right]) -> aws.iam.RolePolicy:
    policy = {"Version": "2012-10-17", "Statement": [right.statement() for right in rights]}
    return aws.iam.RolePolicy(part, role=role.id, policy=pulumi.Output.json_dumps(policy))
