"""The tables that people's questions are answered from: in Timestream, or in DynamoDB where it is closed."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.buckets import create_rejected
from infra.keeping import kept
from infra.roles import Right
from infra.settings import ConfigurationError, Settings
from storage.tables import DYNAMODB, TIMESTREAM

# Longer than the mapping retries a record, so that a live run's `revisions` are in the memory store whenever
# they arrive, and queryable at once.
MEMORY_HOURS = 24
MAGNETIC_DAYS = 73_000  # the longest there is
NAMES = ("daily", "revisions")  # each day as it stands; every entry ever
# boto3's get_available_regions("timestream-write"), 2026-11-24.
REGIONS = (
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-2",
    "eu-central-1",
    "eu-west-1",
    "us-east-1",
    "us-east-2",
    "us-west-2",
)
ELSEWHERE = (
    "aws:region {region}: there is no Timestream for LiveAnalytics. Take one of {regions}; "
    "or keep the tables in DynamoDB: pulumi config set daybook:store dynamodb"
)
CLOSED = (
    "This account may not use Timestream for LiveAnalytics, which admits no new customers since 2025-06-20. "
    "Keep the tables in DynamoDB instead: pulumi config set daybook:store dynamodb"
)


@dataclass(frozen=True)
class Table:
    name: pulumi.Input[str]
    arn: pulumi.Input[str]


@dataclass(frozen=True)
class Tables:
    """Where the rows are, and what it takes to write and to read them."""

    store: str
    database: pulumi.Input[str]
    daily: Table
    revisions: Table
    rejected: pulumi.Input[str]  # the bucket where the store reports what it refused too late; or empty
    writing: Sequence[Right]
    reading: Sequence[Right]


def create_tables(settings: Settings, account: str) -> Tables:
    """Raises ConfigurationError where the account is refused, before anything is made."""
    return _in_dynamodb(settings) if settings.store == DYNAMODB else _in_timestream(settings, account)


def _in_timestream(settings: Settings, account: str) -> Tables:
    name = f"daybook-{settings.stack}"
    region = aws.get_region().region
    if region not in REGIONS:
        raise ConfigurationError(ELSEWHERE.format(region=region, regions=", ".join(REGIONS)))
    _ask_for_admission(name)
    rejected = create_rejected(settings, account)
    database = aws.timestreamwrite.Database("tables", database_name=name, opts=kept(settings))

    def table(name: str) -> Table:
        made = aws.timestreamwrite.Table(
            name,
            database_name=database.database_name,
            table_name=name,
            retention_properties={
                "memory_store_retention_period_in_hours": MEMORY_HOURS,
                "magnetic_store_retention_period_in_days": MAGNETIC_DAYS,
            },
            # Every day of the record is older than a memory store can hold.
            magnetic_store_write_properties={
                "enable_magnetic_store_writes": True,
                "magnetic_store_rejected_data_location": {
                    "s3_configuration": {
                        "bucket_name": rejected.bucket,
                        "object_key_prefix": name,
                        "encryption_option": "SSE_S3",
                    }
                },
            },
            opts=kept(settings),
        )
        return Table(made.table_name, made.arn)

    daily, revisions = map(table, NAMES)
    arns = [daily.arn, revisions.arn]
    endpoints = Right(["timestream:DescribeEndpoints"], ["*"])  # it takes no other resource
    return Tables(
        TIMESTREAM,
        database.database_name,
        daily,
        revisions,
        rejected.bucket,
        writing=[
            Right(["timestream:WriteRecords"], arns),
            endpoints,
            Right(["s3:PutObject"], [pulumi.Output.concat(rejected.arn, "/*")]),
            Right(["s3:GetBucketAcl"], [rejected.arn]),
        ],
        reading=[Right(["timestream:Select"], arns), endpoints],
    )


def _ask_for_admission(database: str) -> None:
    """Ask for a database before anything is declared. That there is none yet is no refusal."""
    try:
        aws.timestreamwrite.get_database(name=database)
    except Exception as error:
        if "AccessDenied" in str(error):
            raise ConfigurationError(f"{CLOSED}\n{error}") from error


def _in_dynamodb(settings: Settings) -> Tables:
    def table(name: str) -> Table:
        made = aws.dynamodb.Table(
            name,
            name=settings.name(name),
            billing_mode="PAY_PER_REQUEST",
            hash_key="series",
            range_key="entry",
            attributes=[{"name": "series", "type": "S"}, {"name": "entry", "type": "S"}],
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True},
            deletion_protection_enabled=settings.protect,
            opts=kept(settings),
        )
        return Table(made.name, made.arn)

    daily, revisions = map(table, NAMES)
    arns = [daily.arn, revisions.arn]
    return Tables(
        DYNAMODB,
        "DynamoDB",
        daily,
        revisions,
        "",
        writing=[Right(["dynamodb:PutItem"], arns)],  # a transaction asks for the right to each of its parts
        reading=[Right(["dynamodb:Query"], arns)],
    )
