"""The event source mapping of a Kinesis stream and a function, by the rules that Lambda documents."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from local.clock import Clock
from local.mapping.batch import StreamRecord
from local.mapping.shard import UNLIMITED, Around, Counts, Invoke, OnFailure, Shard
from local.stack.definitions import LocalMapping

POLL_SECONDS = 1.0  # Lambda developer guide: shards are polled at a base rate of once a second

_log = logging.getLogger(__name__)


class Mapping:
    """Reads each shard from its oldest record on, in order; how far it has come is in memory only.

    `invoke(function name, payload)` gives the function's answer, `on_failure(topic ARN, message)` gets what
    is given up.
    """

    def __init__(
        self,
        config: LocalMapping,
        kinesis_client: Any,
        invoke: Invoke,
        clock: Clock,
        on_failure: OnFailure | None = None,
    ) -> None:
        self._config = config
        self._kinesis = kinesis_client
        self._invoke = invoke
        self._clock = clock
        self._on_failure = on_failure
        self._around: Around | None = None
        self._shards: dict[str, Shard] = {}
        self._next_moment: datetime | None = None
        self._working = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def pending(self) -> int:
        """Records that were read and that the function hasn't accepted yet."""
        return sum(shard.pending for shard in list(self._shards.values()))

    @property
    def next_moment(self) -> datetime | None:
        """When what the last `drain` left waiting is to be tried; None when it left nothing."""
        return self._next_moment

    def drain(self, until: datetime | None = None) -> Counts:
        """Works until every shard is empty, or, with `until`, until nothing is left to do by then.

        Waits (batching window, backoff) pass on the clock. What waits for a moment after `until` is kept, and
        tried by the first `drain` at or after that moment.
        """
        with self._working:
            before = self._counts()
            self._discover()
            while not self._stopped.is_set():
                self._next_moment = moment = min(self._step(), default=None)
                if moment is None:
                    break
                if (seconds := (moment - self._clock.now()).total_seconds()) > 0:
                    if until is not None and moment > until:
                        break
                    self._wait(seconds)
            return self._counts() - before

    @property
    def busy(self) -> bool:
        """Whether a `drain` is under way: a shard has one batch at a time."""
        return self._working.locked()

    def abandon(self) -> None:
        """Begin nothing more: another one has taken its place. For one without a thread."""
        self._stopped.set()

    def deliver(self, records: Sequence[StreamRecord]) -> None:
        """Have the function get these records once more, after what it is to get before."""
        self._discover()
        first = next(iter(self._shards.values()))
        size = self._config.batch_size
        for start in range(0, len(records), size):
            first.deliver(records[start : start + size])

    def start(self) -> None:
        """Polls in a thread, until `stop`."""
        self._thread = threading.Thread(target=self._poll, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns when a running invocation is over. `start` and `drain` go on with what is pending."""
        self._stopped.set()
        if self._thread:
            self._thread.join()
            self._thread = None
        self._stopped.clear()

    def _poll(self) -> None:
        while not self._stopped.is_set():
            try:
                self.drain()
            except Exception:
                if not self._stopped.is_set():
                    _log.exception("polling %s", self._config.stream_arn)
            self._stopped.wait(POLL_SECONDS)

    def _wait(self, seconds: float) -> None:
        if self._clock.is_virtual:
            self._clock.sleep(seconds)
        else:  # in parts, as a batching window also ends when the batch is full
            self._stopped.wait(min(seconds, POLL_SECONDS))

    def _counts(self) -> Counts:
        return sum((shard.counts for shard in self._shards.values()), Counts())

    def _step(self) -> list[datetime]:
        """One step of each shard whose parents are done with; the moments at which there is more to do."""
        open_shards = {shard.id: shard for shard in self._shards.values() if not shard.finished}
        ready = [shard for shard in open_shards.values() if not shard.parents & open_shards.keys()]
        moments = [shard.step() for shard in ready]
        if any(shard.finished for shard in ready):
            self._discover()
            moments.append(self._clock.now())  # for the children
        return [moment for moment in moments if moment is not None]

    def _discover(self) -> None:
        if self._around is None:
            self._around = Around(
                self._config, self._kinesis, self._invoke, self._clock, self._on_failure, self._max_age()
            )
        for listed in self._list_shards():
            if listed["ShardId"] in self._shards:
                self._shards[listed["ShardId"]].update(listed)
            else:
                self._shards[listed["ShardId"]] = Shard(listed, self._around)

    def _max_age(self) -> timedelta:
        summary = self._kinesis.describe_stream_summary(StreamARN=self._config.stream_arn)
        retention = timedelta(hours=summary["StreamDescriptionSummary"]["RetentionPeriodHours"])
        limit = self._config.max_record_age_seconds
        return retention if limit == UNLIMITED else min(timedelta(seconds=limit), retention)

    def _list_shards(self) -> Iterable[dict[str, Any]]:
        answer = self._kinesis.list_shards(StreamARN=self._config.stream_arn)
        yield from answer["Shards"]
        while token := answer.get("NextToken"):
            answer = self._kinesis.list_shards(NextToken=token)
            yield from answer["Shards"]
