"""Which stack a command works on: one that runs on this machine, one kept there, or one on AWS.

Looked for in this order: the folder of ``--state``, ``--stack`` on AWS, a local cloud that runs here, the
newest state kept here, the only stack on AWS. What a stack's parts are called is in its SSM parameter.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import yaml
from botocore.config import Config

from ops.errors import CONFIGURATION, Problem
from storage.archive import Archive
from storage.aws import region
from storage.ledger import Ledger
from storage.tables import Tables, open_tables

if TYPE_CHECKING:
    from local.cloud import LocalCloud

PARAMETERS = "/daybook/"
HERE = Path(".daybook")
# A command may wait for a function as long as Lambda lets one run, and must not send it twice.
CONFIG = Config(connect_timeout=5, read_timeout=905, retries={"mode": "standard", "total_max_attempts": 4})
ONCE = Config(connect_timeout=5, read_timeout=905, retries={"total_max_attempts": 1})


@dataclass(frozen=True)
class Answer:
    """What a function answered; ``error`` is None unless it failed."""

    request: str
    response: Any
    error: str | None


@dataclass(frozen=True)
class Target:
    """A stack, and how to reach it. ``cloud`` is there where this process itself runs it."""

    description: str
    facts: Mapping[str, str]
    client: Callable[[str], Any]
    clock: Callable[[], dt.datetime] | None
    aws: bool = False
    cloud: "LocalCloud | None" = None
    folder: Path | None = None

    @cached_property
    def ledger(self) -> Ledger:
        return Ledger(self.client("dynamodb"), self.facts["ledger_table"])

    @cached_property
    def archive(self) -> Archive:
        return Archive(self.client("s3"), self.facts["archive_bucket"])

    @cached_property
    def tables(self) -> Tables:
        return open_tables(self.facts, self.client)

    def now(self) -> dt.datetime:
        """A local cloud that plays history has a time of its own: there it is its last run's."""
        if self.clock is not None:
            return self.clock()
        return self.ledger.head().last_run or _clock()

    def invoke(self, function: str, payload: bytes) -> Answer:
        """Call a function and wait for what it answers."""
        name = self.facts[function]
        if self.cloud is not None:
            done = self.cloud.runtime.invoke(name, payload)
            return Answer(done.request_id, json.loads(done.response or b"null"), done.error)
        answer = self.client("lambda").invoke(FunctionName=name, Payload=payload)
        response = json.loads(answer["Payload"].read() or b"null")
        return Answer(answer["ResponseMetadata"].get("RequestId", ""), response, answer.get("FunctionError"))

    def keep(self) -> None:
        """Write what a command changed where it came from; elsewhere it is there already."""
        if self.cloud is not None and self.folder is not None:
            from local import state  # noqa: PLC0415 the local cloud is loaded where there is one

            state.save(self.cloud, self.folder)


@contextmanager
def opened(state: Path | None, stack: str | None, say: Callable[[str], None]) -> Iterator[Target]:
    """The target, as asked for or as found. Raises Problem where there is none."""
    from ops import local_target  # noqa: PLC0415

    folder = None if stack else local_target.found(state or HERE)
    if folder is not None:
        with local_target.opened(folder) as target:
            say(target.description)
            yield target
        return
    if state is not None:
        raise Problem(
            f"There is no state of a local cloud in {state}.",
            remedy="Keep one: python -m local up --once, or python -m local play … --state DIR",
            code=CONFIGURATION,
        )
    target = deployed(stack)
    say(target.description)
    yield target


def session(stack: str | None = None) -> boto3.Session:
    """A session in the environment's region, or the one that the stack's settings name, or the profile's."""
    path = Path(f"Pulumi.{stack}.yaml")
    settings = yaml.safe_load(path.read_text(encoding="utf-8")) if stack and path.exists() else {}
    return boto3.Session(region_name=region() or settings.get("config", {}).get("aws:region"))


def deployed(stack: str | None) -> Target:
    """A stack on AWS, by the credentials of the environment; without a name the only one there is."""
    aws = session(stack)
    try:
        ssm = aws.client("ssm", config=Config(connect_timeout=5, read_timeout=10))
        parameters = _parameters(ssm, stack)
    except Exception as error:
        raise Problem(
            f"No local cloud runs or is kept here, and AWS can't be asked: {error}"
            if stack is None
            else f"AWS can't be asked for the stack {stack}: {error}",
            remedy="Start one here: make run. Or set AWS_PROFILE and AWS_REGION, and deploy: pulumi up",
            code=CONFIGURATION,
        ) from error
    if not parameters:
        wanted = f"There is no stack {stack}" if stack else "There is no stack"
        raise Problem(
            f"{wanted} in this account and region ({aws.region_name}), and none on this machine.",
            remedy="Start one here: make run. Or deploy one: pulumi up. Or name another: --stack, AWS_REGION",
            code=CONFIGURATION,
        )
    if len(parameters) > 1:
        names = ", ".join(sorted(name.removeprefix(PARAMETERS) for name in parameters))
        raise Problem(
            f"There is more than one stack: {names}.", remedy="Name it: --stack NAME", code=CONFIGURATION
        )
    ((name, value),) = parameters.items()
    facts = json.loads(value)

    def client(service: Any) -> Any:
        return aws.client(service, config=ONCE if service == "lambda" else CONFIG)

    description = f"stack {name.removeprefix(PARAMETERS)} on AWS, {facts['account']}, {facts['region']}"
    return Target(description, facts, client, _clock, aws=True)


def _parameters(ssm: Any, stack: str | None) -> dict[str, str]:
    if stack is None:
        pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=PARAMETERS.rstrip("/"))
        return {found["Name"]: found["Value"] for page in pages for found in page["Parameters"]}
    try:
        found = ssm.get_parameter(Name=PARAMETERS + stack)["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        return {}
    return {found["Name"]: found["Value"]}


def _clock() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 an operator's now is this machine's
