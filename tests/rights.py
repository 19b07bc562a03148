"""What a call of AWS needs: the actions and resources that IAM would look for in the caller's policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

from local.aws.sessions import REGION
from local.stack.calls import ACCOUNT

CREDENTIAL = re.compile(r"Credential=([^/]+)/\d{8}/[^/]+/([^/]+)/")
TABLE = re.compile(r'FROM "([^"]+)"\."([^"]+)"')
# A transaction asks for the right to each of its parts.
PARTS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}


class UnknownCall(Exception):
    """Nobody has said yet what this call needs: do so in tests/rights.py."""


@dataclass(frozen=True)
class Call:
    """``caller`` is the access key; a function's is its name."""

    caller: str
    service: str
    operation: str
    rights: tuple[tuple[str, str], ...]  # action and ARN (of a listing with its prefix), each needed


def read_call(operation: str, environ: dict[str, Any]) -> Call:
    """The call in a request to the emulator. Raises UnknownCall."""
    found = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if found is None:
        raise UnknownCall(f"{operation}: nobody signed it")
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = BytesIO(body)
    caller, service = found.groups()
    return Call(caller, service, operation, tuple(_rights(service, operation, environ, body)))


def _rights(service: str, operation: str, environ: dict[str, Any], body: bytes) -> Iterator[tuple[str, str]]:
    match service:
        case "dynamodb":
            yield from _of_items(operation, json.loads(body))
        case "kinesis":
            asked = json.loads(body)
            arn = asked.get("StreamARN") or _arn("kinesis", f"stream/{asked['StreamName']}")
            yield f"kinesis:{operation}", arn
        case "s3":
            yield _of_objects(operation, environ)
        case "sns":
            yield f"sns:{operation}", parse_qs(body.decode())["TopicArn"][0]
        case "timestream" if operation == "DescribeEndpoints":
            yield "timestream:DescribeEndpoints", "*"
        case "timestream" if operation == "Query":
            for database, table in TABLE.findall(json.loads(body)["QueryString"]):
                yield "timestream:Select", _arn("timestream", f"database/{database}/table/{table}")
        case "timestream" if operation == "WriteRecords":
            asked = json.loads(body)
            path = f"database/{asked['DatabaseName']}/table/{asked['TableName']}"
            yield "timestream:WriteRecords", _arn("timestream", path)
        case _:
            raise UnknownCall(f"{service} {operation}")


def _of_items(operation: str, asked: dict[str, Any]) -> Iterator[tuple[str, str]]:
    match operation:
        case "TransactWriteItems":
            for part in asked["TransactItems"]:
                for kind, item in part.items():
                    yield f"dynamodb:{PARTS[kind]}", _arn("dynamodb", f"table/{item['TableName']}")
        case "BatchGetItem":
            for table in asked["RequestItems"]:
                yield "dynamodb:BatchGetItem", _arn("dynamodb", f"table/{table}")
        case _:
            yield f"dynamodb:{operation}", _arn("dynamodb", f"table/{asked['TableName']}")


def _of_objects(operation: str, environ: dict[str, Any]) -> tuple[str, str]:
    bucket, _, key = environ["PATH_INFO"].removeprefix("/").partition("/")
    asked = parse_qs(environ.get("QUERY_STRING", ""))
    if not key and "list-type" in asked:
        return "s3:ListBucket", listing(f"arn:aws:s3:::{bucket}", asked.get("prefix", [""])[0])
    if not key:
        raise UnknownCall(f"s3 {operation} {environ.get('QUERY_STRING')} of the bucket {bucket}")
    # HeadObject has no right of its own.
    return f"s3:{operation.replace('Head', 'Get')}", f"arn:aws:s3:::{bucket}/{key}"


def listing(bucket: str, prefix: str) -> str:
    """A bucket's ARN and the prefix of a listing, as one text: IAM has the latter in a condition."""
    return f"{bucket}, {prefix}"


def _arn(service: str, path: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{path}"
