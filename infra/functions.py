"""What the three functions have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import pulumi
import pulumi_aws as aws

from functions.settings import PREFIX
from functions.settings import Settings as FunctionSettings
from infra.code import Code
from infra.keys import USE
from infra.layers import ARCHITECTURE, RUNTIME
from infra.roles import ENTER, Right, create_role, grant, objects_of
from infra.settings import Settings
from infra.stream import RECORD_AGE_SECONDS
from infra.tables import Tables
from infra.topics import Topics
from storage.archive import EVENTS

LOG_DAYS = 90


@dataclass(frozen=True)
class Surroundings:
    """What the functions work with."""

    settings: Settings
    code: Code
    layers: Mapping[str, aws.lambda_.LayerVersion]
    archive: aws.s3.Bucket
    ledger: aws.dynamodb.Table
    stream: aws.kinesis.Stream
    tables: Tables
    topics: Topics

    def values(self) -> dict[str, pulumi.Input[str]]:
        """By the names of `functions.settings`; each function is told those that its own class has."""
        settings = self.settings
        return {
            "stack": settings.stack,
            "label": settings.label,
            "ledger_table": self.ledger.name,
            "archive_bucket": self.archive.bucket,
            "daily_report_topic": self.topics.daily_report.arn,
            "alerts_topic": self.topics.alerts.arn,
            "stream": self.stream.name,
            "code": self.code.hash,
            "nyt_url": settings.nyt_url,
            "jhu_url": settings.jhu_url,
            "history_base": settings.history_base,
            "allowed_hosts": ",".join(settings.allowed_hosts),
            "insecure_hosts": ",".join(settings.insecure_hosts),
            "max_source_bytes": str(settings.max_source_bytes),
            "source_deadline_seconds": str(settings.source_deadline_seconds),
            "record_age_seconds": str(RECORD_AGE_SECONDS),
            "store": self.tables.store,
            "database": self.tables.database,
            "daily_table": self.tables.daily.name,
            "revisions_table": self.tables.revisions.name,
        }

    def rights(self) -> list[Right]:
        """What every function may do: read the ledger by its keys and enter into it, and tell people."""
        return [
            Right(ENTER, [self.ledger.arn]),
            Right(["sns:Publish"], [self.topics.daily_report.arn, self.topics.alerts.arn]),
            Right(USE, [self.topics.alerts_key.arn]),
        ]

    def kept(self, *prefixes: str) -> list[pulumi.Output[str]]:
        """The archive's objects of these kinds."""
        return [objects_of(self.archive, prefix) for prefix in prefixes]

    def read_log(self) -> list[Right]:
        """Rights to list the log's objects, and to read them.

        S3 answers a GetObject of a missing object with AccessDenied, not NoSuchKey, which it says only to a
        role that may list the bucket without a condition.
        """
        listed = {"StringLike": {"s3:prefix": f"{EVENTS}*"}}
        return [
            Right(["s3:GetObject"], self.kept(EVENTS)),
            Right(["s3:ListBucket"], [self.archive.arn], listed),
        ]


@dataclass(frozen=True)
class Function:
    resource: aws.lambda_.Function
    role: aws.iam.Role
    # Lambda looks at the role's rights when a mapping or a destination is made: those wait for this.
    rights: aws.iam.RolePolicy


def environment(
    kind: type[FunctionSettings], values: Mapping[str, pulumi.Input[str]]
) -> dict[str, pulumi.Input[str]]:
    """Exactly the variables that this class reads."""
    return {PREFIX + field.name.upper(): values[field.name] for field in fields(kind)}


def create_function(
    part: str,
    surroundings: Surroundings,
    reads: type[FunctionSettings],
    rights: Sequence[Right],
    memory: int,
    timeout: int,
    layers: Sequence[str] = ("functions",),
    after: Sequence[pulumi.Resource] = (),
    **more: Any,
) -> Function:
    """The function whose handler is `functions.<part>.handler`; memory in MB, timeout in seconds."""
    settings = surroundings.settings
    name = settings.name(part)
    # Lambda would make a group that keeps everything for ever.
    logs = aws.cloudwatch.LogGroup(part, name=f"/aws/lambda/{name}", retention_in_days=LOG_DAYS)
    role = create_role(part, settings, "lambda.amazonaws.com")
    write_logs = Right(
        ["logs:CreateLogStream", "logs:PutLogEvents"], [pulumi.Output.concat(logs.arn, ":log-stream:*")]
    )
    granted = grant(part, role, [*surroundings.rights(), *rights, write_logs])
    function = aws.lambda_.Function(
        part,
        name=name,
        handler=f"functions.{part}.handler",
        runtime=RUNTIME,
        architectures=[ARCHITECTURE],
        code=surroundings.code.archive,
        layers=[surroundings.layers[name].arn for name in layers],
        role=role.arn,
        memory_size=memory,
        timeout=timeout,
        environment={"variables": environment(reads, surroundings.values())},
        logging_config={"log_format": "JSON", "log_group": logs.name, "application_log_level": "INFO"},
        opts=pulumi.ResourceOptions(depends_on=[granted, *after]),
        **more,
    )
    return Function(function, role, granted)
