"""Where messages go: two topics for people, one for the machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi
import pulumi_aws as aws

from infra.settings import Settings


# Not encrypted with a key of our own: the messages are public figures, and CloudWatch can't publish to a
# topic under the key that AWS manages.
@dataclass(frozen=True)
class Topics:
    daily_report: aws.sns.Topic
    alerts: aws.sns.Topic
    failures: aws.sns.Topic  # on-failure destinations write to it, the reporter reads it


def create_topics(settings: Settings) -> Topics:
    def topic(name: str) -> aws.sns.Topic:
        return aws.sns.Topic(name, name=settings.name(name))

    topics = Topics(topic("daily-report"), topic("alerts"), topic("failures"))
    for name, people in (("daily-report", topics.daily_report), ("alerts", topics.alerts)):
        for protocol, endpoint in _endpoints(settings):
            aws.sns.TopicSubscription(
                f"{name}-{endpoint}", topic=people.arn, protocol=protocol, endpoint=endpoint
            )
    return topics


def _endpoints(settings: Settings) -> Iterable[tuple[str, str]]:
    yield from (("email", email) for email in settings.emails)
    yield from (("sms", phone) for phone in settings.phones)
    yield from ((urlsplit(url).scheme, url) for url in settings.webhooks)


def close_topic(
    name: str,
    topic: aws.sns.Topic,
    publishers: Sequence[aws.iam.Role],
    services: Sequence[str] = (),
    account: str = "",
) -> None:
    """Let nobody but these roles publish, whatever other policies of the account allow; and these services
    of AWS, on behalf of this account.

    The roles need the right to publish as well. Any other service isn't denied, and has no right either.
    """
    admitted = [
        {
            "Sid": service.capitalize(),
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic.arn,
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        }
        for service in services
    ]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            *admitted,
            {
                "Sid": "NobodyElse",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": topic.arn,
                "Condition": {
                    "ArnNotEquals": {"aws:PrincipalArn": [role.arn for role in publishers]},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                },
            },
            {
                "Sid": "OnlyOverTLS",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sns:Publish",
                "Resource": topic.arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }
    aws.sns.TopicPolicy(name, arn=topic.arn, policy=pulumi.Output.json_dumps(policy))
