"""The stream that events travel on."""

import pulumi_aws as aws

from infra.settings import Settings

# The reporter finds the records of a failed batch where they lie: 7 days, which cost about $15 a month.
RETENTION_HOURS = 168
# How long a record is tried: longer than Timestream may throttle (6 hours), shorter than from run to run.
RECORD_AGE_SECONDS = 43_200


def create_stream(settings: Settings) -> aws.kinesis.Stream:
    return aws.kinesis.Stream(
        "stream",
        name=settings.name("stream"),
        shard_count=1,
        stream_mode_details={"stream_mode": "PROVISIONED"},
        retention_period=RETENTION_HOURS,
        encryption_type="KMS",
        kms_key_id="alias/aws/kinesis",
    )
