"""AWS's services in the emulator, for tests of what leads to them; and clients that answer otherwise."""

import itertools
from functools import cache
from typing import Any

from botocore.exceptions import ClientError

from local.aws.emulator import Emulator

numbers = itertools.count(1)


class Services:
    """The clients of an emulator, each made once, and what a test needs of them."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.client = cache(emulator.client)

    def ledger_table(self) -> str:
        """A new, empty table with the ledger's keys."""
        name = f"table-{next(numbers)}"
        keys = (("series", "HASH"), ("entry", "RANGE"))
        self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    def bucket(self) -> str:
        name = f"archive-{next(numbers)}"
        self.client("s3").create_bucket(Bucket=name)
        return name

    def stream(self) -> str:
        """A new stream's ARN."""
        name, kinesis = f"events-{next(numbers)}", self.client("kinesis")
        kinesis.create_stream(StreamName=name, ShardCount=1)
        return kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]


class Fake:
    """A client whose named calls are replaced; the rest goes to the real one."""

    def __init__(self, client: Any, **calls: Any) -> None:
        self.__dict__.update(calls)
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def refused(code: str, operation: str = "Operation") -> ClientError:
    """An error of AWS."""
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


def cancelled(*reasons: str) -> ClientError:
    """A transaction of DynamoDB that was cancelled for these reasons, one an operation."""
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(answer, "TransactWriteItems")


def failing(error: Exception) -> Any:
    """A call that raises."""

    def call(**_: Any) -> Any:
        raise error

    return call
