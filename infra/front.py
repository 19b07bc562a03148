"""The way in from outside: HTTPS at CloudFront and a machine that admits nothing else, or plain HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.settings import CLOUDFRONT, ConfigurationError, Settings

HTTP = 80
# CloudFront's own addresses, kept by AWS. The list counts as 55 of a group's 60 rules: it fits for one port.
CLOUDFRONTS_HOSTS = "com.amazonaws.global.cloudfront.origin-facing"
# Policies that AWS manages; their ids are the same in every account. CloudFront documentation, "Use managed
# cache policies", "… origin request policies".
AS_THE_ORIGIN_SAYS = "4cc15a8a-d715-48a4-82b8-cc0b614638fe"  # UseOriginCacheControlHeaders-QueryStrings
ALL_BUT_THE_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # AllViewerExceptHostHeader
A_YEAR = 31_536_000  # seconds
ORIGIN = "dashboard"
NO_PLACE = (
    "The dashboard has nowhere to be: this region has no default VPC. Make one: aws ec2 create-default-vpc; "
    "or name a public subnet: pulumi config set daybook:dashboard_subnet subnet-…"
)


@dataclass(frozen=True)
class Place:
    """Where the machine is."""

    vpc: str
    subnet: str  # empty: any of the default VPC


def find_place(settings: Settings) -> Place:
    """Ask before anything is declared. Raises ConfigurationError."""
    subnet = settings.dashboard_subnet
    try:
        if subnet:
            return Place(aws.ec2.get_subnet(id=subnet).vpc_id, subnet)
        return Place(aws.ec2.get_vpc(default=True).id, "")
    except Exception as error:
        problem = f"daybook:dashboard_subnet {subnet!r} can't be read." if subnet else NO_PLACE
        raise ConfigurationError(f"{problem}\n{error}") from error


@dataclass(frozen=True)
class Gate:
    group: aws.ec2.SecurityGroup
    rules: Sequence[pulumi.Resource]  # a machine that starts before them can fetch nothing


def create_gate(settings: Settings, place: Place) -> Gate:
    """The machine's only security group, with one port: CloudFront comes in, or everybody where there is
    none; there is no way to log in.

    Anybody's CloudFront comes in: the figures are public, and the header that would tell ours from theirs is
    a secret to be kept and changed.
    """
    admitted: dict[str, Any] = {"description": "Everybody", "cidr_ipv4": "0.0.0.0/0"}
    if settings.front == CLOUDFRONT:
        hosts = aws.ec2.get_managed_prefix_list(name=CLOUDFRONTS_HOSTS)
        admitted = {"description": "CloudFront", "prefix_list_id": hosts.id}
    group = aws.ec2.SecurityGroup(
        "dashboard",
        name=settings.name("dashboard"),
        description="The dashboard of Daybook, by HTTP",
        vpc_id=place.vpc,
    )
    come = aws.vpc.SecurityGroupIngressRule(
        "dashboard",
        security_group_id=group.id,
        ip_protocol="tcp",
        from_port=HTTP,
        to_port=HTTP,
        **admitted,
    )
    go = aws.vpc.SecurityGroupEgressRule(
        "dashboard",
        security_group_id=group.id,
        description="The AWS services that it reads, and Python packages",
        cidr_ipv4="0.0.0.0/0",
        ip_protocol="-1",
    )
    return Gate(group, [come, go])


def create_front(settings: Settings, origin: pulumi.Input[str]) -> aws.cloudfront.Distribution:
    """CloudFront before a host that speaks plain HTTP: what passes between the two is public anyway.

    Every header but one is the dashboard's own. AWS's SecurityHeadersPolicy would add X-Frame-Options where
    the dashboard leaves it out: on /embed, which may be framed.
    """
    https_only = aws.cloudfront.ResponseHeadersPolicy(
        "dashboard",
        name=settings.name("dashboard"),
        security_headers_config={
            "strict_transport_security": {"access_control_max_age_sec": A_YEAR, "override": True}
        },
    )
    return aws.cloudfront.Distribution(
        "dashboard",
        comment=settings.name("dashboard"),
        enabled=True,
        is_ipv6_enabled=True,
        http_version="http2and3",
        price_class="PriceClass_100",  # North America and Europe, the cheapest
        origins=[
            {
                "origin_id": ORIGIN,
                "domain_name": origin,
                "custom_origin_config": {
                    "http_port": HTTP,
                    "https_port": 443,
                    "origin_protocol_policy": "http-only",
                    "origin_ssl_protocols": ["TLSv1.2"],
                    "origin_read_timeout": 60,  # a query of Timestream's may take as long
                },
            }
        ],
        default_cache_behavior={
            "target_origin_id": ORIGIN,
            "viewer_protocol_policy": "redirect-to-https",
            # Dash asks by POST, which CloudFront takes only along with the rest.
            "allowed_methods": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
            "cached_methods": ["GET", "HEAD"],
            "compress": True,
            "cache_policy_id": AS_THE_ORIGIN_SAYS,
            "origin_request_policy_id": ALL_BUT_THE_HOST,
            "response_headers_policy_id": https_only.id,
        },
        restrictions={"geo_restriction": {"restriction_type": "none"}},
        viewer_certificate={"cloudfront_default_certificate": True},
    )
