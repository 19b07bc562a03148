"""A message as the emulator took it from whoever published it."""

import json
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Publication:
    """A message published to a topic. With `structure` "json", `message` holds a text for each protocol."""

    topic_arn: str
    message_id: str
    subject: str | None
    message: str
    structure: str | None
    time: datetime
    subscriptions: tuple[tuple[str, str], ...]  # protocol, endpoint

    def text(self, protocol: str) -> str:
        """What a subscriber of this protocol receives."""
        if self.structure != "json":
            return self.message
        texts = json.loads(self.message)
        return texts.get(protocol, texts["default"])
