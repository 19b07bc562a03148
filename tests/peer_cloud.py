"""The local cloud with another engine in the place of moto for one service."""

import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import urllib3

import local.cloud
from local.aws.emulator import Application, Emulator
from local.clock import Clock
from local.in_process import InProcessCloud, in_process

Ask = Callable[[str, Any], tuple[int, Any]]  # an operation and its request → status and reply
Service = Callable[["PeerEmulator", str, Any, Ask], tuple[int, Any]]  # the last is moto
JSON = {"dynamodb": "application/x-amz-json-1.0", "kinesis": "application/x-amz-json-1.1"}
POOL = urllib3.PoolManager(maxsize=4)


class PeerEmulator(Emulator):
    """The emulator, with these services in the place of moto's, by the names that they are signed for."""

    def __init__(self, clock: Clock, services: dict[str, Service]) -> None:
        self.services = services
        super().__init__(clock)

    def _serve(self, moto_app: Any) -> Application:
        def app(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
            scope = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].split("/")
            if len(scope) < 4 or scope[3] not in self.services:
                return moto_app(environ, start)
            request = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
            operation = environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2]

            def moto(_operation: str, asked: Any) -> tuple[int, Any]:
                return _answer_of(moto_app, environ, asked)

            status, reply = self.services[scope[3]](self, operation, request, moto)
            headers = [("Content-Type", JSON[scope[3]])]
            start(f"{status} {'OK' if status == 200 else 'Error'}", headers)
            return [json.dumps(reply).encode() if reply is not None else b""]

        return super()._serve(app)  # type: ignore[arg-type]


def _answer_of(application: Any, environ: dict[str, Any], request: Any) -> tuple[int, Any]:
    body = json.dumps(request).encode()
    statuses: list[str] = []
    given = {**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    reply = b"".join(application(given, lambda status, *_: statuses.append(status)))
    return int(statuses[0][:3]), json.loads(reply or b"null")


@contextmanager
def peer_cloud(services: dict[str, Service], store: str) -> Iterator[InProcessCloud]:
    """An in-process cloud whose calls to these services go to another engine."""
    module: Any = local.cloud
    replaced = module.Emulator
    module.Emulator = lambda clock: PeerEmulator(clock, services)
    try:
        with in_process(store=store) as cloud:
            yield cloud
    finally:
        module.Emulator = replaced


class Peer:
    """Another engine's endpoint, asked without an SDK."""

    def __init__(self, endpoint: str, service: str, target: str) -> None:
        self._endpoint, self._service, self._target = endpoint, service, target

    def ask(self, operation: str, request: Any) -> tuple[int, Any]:
        scope = f"local/20200310/us-east-1/{self._service}/aws4_request"
        headers = {
            "X-Amz-Target": f"{self._target}.{operation}",
            "X-Amz-Date": "20200310T120000Z",
            "Content-Type": JSON[self._service],
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        }
        reply = POOL.request(
            "POST", self._endpoint, body=json.dumps(request).encode(), headers=headers, retries=False
        )
        return reply.status, json.loads(reply.data) if reply.data else None


class Streams(Peer):
    """Kinesis by another engine. It has the time of this machine: what arrived when, and what is asked by a
    moment, is put on the cloud's clock. ``knows_arns``: whether it takes a stream's ARN for its name."""

    def __init__(self, endpoint: str, knows_arns: bool) -> None:
        super().__init__(endpoint, "kinesis", "Kinesis_20131202")
        self._knows_arns = knows_arns
        self._arrived: dict[str, float] = {}
        self.asked: defaultdict[str, int] = defaultdict(int)  # how often, by operation

    def __call__(self, emulator: PeerEmulator, operation: str, request: Any, _moto: Ask) -> tuple[int, Any]:
        self.asked[operation] += 1
        if not self._knows_arns and "StreamARN" in request:
            request["StreamName"] = request.pop("StreamARN").rpartition("/")[2]
        status, reply = self.ask(operation, request)
        if status == 200 and operation in ("PutRecord", "PutRecords"):
            for record in reply.get("Records", [reply]):
                self._arrived[record["SequenceNumber"]] = emulator.clock.now().timestamp()
        if status == 200 and operation == "GetRecords":
            for record in reply["Records"]:
                record["ApproximateArrivalTimestamp"] = self._arrived[record["SequenceNumber"]]
        return status, reply


class Items(Peer):
    """DynamoDB by another engine. moto is asked the same, as the watch and a step that begins anew look into
    its memory: where the two answer differently, that is a difference. The engine has no TransactWriteItems:
    its parts are done one after another, and taken back where a condition of one fails."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint, "dynamodb", "DynamoDB_20120810")
        self.differences: list[str] = []
        self.asked: defaultdict[str, int] = defaultdict(int)
        self._keys: dict[str, list[str]] = {}

    def __call__(self, _emulator: PeerEmulator, operation: str, request: Any, moto: Ask) -> tuple[int, Any]:
        self.asked[operation] += 1
        by_moto = moto(operation, request)
        if operation == "TransactWriteItems":
            by_peer = self._transact(request["TransactItems"])
        else:
            by_peer = self.ask(operation, request)
        if operation == "CreateTable":
            self._keys[request["TableName"]] = [key["AttributeName"] for key in request["KeySchema"]]
            return by_moto
        ours, others = (_compared(operation, *answer) for answer in (by_moto, by_peer))
        if ours != others:
            self.differences.append(f"{operation} {request}:\n  moto {ours}\n  peer {others}")
        return by_peer

    def _transact(self, parts: list[dict[str, Any]]) -> tuple[int, Any]:
        before = [self._item(*next(iter(part.items()))) for part in parts]
        answers = [self.ask(f"{kind}Item", part) for given in parts for kind, part in given.items()]
        if all(status == 200 for status, _ in answers):
            return 200, {}
        for table, key, item in before:
            if item is None:
                self.ask("DeleteItem", {"TableName": table, "Key": key})
            else:
                self.ask("PutItem", {"TableName": table, "Item": item})
        kinds = [_error(reply) if status != 200 else "None" for status, reply in answers]
        reasons = [{"Code": kind.removesuffix("Exception")} for kind in kinds]
        name = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
        return 400, {"__type": name, "message": str(reasons), "CancellationReasons": reasons}

    def _item(self, kind: str, part: dict[str, Any]) -> tuple[str, Any, Any]:
        """A part's table and key, and the item that is there."""
        table = part["TableName"]
        key = part["Key"] if kind != "Put" else {name: part["Item"][name] for name in self._keys[table]}
        _, reply = self.ask("GetItem", {"TableName": table, "Key": key, "ConsistentRead": True})
        return table, key, reply.get("Item")


def _error(reply: Any) -> str:
    return reply["__type"].rpartition("#")[2]


def _compared(operation: str, status: int, reply: Any) -> Any:
    """What two engines must agree on. The order of a batch's or a scan's items is nobody's promise."""
    if status != 200:
        reasons = [reason["Code"] for reason in reply.get("CancellationReasons", [])]
        return status, _error(reply), reasons
    shown = {
        name: reply[name]
        for name in ("Item", "Items", "Attributes", "LastEvaluatedKey", "Responses", "UnprocessedKeys")
        if reply.get(name)
    }
    return _sorted(shown, ordered=operation == "Query")


def _sorted(value: Any, ordered: bool = False) -> Any:
    """Sets and, but for a query's answer, lists of items in one order."""
    if isinstance(value, dict):
        return {
            name: sorted(part) if name == "SS" else _sorted(part, ordered) for name, part in value.items()
        }
    if isinstance(value, list):
        parts = [_sorted(part, ordered) for part in value]
        return parts if ordered else sorted(parts, key=lambda part: json.dumps(part, sort_keys=True))
    return value
