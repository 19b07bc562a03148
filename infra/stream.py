"""The stream that events travel on."""

import pulumi_aws as aws

from infra.settings import Settings

# How long a record is tried: longer than Timestream may throttle (6 hours), shorter than from run to run,
# and than the stream keeps it (24 hours or more), where the reporter reads the records of a batch given up.
RECORD_AGE_SECONDS = 43_200


def create_stream(settings: Settings) -> aws.kinesis.Stream:
    return aws.kinesis.Stream(
        "stream",
        name=settings.name("stream"),
        shard_count=1,
        stream_mode_details={"stream_mode": "PROVISIONED"},
        retention_period=settings.stream_retention_hours,
        encryption_type="KMS",
        kms_key_id="alias/aws/kinesis",
    )
