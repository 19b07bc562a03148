"""``notify test``: one marked message to each topic that people read, and who is there to read it."""

import json
from typing import Any

from ops.doctor import SANDBOX, SANDBOX_REMEDY, in_sandbox
from ops.errors import AWS, CONFIGURATION, DONE, PENDING, Problem
from ops.output import as_json, say, table
from ops.target import Target

TRIAL = json.dumps({"trigger": "trial"}).encode()


def test(target: Target, as_data: bool) -> int:
    """Asked of the reporter, since nobody but the functions may publish there. Exit code 5 where somebody
    hasn't confirmed, or nobody subscribes."""
    if target.cloud is not None:
        raise Problem(
            "Nobody reads what a kept state would send.",
            "Nothing was sent.",
            "Start it: python -m local up; then try again from another terminal.",
            CONFIGURATION,
        )
    answer = target.invoke("reporter", TRIAL)
    if answer.error is not None:
        remedy = "See: python -m ops logs --since 5m"
        raise Problem(f"The reporter failed: {str(answer.response)[:500]}", "", remedy, AWS)
    sent: dict[str, str] = answer.response["sent"]
    found = [
        {"topic": topic, "message": sent[topic], **one}
        for topic in sent
        for one in _people(target, target.facts[f"{topic.replace('-', '_')}_topic"])
    ]
    sns = target.client("sns")
    if any(one["protocol"] == "sms" for one in found) and in_sandbox(sns):
        say(f"{SANDBOX}. {SANDBOX_REMEDY}.")
    if as_data:
        as_json(found)
    else:
        table(
            ["topic", "protocol", "to", "confirmed"],
            ([one["topic"], one["protocol"], one["endpoint"] or "nobody", _said(one)] for one in found),
        )
    return DONE if all(one["confirmed"] for one in found) else PENDING


def _people(target: Target, topic: str) -> list[dict[str, Any]]:
    pages = target.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    people = [
        {
            "protocol": one["Protocol"],
            "endpoint": one["Endpoint"],
            "confirmed": one["SubscriptionArn"] != "PendingConfirmation",
        }
        for page in pages
        for one in page["Subscriptions"]
    ]
    return people or [{"protocol": None, "endpoint": None, "confirmed": False}]


def _said(one: dict[str, Any]) -> str:
    return (
        "yes"
        if one["confirmed"]
        else "–"
        if one["endpoint"] is None
        else "no: open AWS's message and confirm"
    )
