"""Elastic Beanstalk's options: which there are, their values, and which go together.

Only those that our stack may set: any other is refused, so that it is looked up first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

GENERAL_OPTIONS = "Elastic Beanstalk Developer Guide, General options for all environments"
BOOLEAN = "true|false"
MAX_VARIABLES = 4_096  # bytes of all NAME=value together
VARIABLES = "aws:elasticbeanstalk:application:environment"
LAUNCH = "aws:autoscaling:launchconfiguration"
BEANSTALK = "aws:elasticbeanstalk"
OPTIONS: dict[tuple[str, str], str] = {
    (LAUNCH, "IamInstanceProfile"): r"[\w+=,.@:/-]+",
    (LAUNCH, "DisableIMDSv1"): BOOLEAN,
    (LAUNCH, "RootVolumeType"): "standard|gp2|gp3|io1",
    (LAUNCH, "SecurityGroups"): r"[\w-]+(,[\w-]+)*",
    (LAUNCH, "DisableDefaultEC2SecurityGroup"): BOOLEAN,
    ("aws:ec2:instances", "InstanceTypes"): r"[a-z0-9-]+\.[a-z0-9-]+(,[a-z0-9-]+\.[a-z0-9-]+)*",
    ("aws:ec2:instances", "SupportedArchitectures"): "arm64|x86_64|i386",
    ("aws:ec2:vpc", "VPCId"): r"vpc-[0-9a-f]+",
    ("aws:ec2:vpc", "Subnets"): r"subnet-[0-9a-f]+(,subnet-[0-9a-f]+)*",
    ("aws:ec2:vpc", "AssociatePublicIpAddress"): BOOLEAN,
    (f"{BEANSTALK}:environment", "EnvironmentType"): "SingleInstance|LoadBalanced",
    (f"{BEANSTALK}:environment", "ServiceRole"): r"[\w+=,.@:/-]+",
    (f"{BEANSTALK}:healthreporting:system", "SystemType"): "basic|enhanced",
    (f"{BEANSTALK}:cloudwatch:logs", "StreamLogs"): BOOLEAN,
    (f"{BEANSTALK}:cloudwatch:logs", "DeleteOnTerminate"): BOOLEAN,
    (f"{BEANSTALK}:cloudwatch:logs", "RetentionInDays"): (
        "1|3|5|7|14|30|60|90|120|150|180|365|400|545|731|1827|3653"
    ),
    (f"{BEANSTALK}:managedactions", "ManagedActionsEnabled"): BOOLEAN,
    (f"{BEANSTALK}:managedactions", "PreferredStartTime"): (
        "(Sun|Mon|Tue|Wed|Thu|Fri|Sat):([01][0-9]|2[0-3]):[0-5][0-9]"
    ),
    (f"{BEANSTALK}:managedactions:platformupdate", "UpdateLevel"): "minor|patch",
}
ARM_FAMILY = re.compile(r"[a-z]+\d+g[a-z]*\.")  # t4g, m7g, c7gn …


def option_problems(inputs: dict[str, Any]) -> Iterator[tuple[str, str]]:
    options = {(item["namespace"], item["name"]): item["value"] for item in inputs["settings"]}
    if len(options) < len(inputs["settings"]):
        yield "settings", "an option is set twice"
    variables = {name: value for (namespace, name), value in options.items() if namespace == VARIABLES}
    size = sum(len(f"{name}={value}".encode()) for name, value in variables.items())
    if size > MAX_VARIABLES:
        yield VARIABLES, f"{size:,} bytes, at most {MAX_VARIABLES:,}"
    for (namespace, name), value in options.items():
        pattern = ".+" if namespace == VARIABLES else OPTIONS.get((namespace, name))
        if pattern is None:
            yield f"{namespace}:{name}", "no option that local/stack/options.py knows"
        elif not re.fullmatch(pattern, value):
            yield f"{namespace}:{name}", f"{value!r} doesn't match {pattern}"
    yield from _pairs(options)


def _pairs(options: dict[tuple[str, str], str]) -> Iterator[tuple[str, str]]:
    def value(namespace: str, name: str) -> str:
        return options.get((namespace, name), "")

    actions = f"{BEANSTALK}:managedactions"
    if value(actions, "ManagedActionsEnabled") == "true":
        enhanced = value(f"{BEANSTALK}:healthreporting:system", "SystemType") == "enhanced"
        role = value(f"{BEANSTALK}:environment", "ServiceRole")
        planned = value(actions, "PreferredStartTime") and value(f"{actions}:platformupdate", "UpdateLevel")
        if not (enhanced and role and planned):
            yield (
                f"{actions}:ManagedActionsEnabled",
                ("needs enhanced health, a service role, PreferredStartTime and UpdateLevel"),
            )
    if value(LAUNCH, "DisableDefaultEC2SecurityGroup") == "true" and not value(LAUNCH, "SecurityGroups"):
        yield f"{LAUNCH}:DisableDefaultEC2SecurityGroup", "needs SecurityGroups"
    architecture = value("aws:ec2:instances", "SupportedArchitectures") or "x86_64"
    for kind in value("aws:ec2:instances", "InstanceTypes").split(","):
        if kind and bool(ARM_FAMILY.match(kind)) != (architecture == "arm64"):
            yield "aws:ec2:instances:InstanceTypes", f"{kind} isn't {architecture} (SupportedArchitectures)"
