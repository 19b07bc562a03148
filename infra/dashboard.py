"""The dashboard on Elastic Beanstalk: one small machine behind CloudFront, which only reads."""

from collections.abc import Mapping
from dataclasses import fields

import pulumi
import pulumi_aws as aws

from dashboard import bundle
from dashboard.settings import PREFIX
from dashboard.settings import Settings as DashboardSettings
from infra import package
from infra.buckets import create_bundles
from infra.dashboard_roles import create_instance_profile, create_service_role
from infra.front import Place, create_front, create_gate
from infra.functions import LOG_DAYS, Surroundings
from infra.settings import CLOUDFRONT, Settings

INSTANCE = "t4g.micro"  # 1 GB; a nano's half would be used up by nginx, Beanstalk's agents and ourselves
PLATFORM = r"^64bit Amazon Linux 2023 v4\..* running Python 3\.13$"
MAX_DEPLOYMENT = "20m"
UPDATES = "Sun:04:00"  # UTC: the platform's security updates, a few minutes without a dashboard


def environment(settings: Settings, values: Mapping[str, pulumi.Input[str]]) -> dict[str, pulumi.Input[str]]:
    """Its variables, from what the functions are told and what only people ask for."""
    known = {
        **values,
        "bundle": bundle.digest(),
        "schedule": f"{settings.schedule} {settings.timezone}",
        "stale_after_hours": str(settings.stale_after_hours),
        "synthetic": "true" if settings.synthetic else "false",
    }
    return {PREFIX + field.name.upper(): known[field.name] for field in fields(DashboardSettings)}


def create_dashboard(
    surroundings: Surroundings, variables: Mapping[str, pulumi.Input[str]], place: Place, account: str
) -> pulumi.Output[str]:
    """The address that readers open."""
    settings, region = surroundings.settings, aws.get_region().region
    application = aws.elasticbeanstalk.Application(
        "dashboard", name=f"daybook-{settings.stack}", description="The U.S. COVID-19 record, to be looked at"
    )
    bundles = create_bundles(settings, account)
    uploaded = aws.s3.BucketObjectv2(
        "dashboard",
        bucket=bundles.bucket,
        key=package.dashboard().name,
        source=pulumi.FileAsset(str(package.dashboard())),
    )
    version = aws.elasticbeanstalk.ApplicationVersion(
        "dashboard",
        # The same files are the same version: with nothing changed nothing is deployed.
        name=settings.name(bundle.digest()),
        application=application.name,
        bucket=bundles.bucket,
        key=uploaded.key,
    )
    profile = create_instance_profile(surroundings, bundles, account, region)
    service, gate = create_service_role(settings), create_gate(settings, place)
    options = {
        "aws:autoscaling:launchconfiguration": {
            "IamInstanceProfile": profile.name,
            # Accounts since 2024-10 have launch templates only, which these two lead to.
            "DisableIMDSv1": "true",
            "RootVolumeType": "gp3",
            "SecurityGroups": gate.group.id,
            "DisableDefaultEC2SecurityGroup": "true",  # which would let everybody in
        },
        "aws:ec2:instances": {"InstanceTypes": INSTANCE, "SupportedArchitectures": "arm64"},
        "aws:elasticbeanstalk:environment": {
            "EnvironmentType": "SingleInstance",
            "ServiceRole": service.role.arn,
        },
        "aws:elasticbeanstalk:healthreporting:system": {"SystemType": "enhanced"},
        "aws:elasticbeanstalk:cloudwatch:logs": {
            "StreamLogs": "true",
            "DeleteOnTerminate": "false" if settings.protect else "true",
            "RetentionInDays": str(LOG_DAYS),
        },
        "aws:elasticbeanstalk:managedactions": {
            "ManagedActionsEnabled": "true",
            "PreferredStartTime": UPDATES,
        },
        "aws:elasticbeanstalk:managedactions:platformupdate": {"UpdateLevel": "minor"},
        "aws:elasticbeanstalk:application:environment": {**variables, "AWS_DEFAULT_REGION": region},
    }
    if place.subnet:
        options["aws:ec2:vpc"] = {
            "VPCId": place.vpc,
            "Subnets": place.subnet,
            "AssociatePublicIpAddress": "true",
        }
    machine = aws.elasticbeanstalk.Environment(
        "dashboard",
        name=f"daybook-{settings.stack}",  # at most 40 characters
        application=application.name,
        version=version.name,
        solution_stack_name=aws.elasticbeanstalk.get_solution_stack(
            most_recent=True, name_regex=PLATFORM
        ).name,
        tier="WebServer",
        settings=[
            {"namespace": namespace, "name": name, "value": value}
            for namespace, found in options.items()
            for name, value in found.items()
        ],
        wait_for_ready_timeout=MAX_DEPLOYMENT,
        # A newer platform would change every deployment; managed updates bring it.
        opts=pulumi.ResourceOptions(
            depends_on=[*service.rights, *gate.rules], ignore_changes=["solutionStackName"]
        ),
    )
    if settings.front == CLOUDFRONT:
        return pulumi.Output.concat("https://", create_front(settings, machine.cname).domain_name, "/")
    return pulumi.Output.concat("http://", machine.cname, "/")
