"""AWS clients, one way to make them. Where they lead is up to the environment (AWS_ENDPOINT_URL)."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CONFIG = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 4},
)


def client(service: str) -> Any:
    """A client with bounded time-outs and retries."""
    # The stubs know each service's name as an overload of its own, and no name that is a variable.
    return boto3.client(service, config=CONFIG)  # type: ignore[call-overload]


def code(error: ClientError) -> str:
    """AWS's word for what went wrong."""
    return error.response.get("Error", {}).get("Code", "")
