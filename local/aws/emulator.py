"""AWS on loopback: moto's server with Timestream replaced, on the local cloud's clock.

Every patch of moto is in this file, and each asserts that what it patches exists. Clients need nothing but
`Emulator.environment()`; nothing here leaves the machine.
"""

from __future__ import annotations

import bisect
import copy
import functools
import itertools
import json
import os
import threading
import time
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from types import SimpleNamespace, TracebackType
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import moto.backends
import moto.dynamodb.models
import moto.kinesis.models
import moto.s3.models
import moto.sns.models
from botocore.config import Config
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.core.base_backend import BackendDict
from moto.core.exceptions import JsonRESTError
from moto.core.model_instances import reset_model_data
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler
from moto.kinesis.exceptions import InvalidArgumentError
from moto.kinesis.models import KinesisBackend, Record, Shard, Stream
from moto.kinesis.utils import decompose_shard_iterator
from moto.logs.models import logs_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from moto.sns.exceptions import SNSInvalidParameter
from moto.sns.models import Topic
from werkzeug.serving import ThreadedWSGIServer

from local.aws.loopback import LoopbackServer
from local.aws.sessions import NO_FILES, NO_PROXY, PROFILES, REGION, session
from local.clock import Clock
from local.stack.rules import subject_problem
from local.timestream.query import Queries
from local.timestream.records import ServiceError
from local.timestream.service import Timestream

TIMESTREAM_TARGET = "Timestream_20181101."
REJECTED_RECORDS_STATUS = 419  # seen in the service's own answers
# Like AWS's: 56 digits, rising, with gaps. Whoever adds 1 to one, or takes it for a small number, is found.
FIRST_SEQUENCE_NUMBER = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898
SEQUENCE_STEP = 1_208_925_819_614_629_174_706_177
STOP_SECONDS = 0.02  # how long stop() may wait for the server's loop
LOG_STREAM = "local"
MAX_LOG_LINES = 10_000  # of each function
MAX_RECORDS_PER_GET = 10_000  # Kinesis GetRecords
MAX_TOKENS = 1_000  # of transactions; AWS remembers each for ten minutes

_one_at_a_time = threading.Lock()
InvokeFunction = Callable[[str, bytes, bool], tuple[bytes, str | None]]
Application = Callable[..., Iterable[bytes]]  # WSGI's
Before = Callable[[], str | None]  # gives the error to answer with; None: the call goes on


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


class Emulator:
    """One at a time in a process.

    `invoke_function(name, payload, asynchronous)` gives the response, and "Unhandled" where it failed.
    """

    def __init__(
        self,
        clock: Clock | None = None,
        invoke_function: InvokeFunction | None = None,
        magnetic_visible_after: timedelta = timedelta(0),
        empty_first_page: bool = False,
    ) -> None:
        if not _one_at_a_time.acquire(blocking=False):
            raise RuntimeError("an emulator is already running in this process: moto's state is global")
        with ExitStack() as ends:  # an interrupt in between undoes what was patched
            ends.callback(_one_at_a_time.release)
            self.clock = clock or Clock.real()
            self.invoke_function = invoke_function
            self.timestream = Timestream(self.clock, self.put_object, magnetic_visible_after)
            ends.callback(self.timestream.close)
            self.queries = Queries(self.timestream, empty_first_page)
            self.publications: list[Publication] = []
            self.before: dict[str, Before] = {}  # by operation: what comes before each of its calls
            self.calls: Counter[str] = Counter()  # by operation
            self._lock = threading.RLock()
            self._listeners: list[Callable[[Publication], None]] = []
            self._recorders: list[Callable[[str, dict[str, Any]], None]] = []
            self._patches = _Patches()
            ends.callback(self._patches.undo)
            self._patch()
            BackendDict.reset()
            reset_model_data()
            self.application = self._serve(DomainDispatcherApplication(create_backend_app))
            server = _Server("127.0.0.1", 0, self.application, _Handler)
            ends.callback(server.server_close)
            self.endpoint = self.timestream.endpoint = f"http://127.0.0.1:{server.port}"
            thread = threading.Thread(target=server.serve_forever, args=(STOP_SECONDS,), daemon=True)
            thread.start()
            ends.callback(thread.join)
            ends.callback(server.shutdown)
            self._ends = ends.pop_all()

    def stop(self) -> None:
        self._ends.close()

    def __enter__(self) -> Emulator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def on_publish(self, listener: Callable[[Publication], None]) -> None:
        """Called for every message published to a topic, in the request's thread, before it is answered."""
        self._listeners.append(listener)

    def on_call(self, recorder: Callable[[str, dict[str, Any]], None]) -> None:
        """Called with the operation and the WSGI request of every call, before it is answered."""
        self._recorders.append(recorder)

    def environment(self) -> dict[str, str]:
        """All that a client in another process needs, and what keeps it from looking elsewhere."""
        return NO_FILES | {
            "no_proxy": NO_PROXY,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def log(self, function: str, line: str) -> None:
        """A line of a function's log, at the real time: whoever reads it asks for the last ten minutes."""
        group = f"/aws/lambda/{function}"
        moment = int(time.time() * 1000)
        with self._lock:
            logs = logs_backends[DEFAULT_ACCOUNT_ID][REGION]
            if group not in logs.groups:
                logs.create_log_group(group, {})
                logs.create_log_stream(group, LOG_STREAM)
            stream = logs.groups[group].streams[LOG_STREAM]
            stream.put_log_events([{"timestamp": moment, "message": line}])
            del stream.events[:-MAX_LOG_LINES]

    def client(self, service: Any, **settings: Any) -> Any:
        """A boto3 client of the emulator, whatever this process's environment and profiles say."""
        config = Config(proxies={}).merge(settings.pop("config", Config()))
        return session().client(service, endpoint_url=self.endpoint, config=config, **settings)

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Put an object without a request."""
        with self._lock:
            s3_backends[DEFAULT_ACCOUNT_ID]["aws"].put_object(bucket, key, body)

    # Patches

    def _patch(self) -> None:
        self._patch_sessions()
        self._patch_services()
        self._patch_clock()
        self._patch_kinesis()
        self._patch_transactions()
        self._patch_items()
        self._patch_messages()
        self._patch_functions()

    def _serve(self, moto_app: DomainDispatcherApplication) -> Application:
        """Timestream by the stand-in, the rest by moto: one request after another, as moto isn't thread-safe.

        Lambda and SNS run hooks that may call other services, and stay outside the lock.
        """

        def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            def start_response(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
                """An answer bears the time of this clock."""
                dated = [(name, value) for name, value in headers if name.lower() != "date"]
                dated.append(("Date", format_datetime(self.clock.now(), usegmt=True)))
                return start(status, dated, *rest)

            asked = operation(environ)
            self.calls[asked] += 1
            for recorder in self._recorders:
                recorder(asked, environ)
            if before := self.before.get(asked):
                error = before()
                if error is not None:
                    start_response("400 Bad Request", [("Content-Type", "application/x-amz-json-1.0")])
                    return [json.dumps({"__type": error, "message": error}).encode()]
            if environ.get("HTTP_X_AMZ_TARGET", "").startswith(TIMESTREAM_TARGET):
                return self._serve_timestream(environ, start_response)
            authorization = environ.get("HTTP_AUTHORIZATION", "")
            if "/lambda/aws4_request" in authorization or "/sns/aws4_request" in authorization:
                return moto_app(environ, start_response)
            with self._lock:
                return list(moto_app(environ, start_response))

        return app

    def _serve_timestream(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        action = environ["HTTP_X_AMZ_TARGET"].removeprefix(TIMESTREAM_TARGET)
        request = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
        status = "200 OK"
        try:
            answer = (
                self.queries.query(request) if action == "Query" else self.timestream.handle(action, request)
            )
        except ServiceError as error:
            rejected = error.code == "RejectedRecordsException"
            status = f"{REJECTED_RECORDS_STATUS if rejected else 400} {error.code}"
            answer = {"__type": f"com.amazonaws.timestream.v20181101#{error.code}", "Message": error.message}
            answer |= error.extra
        body = json.dumps(answer).encode()
        headers = [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))]
        start_response(status, [*headers, ("x-amzn-RequestId", uuid4().hex.upper())])
        return [body]

    def _patch_services(self) -> None:
        """moto reads its own folder for each request: a tenth of its time."""
        services = frozenset(moto.backends.list_of_moto_modules())
        self._patches.replace(moto.backends, "list_of_moto_modules", lambda: services)

    def _patch_clock(self) -> None:
        def now() -> datetime:
            moment = self.clock.now().astimezone(UTC).replace(tzinfo=None)  # moto's times are naive
            return moment.replace(microsecond=moment.microsecond // 1000 * 1000)  # AWS's have milliseconds

        self._patches.replace(moto.kinesis.models, "utcnow", now)
        self._patches.replace(moto.s3.models, "utcnow", now)

    def _patch_kinesis(self) -> None:
        replace = self._patches.replace
        # The local cloud has its own event source mapping; moto's calls docker for every record.
        replace(LambdaBackend, "send_kinesis_message", lambda *_arguments, **_named: None)
        # A CloudWatch datum for every call would be kept for ever.
        replace(KinesisBackend, "_send_stream_metrics", lambda *_arguments, **_named: None)
        numbers = itertools.count(FIRST_SEQUENCE_NUMBER, SEQUENCE_STEP)
        owners: dict[int, str] = {}  # sequence number → shard

        def put_record(shard: Shard, partition_key: str, data: str, explicit_hash_key: str) -> str:
            number = next(numbers)
            owners[number] = shard.shard_id
            record: Any = Record(partition_key, data, number, explicit_hash_key)
            shard.records[number] = record
            return str(number)

        shard_for_key = Stream.get_shard_for_key

        def open_shard_for_key(stream: Stream, partition_key: str, explicit_hash_key: str) -> Shard | None:
            # moto goes on putting into a shard that was split.
            listed: Any = SimpleNamespace(
                shards={name: shard for name, shard in stream.shards.items() if shard.is_open}
            )
            return shard_for_key(listed, partition_key, explicit_hash_key)

        replace(Stream, "get_shard_for_key", open_shard_for_key)
        replace(Shard, "put_record", put_record)
        replace(Shard, "get_records", _get_records)
        replace(
            Shard, "get_min_sequence_number", lambda shard: next(iter(shard.records), FIRST_SEQUENCE_NUMBER)
        )
        replace(Shard, "get_max_sequence_number", lambda shard: next(reversed(shard.records), 0))
        get_shard_iterator, get_records = KinesisBackend.get_shard_iterator, KinesisBackend.get_records

        def iterator(
            backend: KinesisBackend,
            stream_arn: str | None,
            stream_name: str | None,
            shard_id: str,
            shard_iterator_type: str,
            starting_sequence_number: Any,
            at_timestamp: Any,
        ) -> str:
            # moto writes the name into the iterator, which is None when the stream was given by its ARN. AWS
            # refuses a number of another shard and a moment that is yet to come, and moto takes both:
            # GetShardIterator, InvalidArgumentException.
            number = starting_sequence_number
            if number and str(number).isdecimal() and owners.get(int(number), shard_id) != shard_id:
                raise InvalidArgumentError(f"The sequence number {number} is not one of {shard_id}.")
            if at_timestamp is not None and float(at_timestamp) > self.clock.now().timestamp():
                raise InvalidArgumentError(f"The timestamp {at_timestamp} lies in the future.")
            stream = backend.describe_stream(stream_arn=stream_arn, stream_name=stream_name)
            place: Any = shard_id, shard_iterator_type, starting_sequence_number, at_timestamp
            return get_shard_iterator(backend, stream.arn, stream.stream_name, *place)

        def kept_records(
            backend: KinesisBackend, stream_arn: str | None, shard_iterator: str, limit: int | None
        ) -> Any:
            name, shard_id, _ = decompose_shard_iterator(shard_iterator)
            stream = backend.describe_stream(stream_arn=stream_arn, stream_name=name)
            oldest = self.clock.now() - timedelta(hours=stream.retention_period_hours)
            _trim(stream.get_shard(shard_id), oldest)
            return get_records(backend, stream_arn, shard_iterator, limit)

        replace(KinesisBackend, "get_shard_iterator", iterator)
        replace(KinesisBackend, "get_records", kept_records)

    def _patch_transactions(self) -> None:
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

        answered: OrderedDict[str, tuple[Any, ActionResult]] = OrderedDict()
        respond = DynamoHandler.transact_write_items

        @functools.wraps(respond)
        def once(handler: DynamoHandler) -> ActionResult:
            # A transaction that is sent again with its token is not done again: TransactWriteItems,
            # ClientRequestToken. moto does it, and its own conditions then refuse it.
            token, items = handler.body.get("ClientRequestToken"), handler.body["TransactItems"]
            if token in answered:
                sent, reply = answered[token]
                if sent != items:
                    raise JsonRESTError("IdempotentParameterMismatchException", "the token had other items")
                return reply
            reply = respond(handler)
            if token:
                answered[token] = copy.deepcopy(items), reply
                if len(answered) > MAX_TOKENS:
                    answered.popitem(last=False)
            return reply

        self._patches.replace(DynamoHandler, "transact_write_items", once)
        self._patches.replace(moto.dynamodb.models, "copy", SimpleNamespace(deepcopy=deepcopy))
        self._patches.replace(DynamoDBBackend, "transact_write_items", transact)

    def _patch_items(self) -> None:
        """moto looks for eleven types in each value of an item, which is in the wire's shape already. It was
        three quarters of its time in a day's run."""
        serialize = BaseJSONSerializer._serialize_type_structure

        @functools.wraps(serialize)
        def structure(serializer: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
            if shape.name == "AttributeValue" and type(value) is dict:
                serialized[key] = value
            else:
                serialize(serializer, serialized, value, shape, key)

        self._patches.replace(BaseJSONSerializer, "_serialize_type_structure", structure)

    def _patch_messages(self) -> None:
        def publish(
            topic: Topic,
            message: str,
            subject: str | None = None,
            message_attributes: dict[str, Any] | None = None,
            group_id: str | None = None,
            deduplication_id: str | None = None,  # noqa: ARG001
            message_structure: str | None = None,
        ) -> str:
            """Nothing is delivered from here, neither by HTTP nor to a function: the listeners do that."""
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
                self.clock.now(),
                tuple((subscription.protocol, subscription.endpoint) for subscription in subscriptions),
            )
            sent = (publication.message_id, message, subject, message_attributes, group_id)
            topic.sent_notifications.append(sent)
            self.publications.append(publication)
            for listener in self._listeners:
                listener(publication)
            return publication.message_id

        self._patches.replace(Topic, "publish", publish)

    def _patch_sessions(self) -> None:
        """moto makes sessions in many places, and each would read the user's profile: getmoto/moto#5469."""
        for name in (*PROFILES, *NO_FILES):
            self._patches.set_variable(name, NO_FILES.get(name))

    def _patch_functions(self) -> None:
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
                if self.invoke_function is None:
                    raise RuntimeError(
                        f"nothing is there to run {function.function_name}: set invoke_function"
                    )
                response, error = self.invoke_function(function.function_name, payload, kind == "Event")
            if kind == "Event":
                return b""
            if error is not None:
                response_headers["x-amz-function-error"] = error
            return response

        def never(function: LambdaFunction, *_arguments: Any, **_named: Any) -> None:
            raise AssertionError(f"moto wants docker for {function.function_name}")

        self._patches.replace(LambdaBackend, "invoke", invoke)
        self._patches.replace(LambdaFunction, "_invoke_lambda", never)


def operation(environ: dict[str, Any]) -> str:
    """What a request asks for: WriteRecords, TransactWriteItems, Publish, PutObject …"""
    if target := environ.get("HTTP_X_AMZ_TARGET"):
        return target.rpartition(".")[2]
    if "/s3/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
        return f"{environ['REQUEST_METHOD'].capitalize()}Object"
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    return parse_qs(body.decode("latin-1")).get("Action", [""])[0]


class _Server(LoopbackServer, ThreadedWSGIServer):
    """A thread for each connection."""


class _Handler(MotoRequestHandler):
    def send_response(self, code: int, message: str | None = None) -> None:
        """The status alone: http.server would add the machine's own date."""
        self.send_response_only(code, message)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """No line for each request."""


class _Patches:
    """What was replaced, so that it can be put back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, new: Any) -> None:
        assert hasattr(owner, name), f"{owner} has no {name} any more"  # noqa: S101
        if name in vars(owner):
            self._undo.append(functools.partial(setattr, owner, name, vars(owner)[name]))
        else:
            self._undo.append(functools.partial(delattr, owner, name))
        setattr(owner, name, new)

    def set_variable(self, name: str, value: str | None) -> None:
        """Of this process's environment; None removes it."""
        before = os.environ.get(name)
        self._undo.append(functools.partial(_set_variable, name, before))
        _set_variable(name, value)

    def undo(self) -> None:
        while self._undo:
            self._undo.pop()()


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


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
