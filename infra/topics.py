"""Where messages go: two topics for people, one for the machine, and one for when alerts fail."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi
import pulumi_aws as aws

from infra.keys import create_alerts_key
from infra.settings import Settings


@dataclass(frozen=True)
class Topics:
    daily_report: aws.sns.Topic
    alerts: aws.sns.Topic  # encrypted under alerts_key
    failures: aws.sns.Topic  # on-failure destinations write to it, the reporter reads it
    fallback: aws.sns.Topic  # where alarms go as well that say that alerts may not arrive
    alerts_key: aws.kms.Key


def create_topics(settings: Settings, account: str) -> Topics:
    def topic(name: str, key: pulumi.Input[str] | None = None) -> aws.sns.Topic:
        return aws.sns.Topic(name, name=settings.name(name), kms_master_key_id=key)

    key = create_alerts_key(settings, account)
    topics = Topics(
        daily_report=topic("daily-report"),
        alerts=topic("alerts", key.arn),
        failures=topic("failures"),
        # Its messages name alarms and nothing else, and it must not fail with the key.
        fallback=topic("fallback"),
        alerts_key=key,
    )
    for email in settings.emails:
        aws.sns.TopicSubscription(
            _named("fallback", email), topic=topics.fallback.arn, protocol="email", endpoint=email
        )
    for name, people in (("daily-report", topics.daily_report), ("alerts", topics.alerts)):
        for protocol, endpoint in _endpoints(settings):
            aws.sns.TopicSubscription(
                _named(name, endpoint),
                topic=people.arn,
                protocol=protocol,
                # Whoever knows a hook's address can post to it.
                endpoint=pulumi.Output.secret(endpoint) if endpoint in settings.webhooks else endpoint,
            )
    return topics


def _named(topic: str, endpoint: str) -> str:
    """Who reads the log of a deployment sees what resources are called: an address is nothing for them."""
    return f"{topic}-{hashlib.sha256(endpoint.encode()).hexdigest()[:8]}"


def _endpoints(settings: Settings) -> Iterable[tuple[str, str]]:
    yield from (("email", email) for email in settings.emails)
    yield from (("sms", phone) for phone in settings.phones)
    yield from ((urlsplit(url).scheme, url) for url in settings.webhooks)


def close_topic(
    name: str,
    topic: aws.sns.Topic,
    account: str,
    publishers: Sequence[aws.iam.Role] = (),
    services: Sequence[str] = (),
) -> None:
    """Let nobody but these roles and services publish, whatever other policies of the account allow.

    The roles need the right to publish as well. A service has it here, for what is this account's; another
    service of AWS isn't denied, and has no right either.
    """
    others: dict[str, object] = {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
    if publishers:
        others["ArnNotEquals"] = {"aws:PrincipalArn": [role.arn for role in publishers]}
    publish = {"Action": "sns:Publish", "Resource": topic.arn}
    unsafe = {"Bool": {"aws:SecureTransport": "false"}}
    statements: list[dict[str, object]] = [
        {**publish, "Sid": "NobodyElse", "Effect": "Deny", "Principal": "*", "Condition": others},
        {**publish, "Sid": "OnlyOverTLS", "Effect": "Deny", "Principal": "*", "Condition": unsafe},
    ]
    if services:
        ours = {"StringEquals": {"aws:SourceAccount": account}}
        allowed = {"Service": [*services]}
        statements.append(
            {**publish, "Sid": "TheseServices", "Effect": "Allow", "Principal": allowed, "Condition": ours}
        )
    policy = {"Version": "2012-10-17", "Statement": statements}
    aws.sns.TopicPolicy(name, arn=topic.arn, policy=pulumi.Output.json_dumps(policy))
