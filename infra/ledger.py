"""The ledger: what has been acknowledged."""

import pulumi_aws as aws

from infra.keeping import kept
from infra.settings import Settings


def create_ledger(settings: Settings) -> aws.dynamodb.Table:
    return aws.dynamodb.Table(
        "ledger",
        name=settings.name("ledger"),
        billing_mode="PAY_PER_REQUEST",
        hash_key="series",
        range_key="entry",
        attributes=[{"name": "series", "type": "S"}, {"name": "entry", "type": "S"}],
        point_in_time_recovery={"enabled": True},
        server_side_encryption={"enabled": True},
        deletion_protection_enabled=settings.protect,
        opts=kept(settings),
    )
