"""Telling people, by SNS. A notice is leased, sent, and marked; what isn't marked is sent again."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions import log
from schemas.notice import MAX_SMS, MAX_SUBJECT, Notice
from storage.errors import Unreachable
from storage.ledger import Ledger

MAX_PROBLEMS = 2  # a topic that gives no answer takes 12 seconds, and a function has no minutes for it
MAX_NOTICES = 20  # sent in one invocation; the next one sends the others


class Notices:
    """The two topics that people read."""

    def __init__(self, client: Any, topics: Mapping[str, str], label: str = "") -> None:
        self._client = client
        self._label = f"({label}) " if label else ""
        self._topics = topics  # daily-report and alerts → ARN

    def send(self, unsent: Iterable[str], ledger: Ledger, holder: str, now: dt.datetime) -> int:
        """Send these notices but for those that another holds; how many went out.

        Telling never stands in the way of entering: a notice that can't be sent stays unsent for the next
        invocation, and after two of them no further one is tried.
        """
        sent = problems = 0
        for name in sorted(unsent)[:MAX_NOTICES]:
            try:
                if notice := ledger.lease(name, holder, now):
                    self.publish(notice)
                    ledger.mark_sent(name, now)
                    sent += 1
            except (ClientError, BotoCoreError, Unreachable) as problem:
                problems += 1
                log.line("notice not sent", log.ERROR, notice=name, problem=str(problem))
                if problems == MAX_PROBLEMS:
                    break
        return sent

    def publish(self, notice: Notice) -> str:
        """Send it, whatever the ledger says; SNS's id of the message."""
        texts = {"default": self._label + notice.email, "sms": (self._label + notice.sms)[:MAX_SMS]}
        reply = self._client.publish(
            TopicArn=self._topics[notice.topic],
            Subject=(self._label + notice.subject)[:MAX_SUBJECT],
            Message=json.dumps(texts, ensure_ascii=False),
            MessageStructure="json",
        )
        return reply["MessageId"]
