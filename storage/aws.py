"""AWS clients, made in one way, and their errors. AWS_ENDPOINT_URL says where the clients lead.

A client's attempts fit into its function's time-out: three of at most 12 seconds each, and one for SNS, whose
notices the next run sends again. A query of Timestream may take a minute.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from storage.errors import Place, Unreachable

CONNECT_SECONDS = 2
READ_SECONDS = 10
ATTEMPTS = 3
QUERY_SECONDS = 70
KEYS_PER_DELETION = 25  # DynamoDB BatchWriteItem
CONFIG = Config(
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
)
ONE_ATTEMPT = Config(
    connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1}
)
QUERY = CONFIG.merge(Config(read_timeout=QUERY_SECONDS))
CONFIGS = {"sns": ONE_ATTEMPT, "timestream-query": QUERY}


def region() -> str | None:
    """The region that the environment names: by AWS_REGION, as AWS's documents and its other SDKs have it, or
    by AWS_DEFAULT_REGION, which is all that boto3 reads. None: the profile's."""
    environment = os.environ  # noqa: TID251 a client's own, as boto3 reads it
    return environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or None


def client(service: str) -> Any:
    """A client with bounded time-outs and attempts."""
    # The stubs know each service's name as an overload of its own, and no name that is a variable.
    make: Any = boto3.client
    return make(service, region_name=region(), config=CONFIGS.get(service, CONFIG))


def code(error: ClientError) -> str:
    """AWS's word for what went wrong."""
    return error.response.get("Error", {}).get("Code", "")


def cancellation_codes(error: ClientError) -> list[str]:
    """Why a transaction was cancelled: a word for each of its operations, in their order; empty for no
    cancellation."""
    return [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]


def delete(dynamodb: Any, table: str, keys: Sequence[Mapping[str, Any]]) -> None:
    """Delete the items of these keys."""
    for start in range(0, len(keys), KEYS_PER_DELETION):
        some = keys[start : start + KEYS_PER_DELETION]
        request: Any = {table: [{"DeleteRequest": {"Key": key}} for key in some]}
        while request:
            request = dynamodb.batch_write_item(RequestItems=request).get("UnprocessedItems")


@contextmanager
def asking(place: Place) -> Iterator[None]:
    """Raise Unreachable for every error of AWS or of the way there; also usable as a decorator."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unreachable(place, str(error)) from error
