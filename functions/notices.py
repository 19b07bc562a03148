"""Telling people, by SNS. A notice is leased, sent, and marked; what isn't marked is sent again."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from functions import log
from schemas.notice import MAX_SMS, MAX_SUBJECT, REPORT, Notice
from storage.aws import code
from storage.errors import Unreachable
from storage.ledger import Ledger

# What SNS says of one message, and not of its topic.
CONTENT = ("InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid")
MAX_NOTICES = 20  # of a topic, sent in one invocation; the next one sends the others


class Notices:
    """The two topics that people read."""

    def __init__(self, client: Any, topics: Mapping[str, str], label: str = "") -> None:
        self._client = client
        self._label = f"({label}) " if label else ""
        self._topics = topics  # daily-report and alerts → ARN

    def send(self, unsent: Iterable[str], ledger: Ledger, holder: str, now: dt.datetime) -> int:
        """Send these notices but for those that another holds; how many went out.

        Telling never stands in the way of entering: a notice that can't be sent stays unsent for the next
        invocation, and no further one of its topic is tried unless SNS refused this one for its content.
        """
        return sum(self._send(names, ledger, holder, now) for names in _by_topic(unsent))

    def _send(self, names: Iterable[str], ledger: Ledger, holder: str, now: dt.datetime) -> int:
        sent = 0
        for name in names:
            try:
                if notice := ledger.lease(name, holder, ledger.answered or now):
                    self.publish(notice)
                    ledger.mark_sent(name, ledger.answered or now)
                    sent += 1
            except (ClientError, BotoCoreError, Unreachable) as problem:
                log.line("notice not sent", log.ERROR, notice=name, problem=str(problem))
                if not (isinstance(problem, ClientError) and code(problem) in CONTENT):
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


def _by_topic(names: Iterable[str]) -> list[list[str]]:
    """The reports and the alerts among these notices, each by id and at most twenty."""
    ordered = sorted(names)
    reports = [name for name in ordered if name.endswith(REPORT)]
    alerts = [name for name in ordered if not name.endswith(REPORT)]
    return [reports[:MAX_NOTICES], alerts[:MAX_NOTICES]]
