"""Rules that AWS has for a resource's properties and that neither its API's models nor moto hold.

Each has the document that it is from. Names of properties are those of the Pulumi program.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from infra.schedule_expression import problem_with
from local.stack.options import GENERAL_OPTIONS, option_problems

Inputs = dict[str, Any]  # as the provider gets them: camelCase names
Problems = Iterable[tuple[str, str]]  # a property, and the rule that its value breaks


@dataclass(frozen=True)
class Rule:
    """``kinds`` are the types it is for; with none of them it is for every type."""

    kinds: Sequence[str]
    problems: Callable[[Inputs], Problems]
    source: str

    def concerns(self, kind: str) -> bool:
        return not self.kinds or kind.rpartition(":")[2] in self.kinds


def _text(kinds: Sequence[str], name: str, pattern: str, says: str, source: str) -> Rule:
    """The property ``name``, where there is one, matches ``pattern`` as a whole."""

    def problems(inputs: Inputs) -> Problems:
        if name in inputs and not re.fullmatch(pattern, str(inputs[name])):
            yield name, f"{inputs[name]!r}: {says}"

    return Rule(kinds, problems, source)


def _size(kinds: Sequence[str], name: str, most: int, source: str) -> Rule:
    """The text ``name`` has at most so many bytes."""

    def problems(inputs: Inputs) -> Problems:
        size = len(str(inputs.get(name, "")).encode())
        if size > most:
            yield name, f"{size:,} bytes, at most {most:,}"

    return Rule(kinds, problems, source)


def policy_size(policy: str) -> int:
    """Characters of an IAM policy as its quotas count them: without white space."""
    return len(re.sub(r"\s", "", policy))


def subject_problem(subject: str) -> str | None:
    """SNS API Reference, Publish, Subject."""
    if not re.fullmatch(r"[!-~][ -~]{0,98}", subject):
        return "fewer than 100 ASCII characters, no space first, no line break or control character"
    return None


def _trust_size(inputs: Inputs) -> Problems:
    size = policy_size(inputs["assumeRolePolicy"])
    if size > MAX_TRUST:
        yield "assumeRolePolicy", f"{size:,} characters without white space, at most {MAX_TRUST:,}"


def _tags(inputs: Inputs) -> Problems:
    for key, value in (inputs.get("tags") or {}).items():
        if not re.fullmatch(rf"(?!aws:)[{TAG}]{{1,128}}", key, re.IGNORECASE):
            yield f"tags.{key}", "1 to 128 letters, digits, spaces and _.:/=+-@, not beginning with aws:"
        if not re.fullmatch(rf"[{TAG}]{{0,256}}", value):
            yield f"tags.{key}", f"{value!r}: at most 256 letters, digits, spaces and _.:/=+-@"


def _bucket_name(inputs: Inputs) -> Problems:
    name = inputs["bucket"]
    plain = re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name)
    if not plain or ".." in name or name.startswith("xn--") or re.fullmatch(r"[\d.]+", name):
        yield "bucket", f"{name!r}: 3 to 63 small letters, digits, single dots and dashes, no address"


def _cidr(inputs: Inputs) -> Problems:
    try:
        ipaddress.IPv4Network(inputs.get("cidrIpv4", "0.0.0.0/0"))
    except ValueError as error:
        yield "cidrIpv4", str(error)


def _environment(inputs: Inputs) -> Problems:
    variables = inputs.get("environment", {}).get("variables", {})
    size = len(json.dumps(variables, separators=(",", ":")).encode())
    if size > MAX_ENVIRONMENT:
        yield "environment", f"{size:,} bytes, at most {MAX_ENVIRONMENT:,}"
    for name in variables:
        if name in RESERVED or not re.fullmatch(r"[a-zA-Z]\w+", name, re.ASCII):
            yield f"environment.{name}", "letters, digits and _, a letter first, and no name that Lambda sets"


def _mapping(inputs: Inputs) -> Problems:
    if inputs.get("batchSize", 0) > 10 and inputs.get("maximumBatchingWindowInSeconds", 0) < 1:
        yield "maximumBatchingWindowInSeconds", "at least 1 where batchSize is more than 10"
    if 0 <= inputs.get("maximumRecordAgeInSeconds", -1) < 60:
        yield "maximumRecordAgeInSeconds", f"{inputs['maximumRecordAgeInSeconds']}: -1, or at least 60"


def _alarm(inputs: Inputs) -> Problems:
    period, whole = inputs["period"], inputs["period"] * inputs["evaluationPeriods"]
    if period not in (10, 20, 30) and (period <= 0 or period % 60):
        yield "period", f"{period}: 10, 20, 30 or a multiple of 60"
    most = 604_800 if period >= 3_600 else 86_400
    if whole > most:
        yield "evaluationPeriods", f"{whole:,} seconds of {period:,} each, at most {most:,}"


def _methods(inputs: Inputs) -> Problems:
    for name, sets in (("allowedMethods", METHODS), ("cachedMethods", METHODS[:2])):
        if set(inputs["defaultCacheBehavior"][name]) not in sets:
            yield f"defaultCacheBehavior.{name}", f"one of {[' '.join(sorted(each)) for each in sets]}"


def _endpoint(inputs: Inputs) -> Problems:
    protocol, endpoint = inputs["protocol"], inputs["endpoint"]
    pattern = ENDPOINTS.get(protocol)
    if pattern is None:
        yield "protocol", f"{protocol!r}: one of {', '.join(ENDPOINTS)}"
    elif not re.fullmatch(pattern, endpoint):
        yield "endpoint", f"no address of the protocol {protocol}"  # an address may be a secret


def _schedule(inputs: Inputs) -> Problems:
    if problem := problem_with(inputs["scheduleExpression"]):
        yield "scheduleExpression", problem


def _retention(inputs: Inputs) -> Problems:
    if inputs.get("retentionInDays", 0) not in LOG_RETENTION:
        yield "retentionInDays", f"{inputs['retentionInDays']}: one of {LOG_RETENTION}"


MAX_TRUST = 2_048
MAX_INLINE = 10_240  # of all inline policies of a role together
MAX_ENVIRONMENT = 4_096
TAG = r"\w \u00a0.:/=+\-@"
LOG_RETENTION = (
    *(0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
READING, ASKING = {"GET", "HEAD"}, {"GET", "HEAD", "OPTIONS"}
METHODS = (READING, ASKING, {*ASKING, "PUT", "POST", "PATCH", "DELETE"})
ENDPOINTS = {
    "email": r"[^@\s]+@[^@\s]+",
    "sms": r"\+[1-9]\d{6,14}",
    "http": r"http://\S+",
    "https": r"https://\S+",
    "lambda": r"arn:aws[\w-]*:lambda:[\w-]+:\d{12}:function:\S+",
}
RESERVED = {
    *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    *("AWS_SESSION_TOKEN", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_RUNTIME_API"),
    *("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "_HANDLER", "_X_AMZN_TRACE_ID"),
}
QUOTAS = "IAM User Guide, IAM and AWS STS quotas"
GROUP_TEXT = r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{0,255}"
GROUP_SAYS = "at most 255 of a-z, A-Z, 0-9, space and ._-:/()#,@[]+=&;{}!$*"
GROUP_RULES = ("SecurityGroupIngressRule", "SecurityGroupEgressRule")
DASHED = r"[A-Za-z0-9_-]"

RULES: tuple[Rule, ...] = (
    _text(
        ["SecurityGroup"],
        "description",
        GROUP_TEXT,
        GROUP_SAYS,
        "EC2 API Reference, CreateSecurityGroup, GroupDescription",
    ),
    _text(
        ["SecurityGroup"],
        "name",
        rf"(?!sg-){GROUP_TEXT}",
        f"{GROUP_SAYS}, and it can't begin with sg-",
        "EC2 API Reference, CreateSecurityGroup, GroupName",
    ),
    _text(GROUP_RULES, "description", GROUP_TEXT, GROUP_SAYS, "EC2 API Reference, IpRange, Description"),
    Rule(GROUP_RULES, _cidr, "EC2 API Reference, IpRange, CidrIp"),
    Rule([], _tags, "Tagging AWS Resources User Guide, Tag naming limits and requirements"),
    Rule(["Bucket"], _bucket_name, "S3 User Guide, General purpose bucket naming rules"),
    _size(["BucketPolicy"], "policy", 20_480, "S3 User Guide, Bucket policies"),
    Rule(["Role"], _trust_size, QUOTAS),
    _text(
        ["Role", "RolePolicy"],
        "policy",
        r"[\t\n\r\x20-\xff]*",
        "only tab, line feed, carriage return and U+0020 to U+00FF",
        QUOTAS,
    ),
    _size(["Key"], "policy", 32_768, "KMS Developer Guide, Resource quotas"),
    _text(
        ["Alias"],
        "name",
        r"alias/(?!aws/)[a-zA-Z0-9/_-]{1,250}",
        "alias/ and at most 250 letters, digits and /_-, not alias/aws/",
        "KMS API Reference, CreateAlias, AliasName",
    ),
    _text(
        ["Topic"],
        "name",
        rf"{DASHED}{{1,256}}",
        "at most 256 letters, digits, _ and -",
        "SNS API Reference, CreateTopic, Name",
    ),
    _size(["TopicPolicy"], "policy", 30_720, "AWS General Reference, Amazon SNS endpoints and quotas"),
    Rule(["TopicSubscription"], _endpoint, "SNS API Reference, Subscribe, Endpoint"),
    _text(
        ["Function"],
        "name",
        rf"{DASHED}{{1,64}}",
        "at most 64 letters, digits, _ and -",
        "Lambda API Reference, CreateFunction, FunctionName",
    ),
    Rule(["Function"], _environment, "Lambda Developer Guide, Lambda quotas, and Environment variables"),
    Rule(["EventSourceMapping"], _mapping, "Lambda API Reference, CreateEventSourceMapping"),
    Rule(["LogGroup"], _retention, "CloudWatch Logs API Reference, PutRetentionPolicy, retentionInDays"),
    Rule(["MetricAlarm"], _alarm, "CloudWatch API Reference, PutMetricAlarm, Period"),
    _text(
        ["Dashboard"],
        "dashboardName",
        rf"{DASHED}{{1,255}}",
        "at most 255 letters, digits, _ and -",
        "CloudWatch API Reference, PutDashboard, DashboardName",
    ),
    Rule(["Distribution"], _methods, "CloudFront API Reference, AllowedMethods"),
    _size(["Distribution"], "comment", 128, "CloudFront API Reference, DistributionConfig, Comment"),
    Rule(["Schedule"], _schedule, "EventBridge Scheduler User Guide, Schedule types"),
    _text(
        ["Parameter"],
        "name",
        r"(?!/?(?:aws|ssm))[\w./-]{1,1011}",
        "letters, digits and _./-, not beginning with aws or ssm",
        "Systems Manager API Reference, PutParameter, Name",
    ),
    _size(["Parameter"], "value", 4_096, "Systems Manager User Guide, Managing parameter tiers"),
    _text(
        ["Environment"],
        "name",
        r"[A-Za-z0-9][A-Za-z0-9-]{2,38}[A-Za-z0-9]",
        "4 to 40 letters, digits and dashes, no dash first or last",
        "Elastic Beanstalk API Reference, CreateEnvironment, EnvironmentName",
    ),
    _text(
        ["Application", "ApplicationVersion"],
        "name",
        r"[^/]{1,100}",
        "at most 100 characters, no slash",
        "Elastic Beanstalk API Reference, CreateApplication and CreateApplicationVersion",
    ),
    Rule(["Environment"], option_problems, GENERAL_OPTIONS),
)


def problems(kind: str, inputs: Inputs) -> Iterator[tuple[str, str, str]]:
    """Property, rule and source of each rule that is broken."""
    for rule in RULES:
        if rule.concerns(kind):
            yield from ((name, says, rule.source) for name, says in rule.problems(inputs))
