"""The Timestream tables that people's questions are answered from."""

from dataclasses import dataclass

import pulumi_aws as aws

from infra.keeping import kept
from infra.settings import Settings

# Longer than the mapping retries a record, so that a live run's `revisions` are in the memory store whenever
# they arrive, and queryable at once.
MEMORY_HOURS = 24
MAGNETIC_DAYS = 73_000  # the longest there is


@dataclass(frozen=True)
class Tables:
    database: aws.timestreamwrite.Database
    daily: aws.timestreamwrite.Table  # each day as it stands
    revisions: aws.timestreamwrite.Table  # every entry ever


def create_tables(settings: Settings, rejected: aws.s3.Bucket) -> Tables:
    database = aws.timestreamwrite.Database(
        "tables", database_name=f"daybook-{settings.stack}", opts=kept(settings)
    )

    def table(name: str) -> aws.timestreamwrite.Table:
        return aws.timestreamwrite.Table(
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

    return Tables(database, table("daily"), table("revisions"))
