"""The account that the stack is made in."""

import pulumi_aws as aws

from infra.settings import ConfigurationError


def find_account() -> str:
    """Its number, asked before anything is declared. Raises ConfigurationError."""
    identity = aws.get_caller_identity()
    partition = identity.arn.split(":")[1]
    if partition != "aws":
        # IAM and KMS refuse a policy that names a principal or a policy of another partition.
        raise ConfigurationError(
            f"This account is of {partition}, and the program's policies are written for accounts of aws: "
            "neither China's regions nor GovCloud's can have it."
        )
    return identity.account_id
