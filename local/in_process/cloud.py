"""The in-process cloud, which can be kept as it is and taken back to that."""

import copy
import datetime as dt
import json
from dataclasses import dataclass, field, replace
from itertools import chain, repeat, zip_longest
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.kinesis.models import kinesis_backends
from moto.s3.models import s3_backends

from local.aws.sessions import REGION
from local.clock import Clock
from local.cloud import LocalCloud
from local.in_process.wire import Wire
from local.lambdas.runtime import Invocation
from local.mapping.mapping import Mapping
from local.sources.publisher import Publisher
from local.timestream.table import Table

START = dt.datetime(2020, 3, 10, 12, tzinfo=dt.UTC)
NO_ROWS: tuple[dict[Any, Any], list[Any]] = ({}, [])


@dataclass(frozen=True)
class Kept:
    """A cloud at rest, with nothing under way. What it holds is shared with no cloud."""

    moment: dt.datetime = START
    items: dict[str, Any] = field(default_factory=dict)  # of DynamoDB, by table
    objects: dict[str, list[tuple[str, Any]]] = field(default_factory=dict)  # of S3, by bucket
    records: list[dict[int, Any]] = field(default_factory=list)  # of Kinesis, by shard
    # Of Timestream, by table: newest, and not yet seen.
    rows: list[tuple[dict[Any, Any], list[Any]]] = field(default_factory=list)
    shards: list[dict[str, dict[str, Any]]] = field(default_factory=list)  # how far each mapping has come
    delivered: dict[str, dict[str, Any]] = field(default_factory=dict)
    publications: list[Any] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    serial: int = 0


class InProcessCloud(LocalCloud):
    """``again`` empties it for the next case, ``again(kept)`` takes it back to what it was: either is quicker
    than another one."""

    def __init__(self, clock: Clock, config: dict[str, str], wire: Wire, publisher: Publisher) -> None:
        self.wire, self.publisher = wire, publisher
        self._clients: dict[str, Any] = {}
        self.delivered: dict[str, dict[str, Any]] = {}  # records by sequence number, in Lambda's form
        self.window_seconds: int | None = None  # of its mappings; None: as the stack says
        self.reached: dict[Any, Any] = {}  # what was kept, by the name that its keeper gave it
        wire.cloud = self
        super().__init__(clock, config)
        self.runtime.wire = wire  # type: ignore[attr-defined]
        self.mappings = self.fresh_mappings()

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.wire.client(service)
        return self._clients[service]

    def again(self, kept: Kept | None = None) -> None:
        """Empty, at START; or as it was kept. The publisher's files are left as they are."""
        kept = kept or Kept()
        self.clock.begin(kept.moment)
        emulator = self.emulator
        emulator.publications[:] = kept.publications
        emulator.before.clear()
        emulator.calls.clear()
        for name, table in _tables().items():
            table.items.clear()
            table.items.update(copy.deepcopy(kept.items.get(name, {})))
        for name, bucket in _buckets().items():
            for key in list(bucket.keys):
                del bucket.keys[key]
            for key, found in kept.objects.get(name, []):
                bucket.keys[key] = found
        for shard, records in zip_longest(_shards(), kept.records):
            shard.records.clear()
            shard.records.update(records or {})
        for table, (entries, pending) in zip(
            self._timestream(), chain(kept.rows, repeat(NO_ROWS)), strict=False
        ):
            _fill(table, entries, pending)
        self.wire.intercept, self.wire.handler, self.wire.calls = None, "", 0
        self.wire.asked[:] = kept.asked
        self.delivered = dict(kept.delivered)
        runtime: Any = self.runtime
        runtime.reset()
        runtime.after.clear()
        runtime.serial = kept.serial
        self.mappings = self.fresh_mappings()
        for mapping, shards in zip(self.mappings, kept.shards, strict=False):
            mapping._discover()
            for name, state in shards.items():
                vars(mapping._shards[name]).update(_copied(state))

    def kept(self) -> Kept:
        """As it is now. Raises RuntimeError where something is still under way."""
        if self.runtime.next_moment is not None or any(mapping.pending for mapping in self.mappings):
            raise RuntimeError("something is still under way")
        runtime: Any = self.runtime
        return Kept(
            moment=self.clock.now(),
            items={name: copy.deepcopy(dict(table.items)) for name, table in _tables().items()},
            objects={name: list(bucket.keys.items()) for name, bucket in _buckets().items()},
            records=[dict(shard.records) for shard in _shards()],
            rows=[(dict(table.entries), list(table.pending)) for table in self._timestream()],
            shards=[
                {name: _copied(vars(shard)) for name, shard in mapping._shards.items()}
                for mapping in self.mappings
            ],
            delivered=dict(self.delivered),
            publications=list(self.emulator.publications),
            asked=list(self.wire.asked),
            serial=runtime.serial,
        )

    def fresh_mappings(self) -> list[Mapping]:
        """As after a restart of the service: each shard is read from its oldest record."""
        configs = self.stack.mappings
        if self.window_seconds is not None:
            configs = [replace(config, window_seconds=self.window_seconds) for config in configs]
        return [
            Mapping(config, self.client("kinesis"), self._hand_over, self.clock, self._publish)
            for config in configs
        ]

    def _hand_over(self, function: str, payload: bytes) -> Invocation:
        for record in json.loads(payload)["Records"]:
            self.delivered.setdefault(record["kinesis"]["sequenceNumber"], record)
        return self.runtime.invoke(function, payload)

    def _timestream(self) -> list[Table]:
        return list(self.emulator.timestream._tables.values())


def _fill(table: Table, entries: dict[Any, Any], pending: list[Any]) -> None:
    table.connection.execute(f"DELETE FROM {table.rows}")  # noqa: S608 the name is the emulator's own
    table.entries = dict(entries)
    unseen = {number for _, number, _ in pending}
    seen = [(START, *entry) for entry in entries.values() if entry[0] not in unseen]
    table.pending = [*seen, *pending]


def _tables() -> dict[str, Any]:
    return dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables


def _buckets() -> dict[str, Any]:
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets


def _shards() -> list[Any]:
    return [
        shard
        for stream in kinesis_backends[DEFAULT_ACCOUNT_ID][REGION].streams.values()
        for shard in stream.shards.values()
    ]


def _copied(shard: dict[str, Any]) -> dict[str, Any]:
    """How far a mapping has come in a shard; what it works with is another's."""
    return {
        name: copy.copy(value)
        for name, value in shard.items()
        if name not in {"_around", "_config", "parents"}
    }
