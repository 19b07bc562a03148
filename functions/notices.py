"""Telling people, by SNS. A notice is leased, sent, and marked; what isn't marked is sent again."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions.errors import NoticesUnsent
from functions.ledger import Ledger
from schemas.notice import MAX_SMS, MAX_SUBJECT, Notice


class Notices:
    """The two topics that people read."""

    def __init__(self, client: Any, topics: Mapping[str, str], label: str = "") -> None:
        self._client = client
        self._label = f"({label}) " if label else ""
        self._topics = topics  # daily-report and alerts → ARN

    def send(self, unsent: Iterable[str], ledger: Ledger, holder: str, now: dt.datetime) -> int:
        """Send these notices but for those that another holds; how many went out. One that can't be sent
        holds up none of the others. Raises NoticesUnsent, with what was wrong with the first."""
        count = 0
        problems: list[ClientError | BotoCoreError] = []
        for name in sorted(unsent):
            try:
                if notice := ledger.lease(name, holder, now):
                    self.publish(notice)
                    ledger.mark_sent(name, now)
                    count += 1
            except (ClientError, BotoCoreError) as problem:
                problems.append(problem)
        if problems:
            raise NoticesUnsent(f"{len(problems)} not sent: {problems[0]}") from problems[0]
        return count

    def publish(self, notice: Notice) -> str:
        """Send it, whatever the ledger says; SNS's id of the message."""
        email = self._label + notice.email
        texts = {"default": email, "email": email, "sms": (self._label + notice.sms)[:MAX_SMS]}
        answer = self._client.publish(
            TopicArn=self._topics[notice.topic],
            Subject=(self._label + notice.subject)[:MAX_SUBJECT],
            Message=json.dumps(texts),
            MessageStructure="json",
        )
        return answer["MessageId"]
