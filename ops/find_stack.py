"""Find the stack that is meant: the folder of ``--state``, ``--stack`` on AWS, a local cloud that runs here,
the newest state kept here, the only stack on AWS. What its parts are called is in its SSM parameter."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.errors import CONFIGURATION, Problem
from ops.stack import Stack, real_time
from ops.terminal import say

if TYPE_CHECKING:
    import boto3

PARAMETERS = "/daybook/"
HERE = Path(".daybook")


@contextmanager
def opened(state: Path | None, name: str | None, reading: bool = False) -> Iterator[Stack]:
    """The stack, as asked for or as it is there, named on stderr. Raises Problem where there is none."""
    from local import kept

    folder = None if name else kept.find(state or HERE)
    if folder is not None:
        with kept.opened(folder, reading) as stack:
            say(stack.description)
            yield stack
        return
    if state is not None:
        raise Problem(
            f"There is no state of a local cloud in {state}.",
            remedy="Keep one: python -m local up --once, or python -m local play … --state DIR",
            code=CONFIGURATION,
        )
    stack = deployed(name)
    say(stack.description)
    yield stack


def session(name: str | None = None) -> "boto3.Session":
    """A session in the environment's region, or the one that the stack's settings name, or the profile's."""
    import boto3
    import yaml

    from storage.aws import region

    path = Path(f"Pulumi.{name}.yaml")
    settings = yaml.safe_load(path.read_text(encoding="utf-8")) if name and path.exists() else {}
    return boto3.Session(region_name=region() or settings.get("config", {}).get("aws:region"))


def deployed(wanted: str | None) -> Stack:
    """A stack on AWS, by the credentials of the environment; without a name the only one there is."""
    from botocore.config import Config

    # A command may wait for a function as long as Lambda lets one run, and must not send it twice.
    often = Config(connect_timeout=5, read_timeout=905, retries={"mode": "standard", "total_max_attempts": 4})
    once = often.merge(Config(retries={"total_max_attempts": 1}))
    aws: Any = session(wanted)
    try:
        parameters = _parameters(aws.client("ssm", config=Config(connect_timeout=5, read_timeout=10)), wanted)
    except Exception as error:
        raise Problem(
            f"AWS can't be asked for the stack {wanted}: {error}"
            if wanted
            else f"No local cloud runs or is kept here, and AWS can't be asked: {error}",
            remedy="Start one here: make run. Or set AWS_PROFILE and AWS_REGION, and deploy: pulumi up",
            code=CONFIGURATION,
        ) from error
    if not parameters:
        raise Problem(
            f"{f'There is no stack {wanted}' if wanted else 'There is no stack'} in this account and region "
            f"({aws.region_name}), and none on this machine.",
            remedy="Start one here: make run. Or deploy one: pulumi up. Or name another: --stack, AWS_REGION",
            code=CONFIGURATION,
        )
    if len(parameters) > 1:
        names = ", ".join(sorted(path.removeprefix(PARAMETERS) for path in parameters))
        raise Problem(
            f"There is more than one stack: {names}.", remedy="Name it: --stack NAME", code=CONFIGURATION
        )
    ((path, value),) = parameters.items()
    facts = json.loads(value)

    def client(service: str) -> Any:
        return aws.client(service, config=once if service == "lambda" else often)

    description = f"stack {path.removeprefix(PARAMETERS)} on AWS, {facts['account']}, {facts['region']}"
    return Stack(description, facts, client, real_time, aws=True)


def _parameters(ssm: Any, name: str | None) -> dict[str, str]:
    if name is None:
        pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=PARAMETERS.rstrip("/"))
        return {item["Name"]: item["Value"] for page in pages for item in page["Parameters"]}
    try:
        item = ssm.get_parameter(Name=PARAMETERS + name)["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        return {}
    return {item["Name"]: item["Value"]}
