"""``notify test``: one marked message to each topic that people read, and who is there to read it."""

import json
from typing import Any

import click

from ops.commands.doctor import SANDBOX, SANDBOX_REMEDY, in_sandbox
from ops.errors import AWS, CONFIGURATION, DONE, PENDING, Problem
from ops.json_output import as_json
from ops.options import JSON, Options, command
from ops.stack import Stack
from ops.terminal import say, table
from schemas.answer import Answer, text, yes_or_no

TRIAL = json.dumps({"trigger": "trial"}).encode()


class RecipientAnswer(Answer):
    """Somebody whom a test message was sent to; all null where nobody subscribes to the topic."""

    topic = text()
    message = text()
    protocol = text(nullable=True)
    endpoint = text(nullable=True)
    confirmed = yes_or_no()


ANSWER = RecipientAnswer(many=True)


@command()
@JSON
def test(options: Options, as_data: bool) -> int:
    """Send a marked message to each topic. Exit code 5 if somebody hasn't confirmed, or nobody subscribes."""
    with options.stack(reading=True) as stack:
        if stack.kept:
            raise Problem(
                "Nobody reads what a kept state would send.",
                "Nothing was sent.",
                "Start it: python -m local up; then try again from another terminal.",
                CONFIGURATION,
            )
        reply = stack.invoke("reporter", TRIAL)  # nobody but the functions may publish there
        if reply.error is not None:
            remedy = "See: daybook logs --since 5m"
            raise Problem(f"The reporter failed: {str(reply.response)[:500]}", "", remedy, AWS)
        recipients = [
            {"topic": topic, "message": message, **recipient}
            for topic, message in reply.response["sent"].items()
            for recipient in _recipients(stack, f"{topic.replace('-', '_')}_topic")
        ]
        if any(one["protocol"] == "sms" for one in recipients) and in_sandbox(stack.client("sns")):
            say(f"{SANDBOX}. {SANDBOX_REMEDY}.")
    if as_data:
        as_json(ANSWER, recipients)
    else:
        table(
            ["topic", "protocol", "to", "confirmed"],
            ([one["topic"], one["protocol"], one["endpoint"] or "nobody", _said(one)] for one in recipients),
        )
    return DONE if all(one["confirmed"] for one in recipients) else PENDING


@click.group(commands={"test": test})
def notify() -> None:
    """What people are sent."""


def _recipients(stack: Stack, topic: str) -> list[dict[str, Any]]:
    people = [
        {
            "protocol": subscription["Protocol"],
            "endpoint": subscription["Endpoint"],
            "confirmed": subscription["SubscriptionArn"] != "PendingConfirmation",
        }
        for subscription in stack.subscriptions(topic)
    ]
    return people or [{"protocol": None, "endpoint": None, "confirmed": False}]


def _said(recipient: dict[str, Any]) -> str:
    if recipient["confirmed"]:
        return "yes"
    return "–" if recipient["endpoint"] is None else "no: open AWS's message and confirm"
