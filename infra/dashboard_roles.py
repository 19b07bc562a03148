"""What the dashboard's machine may do, and what Elastic Beanstalk may do to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.functions import Surroundings
from infra.roles import LOOK_UP, Right, create_role, grant, objects_of
from infra.settings import Settings

# AWS's own: what health reports and platform updates ask of EC2 changes with the service.
SERVICE_POLICIES = {
    "health": "arn:aws:iam::aws:policy/service-role/AWSElasticBeanstalkEnhancedHealth",
    "updates": "arn:aws:iam::aws:policy/AWSElasticBeanstalkManagedUpdatesCustomerRolePolicy",
}


def create_instance_profile(
    surroundings: Surroundings, bundles: aws.s3.Bucket, account: str, region: str
) -> aws.iam.InstanceProfile:
    """The dashboard reads the tables and the ledger; Beanstalk's own agents fetch the bundle, write the log,
    report their health. AWS's policy for them (AWSElasticBeanstalkWebTier) would let them into every
    environment's bucket and log of the account."""
    settings = surroundings.settings
    name = f"daybook-{settings.stack}"
    role = create_role("dashboard", settings, "ec2.amazonaws.com")
    logs = f"arn:aws:logs:{region}:{account}:log-group:/aws/elasticbeanstalk/{name}/*"
    health = f"arn:aws:elasticbeanstalk:{region}:{account}"
    granted = grant(
        "dashboard",
        role,
        [
            *surroundings.tables.reading,
            Right([*LOOK_UP, "dynamodb:BatchGetItem"], [surroundings.ledger.arn]),
            # Beanstalk deploys from a copy of the bundle in its own bucket.
            Right(
                ["s3:GetObject"],
                [
                    objects_of(bundles),
                    f"arn:aws:s3:::elasticbeanstalk-{region}-{account}/resources/environments/*",
                ],
            ),
            Right(["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], [logs]),
            Right(
                ["elasticbeanstalk:PutInstanceStatistics"],
                [f"{health}:application/{name}", f"{health}:environment/{name}/{name}"],
            ),
        ],
    )
    return aws.iam.InstanceProfile(
        "dashboard",
        name=settings.name("dashboard"),
        role=role.name,
        opts=pulumi.ResourceOptions(depends_on=[granted]),  # the machine begins with them
    )


@dataclass(frozen=True)
class Service:
    role: aws.iam.Role
    rights: Sequence[pulumi.Resource]  # an environment that is made before them is refused


def create_service_role(settings: Settings) -> Service:
    role = create_role(
        "beanstalk",
        settings,
        "elasticbeanstalk.amazonaws.com",
        {"StringEquals": {"sts:ExternalId": "elasticbeanstalk"}},
    )
    rights = [
        aws.iam.RolePolicyAttachment(f"beanstalk-{name}", role=role.name, policy_arn=policy)
        for name, policy in SERVICE_POLICIES.items()
    ]
    return Service(role, rights)
