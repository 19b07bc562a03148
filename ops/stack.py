"""A stack that commands work on: what its parts are called, and how to reach them."""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ops.errors import CONFIGURATION, Problem

if TYPE_CHECKING:
    from storage.archive import Archive
    from storage.ledger import Ledger
    from storage.tables import Tables


@dataclass(frozen=True)
class Reply:
    """What a function replied; ``error`` is None unless it failed."""

    response: Any
    error: str | None


@dataclass(frozen=True)
class Stack:
    """``clock`` is None where time is the stack's own: a local cloud that runs may play history. ``kept``: it
    is what a folder holds, and no cloud runs on it; ``save`` writes there what a command has changed."""

    description: str
    facts: Mapping[str, str]
    client: Callable[[str], Any]
    clock: Callable[[], dt.datetime] | None
    aws: bool = False
    kept: bool = False
    save: Callable[[], None] = lambda: None

    @cached_property
    def ledger(self) -> "Ledger":
        from storage.ledger import Ledger

        return Ledger(self.client("dynamodb"), self.facts["ledger_table"])

    @cached_property
    def archive(self) -> "Archive":
        from storage.archive import Archive

        return Archive(self.client("s3"), self.facts["archive_bucket"])

    @cached_property
    def tables(self) -> "Tables":
        from storage.tables import open_tables

        return open_tables(self.facts, self.client)

    def now(self) -> dt.datetime:
        """The stack's moment; that of its last run where it has no clock that can be asked."""
        if self.clock is not None:
            return self.clock()
        return self.ledger.head().last_run or real_time()

    def invoke(self, function: str, payload: bytes) -> Reply:
        """Call a function and wait for its reply."""
        reply = self.client("lambda").invoke(FunctionName=self.facts[function], Payload=payload)
        return Reply(json.loads(reply["Payload"].read() or b"null"), reply.get("FunctionError"))

    def ask(self, request: Mapping[str, object]) -> None:
        """Have the fetcher asked for a run, as the schedule does. Raises Problem where nothing runs it."""
        if self.kept:
            raise Problem(
                "A kept state has no sources, and nobody to run it.",
                "Nothing was changed.",
                "Start it: python -m local up; then try again from another terminal.",
                CONFIGURATION,
            )
        payload = json.dumps(request).encode()
        self.client("lambda").invoke(
            FunctionName=self.facts["fetcher"], InvocationType="Event", Payload=payload
        )

    def subscriptions(self, topic: str) -> Iterator[Any]:
        """Who subscribes to a topic, by its name among the facts."""
        pages = self.client("sns").get_paginator("list_subscriptions_by_topic")
        for page in pages.paginate(TopicArn=self.facts[topic]):
            yield from page["Subscriptions"]


def real_time() -> dt.datetime:
    """This machine's time, which is an operator's now."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251 the only clock of the commands
