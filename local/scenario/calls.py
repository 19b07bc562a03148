"""Which requests on the wire a scenario means: ``[HANDLER ]SERVICE:OPERATION``, or the same on any store."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import botocore.session

HANDLERS = ("fetcher", "consumer", "reporter", "ops")  # ``ops``: an operator's command
SERVICES = ("dynamodb", "kinesis", "lambda", "s3", "sns", "timestream-query", "timestream-write")
READS = {"GetItem", "BatchGetItem", "Query", "Scan"}
WRITES = {"TransactWriteItems", "BatchWriteItem", "PutItem", "UpdateItem", "DeleteItem"}


@dataclass(frozen=True)
class Request:
    """A request on the wire: whose it is, of which service (as it is signed for), what it asks and sends."""

    handler: str
    service: str
    operation: str
    path: str
    body: str

    @classmethod
    def of(cls, handler: str, operation: str, request: Any) -> "Request":
        scope = _text(request.headers["Authorization"]).partition("Credential=")[2].split("/")
        body: Any = request.body or b""
        body = body.read() if hasattr(body, "read") else body
        if hasattr(request.body, "seek"):
            request.body.seek(0)
        path = urlsplit(request.url).path
        return cls(handler, scope[3], operation, path, _text(body))

    def holds(self, text: str) -> bool:
        """Whether the text stands in what is sent, or where it is sent to."""
        return text in self.body or text in unquote_plus(self.body) or text in unquote_plus(self.path)

    @property
    def tables(self) -> set[str]:
        """The tables of DynamoDB that it is about."""
        if self.service != "dynamodb":
            return set()
        body = json.loads(self.body)
        parts = [next(iter(part.values())) for part in body.get("TransactItems", [])]
        named = {part["TableName"] for part in [body, *parts] if "TableName" in part}
        return named | set(body.get("RequestItems", ()))


Stack = Mapping[str, Any]  # the stack's exports, by name


def _store(kinds: set[str], timestream: str) -> Callable[[Request, Stack], bool]:
    def matches(request: Request, stack: Stack) -> bool:
        if stack["store"] == "timestream":
            return request.service == "timestream" and request.operation == timestream
        tables = {stack["daily_table"], stack["revisions_table"]}
        return request.operation in kinds and bool(request.tables & tables)

    return matches


def _ledger(kinds: set[str]) -> Callable[[Request, Stack], bool]:
    return lambda request, stack: request.operation in kinds and stack["ledger_table"] in request.tables


def _archive(kinds: set[str]) -> Callable[[Request, Stack], bool]:
    def matches(request: Request, stack: Stack) -> bool:
        bucket = request.path.lstrip("/").partition("/")[0]
        return request.operation in kinds and bucket == stack["archive_bucket"]

    return matches


ON_ANY_STORE = {
    "store:write": _store(WRITES, "WriteRecords"),
    "store:read": _store(READS, "Query"),
    "ledger:commit": _ledger({"TransactWriteItems"}),
    "ledger:read": _ledger(READS),
    "archive:put": _archive({"PutObject"}),
    "archive:read": _archive({"GetObject", "HeadObject", "ListObjectsV2"}),
}


@dataclass(frozen=True)
class Call:
    """A kind of request. ``handler`` is empty for any."""

    handler: str
    what: str  # SERVICE:OPERATION, or a name of ON_ANY_STORE

    def __str__(self) -> str:
        return f"{self.handler} {self.what}".lstrip()

    def matches(self, request: Request, stack: Stack) -> bool:
        if self.handler not in ("", request.handler):
            return False
        if self.what in ON_ANY_STORE:
            return ON_ANY_STORE[self.what](request, stack)
        service, _, operation = self.what.partition(":")
        return service.partition("-")[0] == request.service and operation == request.operation


def call(text: str) -> Call:
    """Raises ValueError for what no handler can ask for."""
    *handlers, what = text.split()
    if len(handlers) > 1 or (handlers and handlers[0] not in HANDLERS):
        raise ValueError(f"unknown call {text!r}: the handlers are {', '.join(HANDLERS)}")
    service, _, operation = what.partition(":")
    if what not in ON_ANY_STORE:
        if service not in SERVICES:
            places = ", ".join((*ON_ANY_STORE, *SERVICES))
            raise ValueError(f"unknown call {text!r}: there are {places} with an operation")
        if operation not in _operations(service):
            raise ValueError(f"unknown call {text!r}: {service} has no operation {operation!r}")
    return Call("".join(handlers), what)


@cache
def _operations(service: str) -> frozenset[str]:
    return frozenset(botocore.session.get_session().get_service_model(service).operation_names)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
