"""What must outlive a mistake: the log, the tables, the ledger."""

import pulumi

from infra.settings import Settings


def kept(settings: Settings) -> pulumi.ResourceOptions:
    """In a stack that protects: no `pulumi destroy` removes it, and one that is no longer declared stays."""
    return pulumi.ResourceOptions(protect=settings.protect, retain_on_delete=settings.protect)
