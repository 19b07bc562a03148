"""What protects a stack: keys, tags, what outlives a mistake, and who may be anybody."""

import json
from typing import Any

import pytest
from listing import configured, options
from test_stack import CONFIG, Recorder

from local.stack.program import run_program

KEPT = {
    ("aws:s3/bucket:Bucket", "archive"),
    ("aws:timestreamwrite/database:Database", "tables"),
    ("aws:timestreamwrite/table:Table", "daily"),
    ("aws:timestreamwrite/table:Table", "revisions"),
    ("aws:dynamodb/table:Table", "ledger"),
}
# What AWS lets nobody tag, or tags with what it belongs to.
UNTAGGED = {
    "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy",
    "aws:cloudwatch/dashboard:Dashboard",
    "aws:lambda/layerVersion:LayerVersion",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:kms/alias:Alias",
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig",
    "aws:lambda/permission:Permission",
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "aws:s3/bucketVersioning:BucketVersioning",
    "aws:scheduler/schedule:Schedule",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topicSubscription:TopicSubscription",
}


@pytest.fixture(scope="module")
def prod() -> Recorder:
    recorder = Recorder()
    run_program(recorder, "prod", configured("prod") | CONFIG)
    return recorder


def test_production_keeps_log_tables_and_ledger_whatever_is_destroyed_and_dev_keeps_nothing():
    with options() as found:
        run_program(Recorder(), "prod", configured("prod"))
    assert found == {one: {"options": ["protect", "retain"]} for one in KEPT}
    with options() as found:
        run_program(Recorder(), "dev", configured("dev"))
    assert found == {}


def test_every_resource_says_whose_it_is(prod: Recorder):
    wanted = {"project": "daybook", "stack": "prod"}
    without = [(kind, name) for kind, name, inputs in prod.resources if inputs.get("tags") != wanted]
    assert {kind for kind, _ in without} == UNTAGGED


def test_alerts_are_under_a_key_that_alarms_and_budgets_may_use_and_no_other_topic_is(prod: Recorder):
    keys = {name: topic.get("kmsMasterKeyId") for name, topic in prod.all("sns/topic:Topic").items()}
    assert keys == {
        "alerts": prod.arn("kms/key:Key", "alerts"),
        "daily-report": None,
        "failures": None,
        "fallback": None,
    }
    key = prod.one("kms/key:Key")
    assert key["enableKeyRotation"] is True
    assert key["deletionWindowInDays"] == 30
    account, services = statements(key)
    assert account["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert services["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "budgets.amazonaws.com"]}
    assert services["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]


def test_nothing_is_allowed_to_everybody(prod: Recorder):
    found = [statement for _, _, inputs in prod.resources for statement in statements(inputs)]
    assert len(found) > 20
    assert [one for one in found if one["Effect"] == "Allow" and everybody(one.get("Principal"))] == []


def statements(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    """Of a policy of any kind: of a role, a bucket, a topic, a key; and of who may take a role."""
    texts = [inputs[name] for name in ("policy", "assumeRolePolicy") if name in inputs]
    return [statement for text in texts for statement in json.loads(text)["Statement"]]


def everybody(principal: Any) -> bool:
    return "*" in json.dumps(principal or "")
