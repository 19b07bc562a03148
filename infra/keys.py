"""The one key of our own: AWS's own keys don't let alarms and budgets publish to a topic."""

import json

import pulumi_aws as aws

from infra.settings import Settings

# Services that publish by themselves. Whose alarms and budgets they are, the topic's policy asks.
PUBLISHERS = ("cloudwatch.amazonaws.com", "budgets.amazonaws.com")
USE = ("kms:Decrypt", "kms:GenerateDataKey")
WAIT_DAYS = 30  # before a deleted key is gone, the longest there is


def create_alerts_key(settings: Settings, account: str) -> aws.kms.Key:
    """For the alerts topic. About $1 a month."""
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                # Without it nobody could ever change the key again; the roles' own rights rest on it as well.
                "Sid": "TheAccountManages",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "ServicesPublish",
                "Effect": "Allow",
                "Principal": {"Service": [*PUBLISHERS]},
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": "*",  # in a key's policy: this key
            },
        ],
    }
    key = aws.kms.Key(
        "alerts",
        description=f"Daybook {settings.stack}: messages to the alerts topic",
        policy=json.dumps(policy),
        enable_key_rotation=True,
        deletion_window_in_days=WAIT_DAYS,
    )
    aws.kms.Alias("alerts", name=f"alias/{settings.name('alerts')}", target_key_id=key.key_id)
    return key
