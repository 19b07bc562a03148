"""What people would have received: a file a message, in a folder instead of a mailbox."""

import re
from pathlib import Path

from local.aws.publication import Publication
from local.stack.definitions import LocalSubscription
from schemas.moment import written
from schemas.notice import ALERTS, DAILY_REPORT

TOPICS = (DAILY_REPORT, ALERTS)
PROTOCOLS = ("email", "sms", "https")  # the ways that lead to people


class Outbox:
    """Writes each publication once for each person who subscribes to its topic; counts them by recipient."""

    def __init__(self, folder: Path, subscriptions: tuple[LocalSubscription, ...]) -> None:
        self._folder = folder
        self._subscriptions = [item for item in subscriptions if item.protocol in PROTOCOLS]
        self.sent: dict[str, int] = {}

    def deliver(self, publication: Publication) -> None:
        """Called for every message published."""
        for subscription in self._subscriptions:
            if subscription.topic_arn == publication.topic_arn:
                self._write(publication, subscription)

    def _write(self, publication: Publication, subscription: LocalSubscription) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        when = written(publication.time).replace(":", "")
        topic = next(name for name in TOPICS if publication.topic_arn.endswith(name))
        name = re.sub(r"[^A-Za-z0-9.@+-]", "_", f"{when}-{topic}-{subscription.protocol}")
        head = f"To: {subscription.endpoint}\n"
        if subscription.protocol != "sms":
            head += f"Subject: {publication.subject}\n"
        text = publication.text(subscription.protocol)
        file = self._folder / f"{name}-{publication.message_id[:8]}.txt"
        file.write_text(f"{head}\n{text}", encoding="utf-8")
        self.sent[subscription.endpoint] = self.sent.get(subscription.endpoint, 0) + 1
