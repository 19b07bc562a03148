"""What moto does otherwise than AWS, or too slowly: a function each, giving (owner, name, replacement).

`unittest.mock` asserts that what is replaced exists, so that a new version of moto fails loudly.
"""

from __future__ import annotations

import bisect
import copy
import functools
import itertools
import json
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import moto.backends
import moto.dynamodb.models
import moto.kinesis.models
import moto.s3.models
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler
from moto.kinesis.exceptions import InvalidArgumentError
from moto.kinesis.models import KinesisBackend, Record, Shard, Stream
from moto.kinesis.utils import decompose_shard_iterator
from moto.sns.exceptions import SNSInvalidParameter
from moto.sns.models import Topic

from local.aws.publication import Publication
from local.stack.rules import subject_problem

if TYPE_CHECKING:
    from local.aws.emulator import Emulator

# Like AWS's: 56 digits, rising, with gaps. Whoever adds 1 to one, or takes it for a small number, is found.
FIRST_SEQUENCE_NUMBER = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898
SEQUENCE_STEP = 1_208_925_819_614_629_174_706_177
MAX_RECORDS_PER_GET = 10_000  # Kinesis GetRecords
MAX_TOKENS = 1_000  # of transactions; AWS remembers each for ten minutes

Patch = tuple[Any, str, Any]  # owner, name, replacement


def patches(emulator: Emulator) -> Iterator[Patch]:
    """Each of this module, made one after the other: some wrap what an earlier one replaced."""
    for patch in (
        services, clock, shards, records, iterators, transactions_once, transactions_of_items, items,
        messages, functions,
    ):  # fmt: skip
        yield from patch(emulator)


def services(_emulator: Emulator) -> Iterator[Patch]:
    """moto reads its own folder for each request: a tenth of its time."""
    known = frozenset(moto.backends.list_of_moto_modules())
    yield moto.backends, "list_of_moto_modules", lambda: known


def clock(emulator: Emulator) -> Iterator[Patch]:
    """Times of records and objects are of the emulator's clock."""

    def now() -> datetime:
        moment = emulator.clock.now().astimezone(UTC).replace(tzinfo=None)  # moto's times are naive
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)  # AWS's have milliseconds

    yield moto.kinesis.models, "utcnow", now
    yield moto.s3.models, "utcnow", now


def shards(_emulator: Emulator) -> Iterator[Patch]:
    """moto goes on putting into a shard that was split, calls docker for each record of a mapped stream, and
    keeps a CloudWatch datum of each call for ever."""
    shard_for_key = Stream.get_shard_for_key

    def open_shard_for_key(stream: Stream, partition_key: str, explicit_hash_key: str) -> Shard | None:
        listed: Any = SimpleNamespace(
            shards={name: shard for name, shard in stream.shards.items() if shard.is_open}
        )
        return shard_for_key(listed, partition_key, explicit_hash_key)

    yield Stream, "get_shard_for_key", open_shard_for_key
    yield LambdaBackend, "send_kinesis_message", lambda *_arguments, **_named: None
    yield KinesisBackend, "_send_stream_metrics", lambda *_arguments, **_named: None


def records(emulator: Emulator) -> Iterator[Patch]:
    """Sequence numbers like AWS's, each of one shard; retention; and reading that doesn't go through all
    records from the first on."""
    numbers = itertools.count(FIRST_SEQUENCE_NUMBER, SEQUENCE_STEP)
    emulator.shard_of.clear()

    def put_record(shard: Shard, partition_key: str, data: str, explicit_hash_key: str) -> str:
        number = next(numbers)
        emulator.shard_of[number] = shard.shard_id
        record: Any = Record(partition_key, data, number, explicit_hash_key)
        shard.records[number] = record
        return str(number)

    get_records = KinesisBackend.get_records

    def kept_records(
        backend: KinesisBackend, stream_arn: str | None, shard_iterator: str, limit: int | None
    ) -> Any:
        name, shard_id, _ = decompose_shard_iterator(shard_iterator)
        stream = backend.describe_stream(stream_arn=stream_arn, stream_name=name)
        oldest = emulator.clock.now() - timedelta(hours=stream.retention_period_hours)
        _trim(stream.get_shard(shard_id), oldest)
        return get_records(backend, stream_arn, shard_iterator, limit)

    yield Shard, "put_record", put_record
    yield Shard, "get_records", _get_records
    yield Shard, "get_min_sequence_number", lambda shard: next(iter(shard.records), FIRST_SEQUENCE_NUMBER)
    yield Shard, "get_max_sequence_number", lambda shard: next(reversed(shard.records), 0)
    yield KinesisBackend, "get_records", kept_records


def iterators(emulator: Emulator) -> Iterator[Patch]:
    """moto takes a number of another shard and a moment that is yet to come, which AWS refuses
    (GetShardIterator, InvalidArgumentException), and fails where the stream is given by its ARN:
    getmoto/moto#5889."""
    get_shard_iterator = KinesisBackend.get_shard_iterator

    def iterator(
        backend: KinesisBackend,
        stream_arn: str | None,
        stream_name: str | None,
        shard_id: str,
        shard_iterator_type: str,
        starting_sequence_number: Any,
        at_timestamp: Any,
    ) -> str:
        number = starting_sequence_number
        if number and str(number).isdecimal() and emulator.shard_of.get(int(number), shard_id) != shard_id:
            raise InvalidArgumentError(f"The sequence number {number} is not one of {shard_id}.")
        if at_timestamp is not None and float(at_timestamp) > emulator.clock.now().timestamp():
            raise InvalidArgumentError(f"The timestamp {at_timestamp} lies in the future.")
        stream = backend.describe_stream(stream_arn=stream_arn, stream_name=stream_name)
        place: Any = shard_id, shard_iterator_type, starting_sequence_number, at_timestamp
        return get_shard_iterator(backend, stream.arn, stream.stream_name, *place)

    yield KinesisBackend, "get_shard_iterator", iterator


def transactions_once(_emulator: Emulator) -> Iterator[Patch]:
    """A transaction that is sent again with its token isn't done again (TransactWriteItems,
    ClientRequestToken). moto does it, and its own conditions then refuse it."""
    replies: OrderedDict[str, tuple[Any, ActionResult]] = OrderedDict()
    respond = DynamoHandler.transact_write_items

    @functools.wraps(respond)
    def once(handler: DynamoHandler) -> ActionResult:
        token, items = handler.body.get("ClientRequestToken"), handler.body["TransactItems"]
        if token in replies:
            sent, reply = replies[token]
            if sent != items:
                raise JsonRESTError("IdempotentParameterMismatchException", "the token had other items")
            return reply
        reply = respond(handler)
        if token:
            replies[token] = copy.deepcopy(items), reply
            if len(replies) > MAX_TOKENS:
                replies.popitem(last=False)
        return reply

    yield DynamoHandler, "transact_write_items", once


def transactions_of_items(_emulator: Emulator) -> Iterator[Patch]:
    """moto copies whole tables so that it can take a transaction back; here only the items it touches."""

    def deepcopy(value: Any) -> Any:
        return value if isinstance(value, Table) else copy.deepcopy(value)

    transact_write_items = DynamoDBBackend.transact_write_items

    @functools.wraps(transact_write_items)
    def transact(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        restore = _snapshot(backend, transact_items)
        try:
            transact_write_items(backend, transact_items)
        except BaseException:
            restore()
            raise

    yield moto.dynamodb.models, "copy", SimpleNamespace(deepcopy=deepcopy)
    yield DynamoDBBackend, "transact_write_items", transact


def items(_emulator: Emulator) -> Iterator[Patch]:
    """moto looks for eleven types in each value of an item, which is in the wire's shape already. It was
    three quarters of its time in a day's run."""
    serialize = BaseJSONSerializer._serialize_type_structure

    @functools.wraps(serialize)
    def structure(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name == "AttributeValue" and type(value) is dict:
            serialized[key] = value
        else:
            serialize(serializer, serialized, value, shape, key)

    yield BaseJSONSerializer, "_serialize_type_structure", structure


def messages(emulator: Emulator) -> Iterator[Patch]:
    """Nothing is delivered by moto, neither by HTTP nor to a function: the emulator's listeners do that."""

    def publish(
        topic: Topic,
        message: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,  # noqa: ARG001 a parameter of moto's
        message_structure: str | None = None,
    ) -> str:
        if subject is not None and (problem := subject_problem(subject)):
            raise SNSInvalidParameter(f"Subject: {problem}")
        if message_structure == "json":
            _check_texts(message)
        subscriptions, _ = topic.sns_backend.list_subscriptions_by_topic(topic_arn=topic.arn)
        publication = Publication(
            topic.arn,
            str(uuid4()),
            subject,
            message,
            message_structure,
            emulator.clock.now(),
            tuple((subscription.protocol, subscription.endpoint) for subscription in subscriptions),
        )
        sent = (publication.message_id, message, subject, message_attributes, group_id)
        topic.sent_notifications.append(sent)
        emulator.take(publication)
        return publication.message_id

    yield Topic, "publish", publish


def functions(emulator: Emulator) -> Iterator[Patch]:
    """Functions run where the emulator's `invoke_function` says, and never in docker."""

    def invoke(
        backend: LambdaBackend,
        function_name: str,
        qualifier: str | None,
        body: str | bytes | None,
        headers: Any,
        response_headers: dict[str, str],
    ) -> bytes:
        function = backend.get_function(function_name, qualifier)
        kind = headers.get("X-Amz-Invocation-Type") or "RequestResponse"
        payload = body.encode() if isinstance(body, str) else body or b"{}"
        response, error = b"", None
        if kind != "DryRun":
            if emulator.invoke_function is None:
                raise RuntimeError(f"nothing is there to run {function.function_name}: set invoke_function")
            response, error = emulator.invoke_function(function.function_name, payload, kind == "Event")
        if kind == "Event":
            return b""
        if error is not None:
            response_headers["x-amz-function-error"] = error
        return response

    def never(function: LambdaFunction, *_arguments: Any, **_named: Any) -> None:
        raise AssertionError(f"moto wants docker for {function.function_name}")

    yield LambdaBackend, "invoke", invoke
    yield LambdaFunction, "_invoke_lambda", never


def _get_records(shard: Shard, last_sequence_id: str, limit: int | None) -> tuple[list[Record], int, int]:
    """As moto's, without going through all records from the first on."""
    order = list(shard.records)
    start = bisect.bisect_right(order, int(last_sequence_id))
    found = order[start : start + (limit or MAX_RECORDS_PER_GET)]
    if not found:
        return [], int(last_sequence_id), 0
    records = [shard.records[number] for number in found]
    behind = shard.records[order[-1]].created_at - records[-1].created_at
    return records, found[-1], int(behind * 1000)


def _trim(shard: Shard, oldest: datetime) -> None:
    """A record that the stream's retention has passed over is gone."""
    while shard.records:
        number, record = next(iter(shard.records.items()))
        if record.created_at >= oldest.timestamp():
            return
        del shard.records[number]


def _snapshot(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> Callable[[], None]:
    """Gives what puts a transaction's items, their order and their tables' streams back as they are now."""
    saved: dict[str, tuple[Table, Any, int]] = {}
    for _, operation in (next(iter(entry.items())) for entry in transact_items):
        try:
            table = backend.get_table(operation["TableName"])
            hash_key, range_key = backend.get_keys_value(table, operation.get("Key") or operation["Item"])
        except Exception:  # noqa: S112 moto refuses such an operation itself, before it writes
            continue
        events = len(table.stream_shard.items) if table.stream_shard else 0
        _, items, _ = saved.setdefault(table.name, (table, defaultdict(dict, table.items), events))
        if range_key is None:
            if hash_key in items:
                items[hash_key] = copy.deepcopy(items[hash_key])
            continue
        if items.get(hash_key) is table.items.get(hash_key):
            items[hash_key] = dict(items.get(hash_key, {}))
        if range_key in items[hash_key]:
            items[hash_key][range_key] = copy.deepcopy(items[hash_key][range_key])

    def restore() -> None:
        for table, items, events in saved.values():
            table.items = items
            if table.stream_shard:
                del table.stream_shard.items[events:]

    return restore


def _check_texts(message: str) -> None:
    """Raises InvalidParameter, with the service's words."""
    try:
        texts = json.loads(message)
    except json.JSONDecodeError:
        texts = None
    if not isinstance(texts, dict):
        raise SNSInvalidParameter("Message Structure - JSON message body failed to parse")
    if not isinstance(texts.get("default"), str):
        raise SNSInvalidParameter("Message Structure - No default entry in JSON message body")
