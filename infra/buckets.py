"""The archive (the permanent log, and every source file), what Timestream refuses too late to say so, and the
dashboard's bundles."""

import pulumi
import pulumi_aws as aws

from infra.keeping import kept
from infra.settings import Settings

Statement = dict[str, object]


def create_archive(settings: Settings, account: str) -> aws.s3.Bucket:
    return _bucket("archive", settings, account, opts=kept(settings))


def create_rejected(settings: Settings, account: str) -> aws.s3.Bucket:
    """Where Timestream reports records that the magnetic store refused after it had accepted the call.

    Without versions: CloudWatch counts those of deleted objects as well, so that the alarm would never end.
    """
    # AWS documents these permissions for batch load only; for the magnetic store it names none.
    report = {
        "Effect": "Allow",
        "Principal": {"Service": "timestream.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    return _bucket("rejected", settings, account, report, versioned=False)


def create_bundles(settings: Settings, account: str) -> aws.s3.Bucket:
    """The dashboard's versions, each of which can be made again from its commit."""
    return _bucket("bundles", settings, account)


def _bucket(
    part: str,
    settings: Settings,
    account: str,
    writer: Statement | None = None,
    opts: pulumi.ResourceOptions | None = None,
    versioned: bool = True,
) -> aws.s3.Bucket:
    # Buckets of all accounts share one space of names.
    name = f"{settings.name(part)}-{account}"
    bucket = aws.s3.Bucket(part, bucket=name, force_destroy=not settings.protect, opts=opts)
    if versioned:
        aws.s3.BucketVersioning(part, bucket=bucket.id, versioning_configuration={"status": "Enabled"})
    aws.s3.BucketServerSideEncryptionConfiguration(
        part,
        bucket=bucket.id,
        rules=[{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}],
    )
    aws.s3.BucketOwnershipControls(part, bucket=bucket.id, rule={"object_ownership": "BucketOwnerEnforced"})
    block = aws.s3.BucketPublicAccessBlock(
        part,
        bucket=bucket.id,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
    )
    objects = pulumi.Output.concat(bucket.arn, "/*")
    statements: list[Statement] = [
        {
            "Sid": "OnlyOverTLS",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket.arn, objects],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]
    if writer is not None:
        statements += [
            {**writer, "Sid": "Write", "Action": "s3:PutObject", "Resource": objects},
            {**writer, "Sid": "SeeOwner", "Action": "s3:GetBucketAcl", "Resource": bucket.arn},
        ]
    aws.s3.BucketPolicy(
        part,
        bucket=bucket.id,
        policy=pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements}),
        opts=pulumi.ResourceOptions(depends_on=[block]),  # S3 refuses two changes of access at once
    )
    return bucket
