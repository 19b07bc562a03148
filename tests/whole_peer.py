"""The stack on ministack: made by the program through our engine, its functions and mapping run there."""

import io
import sysconfig
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import engines

from local.aws.clients import client
from local.aws.sessions import REGION
from local.cloud import STACK
from local.stack.definitions import LocalFunction
from local.stack.program import Provisioned, provision_at
from local.stack.resources import ACCOUNT

PYTHON = engines.FOLDER / "ministack" / "bin" / "python"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/local"
RUNTIME = "python3.13"  # its own is what runs
SERVICES = "dynamodb,iam,kinesis,lambda,logs,s3,sns,ssm,sts"


@dataclass(frozen=True)
class Whole:
    """A stack on another engine."""

    endpoint: str
    stack: Provisioned

    def client(self, service: str) -> Any:
        return client(service, self.endpoint)

    @cached_property
    def environment(self) -> dict[str, str]:
        """All that leads an operator's command there."""
        return variables(self.endpoint)


def variables(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


@contextmanager
def whole(folder: Path, config: Mapping[str, str]) -> Iterator[Whole]:
    """The stack, once everything of it is there. Its processes keep their files in the folder."""
    port = engines.free_port()
    endpoint = f"http://127.0.0.1:{port}"
    own = {
        **variables(endpoint),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "SERVICES": SERVICES,
        "TMPDIR": str(folder),
        "HOME": str(folder),
    }
    with engines.started([str(PYTHON), "-m", "ministack"], own, port, folder / "log"):
        stack = provision_at(endpoint, folder / "code", STACK, {"store": "dynamodb", **config})
        made = Whole(endpoint, stack)
        _deploy(made)
        yield made


def _deploy(whole: Whole) -> None:
    """What the local cloud does itself, done by this engine."""
    service = whole.client("lambda")
    for function in whole.stack.functions:
        service.create_function(
            FunctionName=function.name,
            Runtime=RUNTIME,
            Role=ROLE,
            Handler=function.handler,
            Timeout=function.timeout,
            Code={"ZipFile": _zipped(function)},
            Environment={"Variables": {**function.environment, "PYTHONPATH": sysconfig.get_path("purelib")}},
        )
    for config in whole.stack.invoke_configs:
        service.put_function_event_invoke_config(
            FunctionName=config.function_name,
            MaximumRetryAttempts=config.max_retries,
            MaximumEventAgeInSeconds=config.max_event_age_seconds,
            DestinationConfig={"OnFailure": {"Destination": config.on_failure_topic}},
        )
    for mapping in whole.stack.mappings:
        service.create_event_source_mapping(
            FunctionName=mapping.function_name,
            EventSourceArn=mapping.stream_arn,
            BatchSize=mapping.batch_size,
            StartingPosition="TRIM_HORIZON",
            BisectBatchOnFunctionError=mapping.bisect,
            FunctionResponseTypes=["ReportBatchItemFailures"],
            DestinationConfig={"OnFailure": {"Destination": mapping.on_failure_topic}},
        )


def _zipped(function: LocalFunction) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        for path in sorted(path for path in function.code.rglob("*.*") if path.suffix in (".py", ".csv")):
            code.write(path, path.relative_to(function.code))
    return archive.getvalue()
