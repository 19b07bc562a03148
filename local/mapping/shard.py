"""One shard of a mapping's stream: read in order, each batch tried until it is done with or given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import ClientError

from local.clock import Clock
from local.mapping.batch import (
    RECORD_AGE_EXCEEDED,
    WHOLE_BATCH,
    Batch,
    StreamRecord,
    failure_message,
    first_failed,
    fitting,
    shape,
)
from local.stack.definitions import LocalMapping

RECORDS_PER_GET = 1_000
EMPTY_GETS = 10  # calls in a row for nothing: a shard that has records further on may answer with none
# AWS documents that it backs off between retries, but not how. Ours doubles from the first to the last.
FIRST_BACKOFF_SECONDS = 1
MAX_BACKOFF_SECONDS = 60
UNLIMITED = -1

OnFailure = Callable[[str, dict[str, Any]], None]


class Answer(Protocol):
    @property
    def request_id(self) -> str: ...
    @property
    def response(self) -> bytes: ...
    @property
    def error(self) -> str | None: ...


Invoke = Callable[[str, bytes], Answer]


@dataclass
class Counts:
    """`done` records were accepted by the function, `discarded` ones given up; the others count batches."""

    invocations: int = 0
    retries: int = 0
    splits: int = 0
    done: int = 0
    discarded: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: value + getattr(other, name) for name, value in vars(self).items()})

    def __sub__(self, other: Counts) -> Counts:
        return Counts(**{name: value - getattr(other, name) for name, value in vars(self).items()})


@dataclass(frozen=True)
class Around:
    """What all shards of a mapping share."""

    config: LocalMapping
    kinesis: Any
    invoke: Invoke
    clock: Clock
    on_failure: OnFailure | None
    max_age: timedelta  # the stream's retention, where the mapping sets no limit


class Shard:
    """`listed` is the shard as ListShards gives it. What has been read stays here until it is done with."""

    def __init__(self, listed: dict[str, Any], around: Around) -> None:
        self.id: str = listed["ShardId"]
        self.parents = {listed.get("ParentShardId"), listed.get("AdjacentParentShardId")} - {None}
        self.counts = Counts()
        self._around = around
        self._config = around.config
        self._iterator: str | None = None
        self._position: str | None = None  # sequence number of the last record read
        self._ending = False
        self._closed = False
        self._read: list[StreamRecord] = []
        self._batches: list[Batch] = []
        self._window_ends: datetime | None = None
        self.update(listed)

    def update(self, listed: dict[str, Any]) -> None:
        """After a split or merge, no more records come to it."""
        self._ending = "EndingSequenceNumber" in listed["SequenceNumberRange"]

    @property
    def finished(self) -> bool:
        return self._closed and not self.pending

    @property
    def pending(self) -> int:
        return len(self._read) + sum(len(batch.records) for batch in self._batches)

    def deliver(self, records: Sequence[StreamRecord]) -> None:
        """Try these as a batch of their own, after those that are under way."""
        self._batches.append(Batch(tuple(records), self._around.clock.now()))

    def step(self) -> datetime | None:
        """Does the next thing there is to do, at most one invocation.

        Gives the moment at which there is more, None when there is nothing.
        """
        if not self._batches and (moment := self._gather()) is not None:
            return moment
        if not self._batches:
            return None
        now = self._around.clock.now()
        if self._batches[0].not_before > now:
            return self._batches[0].not_before
        self._batches[:1] = self._try(self._batches[0])
        return self._around.clock.now()

    # Reading

    def _gather(self) -> datetime | None:
        """Makes a batch, or says when the batching window ends."""
        self._fetch()
        if not self._read:
            return None
        now = self._around.clock.now()
        count = fitting(self._read, self._config.batch_size)
        full = count == self._config.batch_size or count < len(self._read) or self._closed
        if not full and self._window_ends is None:
            self._window_ends = now + timedelta(seconds=self._config.window_seconds)
        if not full and self._window_ends is not None and now < self._window_ends:
            return self._window_ends
        self._window_ends = None
        self._batches.append(Batch(tuple(self._read[:count]), now))
        del self._read[:count]
        return None

    def _fetch(self) -> None:
        empty = 0
        while len(self._read) < self._config.batch_size and not self._closed and empty < EMPTY_GETS:
            answer = self._get_records()
            records = answer["Records"]
            behind = bool(answer.get("MillisBehindLatest"))
            self._read += [shape(record, self.id, self._config) for record in records]
            if records:
                self._position = records[-1]["SequenceNumber"]
            self._iterator = answer.get("NextShardIterator")
            self._closed = self._iterator is None or (self._ending and not records and not behind)
            if not behind:
                return
            empty = 0 if records else empty + 1

    def _get_records(self) -> dict[str, Any]:
        kinesis = self._around.kinesis
        try:
            return kinesis.get_records(ShardIterator=self._iterator or self._renew(), Limit=RECORDS_PER_GET)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != "ExpiredIteratorException":
                raise
            return kinesis.get_records(ShardIterator=self._renew(), Limit=RECORDS_PER_GET)

    def _renew(self) -> str:
        place = {"ShardIteratorType": "TRIM_HORIZON"}
        if self._position is not None:
            place = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": self._position}
        stream = self._config.stream_arn
        answer = self._around.kinesis.get_shard_iterator(StreamARN=stream, ShardId=self.id, **place)
        return answer["ShardIterator"]

    # Trying

    def _try(self, batch: Batch) -> list[Batch]:
        """What of the batch is still to be done."""
        now = self._around.clock.now()
        expired = sum(now - record.arrived > self._around.max_age for record in batch.records)
        if expired:
            old, rest = batch.split(expired)
            self._give_up(old, RECORD_AGE_EXCEEDED)
            return [rest] if rest.records else []
        answer = self._around.invoke(self._config.function_name, batch.payload())
        self.counts.invocations += 1
        batch = replace(
            batch, invocations=batch.invocations + 1, request_id=answer.request_id, error=answer.error
        )
        failed = None
        if answer.error:
            failed = WHOLE_BATCH
        elif self._config.partial_response:
            failed = first_failed(answer.response, batch)
        if failed is None:
            self.counts.done += len(batch.records)
            return []
        return self._again(batch, failed)

    def _again(self, batch: Batch, failed: int) -> list[Batch]:
        """With bisecting, a batch is split where the function said, or else in the middle.

        The parts are tried at once: splitting is no retry. What a partial success leaves is a new batch.
        A batch whose first record is the one the function names can't be split there, and is retried.
        """
        size = len(batch.records)
        middle = failed == WHOLE_BATCH
        done, rest = batch.split(0 if middle else failed)
        self.counts.done += len(done.records)
        now = self._around.clock.now()
        if done.records:  # as AWS's answers show that LocalStack recorded in November 2025
            self.counts.splits += self._config.bisect
            return [replace(rest, retries=0, invocations=0)]
        if self._config.bisect and middle and size > 1:
            self.counts.splits += 1
            return list(rest.split(size // 2))
        if batch.retries >= self._config.max_retries != UNLIMITED:
            self._give_up(rest, "RetryAttemptsExhausted")
            return []
        self.counts.retries += 1
        wait = min(FIRST_BACKOFF_SECONDS * 2 ** min(batch.retries, 30), MAX_BACKOFF_SECONDS)
        return [replace(rest, retries=batch.retries + 1, not_before=now + timedelta(seconds=wait))]

    def _give_up(self, batch: Batch, condition: str) -> None:
        if self._config.on_failure_topic and self._around.on_failure:
            message = failure_message(batch, self._config, self.id, condition, self._around.clock.now())
            self._around.on_failure(self._config.on_failure_topic, message)
        self.counts.discarded += len(batch.records)
