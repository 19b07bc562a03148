"""A second opinion on every resource: would AWS take it?"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cloudformation import UNCOVERED, uncovered
from opinions import by_schema, judges, refusals
from renderings import RENDERINGS, longest, rendered

from infra.settings import MAX_STACK
from local.stack import resources
from local.stack.calls import CALLS
from local.stack.refusals import RefusedByAWS
from local.stack.resources import Cloud, create

Inputs = dict[str, Any]
AT_ONCE = True
FAR_TOO_MANY = [f"arn:aws:s3:::{number:0>50}/*" for number in range(200)]


@pytest.mark.cloud  # seconds each
@pytest.mark.parametrize(("stack", "store"), RENDERINGS)
def test_cloudformation_s_schemas_find_nothing(stack, store):
    assert by_schema(rendered(stack, store)) == []


@pytest.mark.parametrize(("stack", "store"), RENDERINGS)
def test_the_services_own_models_and_documented_rules_refuse_nothing(stack, store):
    assert refusals(rendered(stack, store)) == []


@pytest.mark.parametrize(("stack", "store"), RENDERINGS)
def test_one_type_is_beyond_the_schemas(stack, store):
    assert uncovered(rendered(stack, store)) == UNCOVERED == {"aws:s3/bucketObjectv2:BucketObjectv2"}


def test_renderings_have_the_longest_names_that_settings_allow():
    assert [len(longest(stack)) for stack, _ in RENDERINGS] == [MAX_STACK] * 4
    (group,) = [inputs for kind, _, inputs in rendered(*RENDERINGS[0]) if kind.endswith(":SecurityGroup")]
    assert group["name"] == f"daybook-{longest('dev')}-dashboard"


def test_each_type_that_the_local_cloud_makes_is_asked_about():
    assert CALLS.keys() == resources.REAL.keys() | resources.INERT.keys()


@dataclass(frozen=True)
class Planted:
    """A fault that AWS refuses; ``judges`` are those that find it."""

    fault: str
    kind: str
    name: str
    plant: Callable[[Inputs], object]
    judges: frozenset[str]
    at_once: bool = AT_ONCE  # whether the local cloud refuses it


def to(value: Any, *path: str) -> Callable[[Inputs], object]:
    """Sets the property that is reached by ``path``."""

    def plant(inputs: Inputs) -> None:
        for key in path[:-1]:
            inputs = inputs[key]
        inputs[path[-1]] = value

    return plant


def option(name: str, value: str) -> Callable[[Inputs], object]:
    def plant(inputs: Inputs) -> None:
        (setting,) = [item for item in inputs["settings"] if item["name"] == name]
        setting["value"] = value

    return plant


def statement(policy: str, **changes: Any) -> Callable[[Inputs], object]:
    """Changes the first statement of the policy in this property."""

    def plant(inputs: Inputs) -> None:
        document = json.loads(inputs[policy])
        document["Statement"][0] |= changes
        inputs[policy] = json.dumps(document)

    return plant


def policy_of(version: str) -> Callable[[Inputs], object]:
    def plant(inputs: Inputs) -> None:
        inputs["policy"] = json.dumps({**json.loads(inputs["policy"]), "Version": version})

    return plant


SCHEMA, MODEL, RULE = "schema", "model", "rule"
PLANTED = [
    Planted(
        "an apostrophe in a security group's description",
        "ec2/securityGroup:SecurityGroup",
        "dashboard",
        to("Daybook's dashboard: from CloudFront only", "description"),
        frozenset({SCHEMA, RULE}),
    ),
    Planted(
        "an apostrophe in a security group rule's description",
        "vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "dashboard",
        to("Python's packages", "description"),
        frozenset({RULE}),
    ),
    Planted(
        "a network with bits of a host",
        "vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        "dashboard",
        to("10.0.0.1/8", "cidrIpv4"),
        frozenset({SCHEMA, RULE}),
    ),
    Planted(
        "a role's name of 65 characters",
        "iam/role:Role",
        "fetcher",
        to("r" * 65, "name"),
        frozenset({SCHEMA, MODEL}),
    ),
    Planted(
        "a trust policy over its size",
        "iam/role:Role",
        "fetcher",
        statement("assumeRolePolicy", Condition={"ArnEquals": {"aws:SourceArn": FAR_TOO_MANY}}),
        frozenset({RULE}),
    ),
    Planted(
        "inline policies over their size",
        "iam/rolePolicy:RolePolicy",
        "consumer",
        statement("policy", Resource=FAR_TOO_MANY),
        frozenset({RULE}),
    ),
    Planted(
        "a policy of a version that there isn't",
        "iam/rolePolicy:RolePolicy",
        "consumer",
        policy_of("2012-10-18"),
        frozenset({SCHEMA}),
        at_once=False,
    ),
    Planted(
        "a bucket's name with a capital",
        "s3/bucket:Bucket",
        "archive",
        to("Daybook-archive", "bucket"),
        frozenset({SCHEMA, RULE}),
    ),
    Planted(
        "an alarm over more than seven days",
        "cloudwatch/metricAlarm:MetricAlarm",
        "no-completed-run",
        to(169, "evaluationPeriods"),
        frozenset({RULE}),
    ),
    Planted(
        "managed updates without enhanced health",
        "elasticbeanstalk/environment:Environment",
        "dashboard",
        option("SystemType", "basic"),
        frozenset({RULE}),
    ),
    Planted(
        "a processor that the machine doesn't have",
        "elasticbeanstalk/environment:Environment",
        "dashboard",
        option("SupportedArchitectures", "x86_64"),
        frozenset({RULE}),
    ),
    Planted(
        "a runtime that there isn't",
        "lambda/function:Function",
        "fetcher",
        to("python3.31", "runtime"),
        frozenset({SCHEMA, MODEL}),
    ),
    Planted(
        "a variable that Lambda sets itself",
        "lambda/function:Function",
        "fetcher",
        to({"AWS_REGION": "us-east-1"}, "environment", "variables"),
        frozenset({SCHEMA, RULE}),
    ),
    Planted(
        "a batch of 98 that isn't waited for",
        "lambda/eventSourceMapping:EventSourceMapping",
        "consumer",
        to(0, "maximumBatchingWindowInSeconds"),
        frozenset({RULE}),
    ),
    Planted(
        "a tag with a sign that isn't allowed",
        "kinesis/stream:Stream",
        "stream",
        to("daybook & co", "tags", "project"),
        frozenset({RULE}),
    ),
    Planted(
        "a schedule's name with a space",
        "scheduler/schedule:Schedule",
        "schedule",
        to("daybook schedule", "name"),
        frozenset({SCHEMA, MODEL}),
    ),
    Planted(
        "a parameter over 4 KB",
        "ssm/parameter:Parameter",
        "facts",
        to("x" * 4_097, "value"),
        frozenset({RULE}),
    ),
    Planted(
        "logs kept for 91 days",
        "cloudwatch/logGroup:LogGroup",
        "fetcher",
        to(91, "retentionInDays"),
        frozenset({SCHEMA, RULE}),
    ),
    Planted(
        "a topic's name with a dot",
        "sns/topic:Topic",
        "alerts",
        to("daybook.alerts", "name"),
        frozenset({RULE}),
    ),
    Planted(
        "a price class that there isn't",
        "cloudfront/distribution:Distribution",
        "dashboard",
        to("PriceClass_300", "priceClass"),
        frozenset({SCHEMA, MODEL}),
    ),
    Planted(
        "a budget's name with a colon",
        "budgets/budget:Budget",
        "budget",
        to("daybook: budget", "name"),
        frozenset({MODEL}),
    ),
    Planted(
        "a key that waits 31 days before it is gone",  # AWS answers when it is deleted
        "kms/key:Key",
        "alerts",
        to(31, "deletionWindowInDays"),
        frozenset({SCHEMA}),
        at_once=False,
    ),
]


def planted_resource(planted: Planted) -> tuple[str, str, Inputs]:
    kind = f"aws:{planted.kind}"
    (inputs,) = [
        {key: copy.deepcopy(value) for key, value in inputs.items() if key != "code"}
        for type_, name, inputs in rendered("prod", "timestream")
        if (type_, name) == (kind, planted.name)
    ]
    planted.plant(inputs)
    return kind, planted.name, inputs


@pytest.mark.cloud
def test_every_planted_fault_is_found():
    by = judges([planted_resource(planted) for planted in PLANTED])
    assert dict(zip((planted.fault for planted in PLANTED), by, strict=True)) == {
        planted.fault: planted.judges for planted in PLANTED
    }


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.fault)
def test_the_local_cloud_refuses_at_once_what_can_be_known_at_once(planted: Planted, tmp_path: Path):
    kind, name, inputs = planted_resource(planted)
    cloud = Cloud("http://nowhere.invalid", tmp_path)
    if planted.at_once:
        with pytest.raises(RefusedByAWS, match=f"AWS refuses {kind} {name}: "):
            create(cloud, kind, name, inputs)
    else:
        cloud.account.check(kind, name, inputs)
