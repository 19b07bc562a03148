"""The Pulumi program run in this process, its resources made in the emulator; Pulumi's CLI isn't needed."""

from __future__ import annotations

import asyncio
import json
import runpy
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import settings as runtime
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks

from local.aws.emulator import Emulator
from local.aws.sessions import REGION
from local.stack.calls import ACCOUNT
from local.stack.definitions import (
    LocalFunction,
    LocalInvokeConfig,
    LocalMapping,
    LocalSchedule,
    LocalSubscription,
)
from local.stack.resources import Cloud, UnknownResource, create

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "daybook"


@dataclass(frozen=True)
class Provisioned:
    """What the program declared, its functions in the order they were deployed."""

    exports: dict[str, Any]
    functions: tuple[LocalFunction, ...]
    mappings: tuple[LocalMapping, ...]
    invoke_configs: tuple[LocalInvokeConfig, ...]
    schedules: tuple[LocalSchedule, ...]
    subscriptions: tuple[LocalSubscription, ...]
    policies: Mapping[str, list[dict[str, Any]]]  # by role, their statements


def provision(emulator: Emulator, code_dir: Path, stack: str, config: Mapping[str, str]) -> Provisioned:
    """Make the whole stack; `config` overrides the defaults of Pulumi.yaml, as JSON where it isn't text.

    A function's code is unpacked to `code_dir/<name of the function>`. Raises what the program raises, and
    UnknownResource.
    """
    return provision_at(emulator.endpoint, code_dir, stack, config)


def provision_at(endpoint: str, code_dir: Path, stack: str, config: Mapping[str, str]) -> Provisioned:
    """The same on whatever answers there."""
    cloud = Cloud(endpoint, code_dir)
    exports = run_program(LocalProvider(cloud), stack, config)
    return Provisioned(
        exports=exports,
        functions=tuple(cloud.functions),
        mappings=tuple(cloud.mappings),
        invoke_configs=tuple(cloud.invoke_configs),
        schedules=tuple(cloud.schedules),
        subscriptions=tuple(cloud.subscriptions),
        policies=cloud.policies,
    )


def run_program(
    provider: Mocks, stack: str, config: Mapping[str, str], preview: bool = False
) -> dict[str, Any]:
    """The program's outputs, its resources made by `provider`, one after another. In a preview nothing is
    known that only AWS can say, and there are no outputs where anything of them is unknown."""
    # A thread of its own: Pulumi keeps its state in context variables, and pumps the thread's event loop.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(_run_program, provider, stack, config, preview).result()


def _run_program(provider: Mocks, stack: str, config: Mapping[str, str], preview: bool) -> dict[str, Any]:
    outputs: dict[str, Any] = {}

    @pulumi.runtime.test
    def program() -> pulumi.Output[Any]:
        with warnings.catch_warnings():
            # Importing pulumi_aws.s3 warns of classes that nobody here uses.
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="pulumi_aws")
            runpy.run_path(str(ROOT / "__main__.py"), run_name=PROJECT)
        root: Any = runtime.get_root_resource()
        return pulumi.Output.all(**root.outputs).apply(outputs.update)

    with _event_loops():
        here = {"check_packages": "false", **config}
        pulumi.runtime.set_all_config({**_defaults(), **{_full(key): text for key, text in here.items()}})
        pulumi.runtime.set_mocks(provider, project=PROJECT, stack=stack, preview=preview)
        program()
    return outputs


@contextmanager
def _event_loops() -> Iterator[None]:
    """Loops for this thread and for the one that Pulumi asks for resources; it would leave them open."""
    loops: list[asyncio.AbstractEventLoop] = []

    def open_loop() -> None:
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    open_loop()
    try:
        with ThreadPoolExecutor(max_workers=1, initializer=open_loop) as executor:
            loops[0].set_default_executor(executor)
            yield
    finally:
        for loop in loops:
            loop.close()


class LocalProvider(Mocks):
    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        inputs = plain(args.inputs)
        if not args.custom:  # a component: only a name for its parts
            return "", inputs
        identity, outputs = create(self._cloud, args.typ, args.name, inputs)
        return identity, {**inputs, **outputs}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        return answer(args.token), []


KNOWN: dict[str, dict[str, Any]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {
        "accountId": ACCOUNT,
        "arn": f"arn:aws:iam::{ACCOUNT}:root",
        "id": ACCOUNT,
        "userId": ACCOUNT,
    },
    "aws:index/getRegion:getRegion": {"region": REGION, "name": REGION, "id": REGION},
    "aws:timestreamwrite/getDatabase:getDatabase": {
        "arn": "",
        "id": "",
        "name": "",
        "kmsKeyId": "",
        "createdTime": "",
        "lastUpdatedTime": "",
    },
    "aws:ec2/getVpc:getVpc": {"id": "vpc-0123456789abcdef0"},
    "aws:ec2/getSubnet:getSubnet": {"vpcId": "vpc-0123456789abcdef0"},
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": {"id": "pl-0123456789abcdef0"},
    "aws:elasticbeanstalk/getSolutionStack:getSolutionStack": {
        "name": "64bit Amazon Linux 2023 v4.7.4 running Python 3.13"
    },
}


def answer(token: str) -> dict[str, Any]:
    """What the program hears of the account it is in. Raises UnknownResource."""
    if token not in KNOWN:
        raise UnknownResource(f"the local cloud doesn't know {token}: answer it in local/stack/program.py")
    return KNOWN[token]


def plain(value: Any) -> Any:
    """Inputs as they were written: they travel as protobuf, where every number is a float."""
    match value:
        case dict():
            if pulumi.runtime.rpc._special_sig_key in value:  # a secret
                return plain(value["value"])
            return {key: plain(item) for key, item in value.items()}
        case list():
            return [plain(item) for item in value]
        case float() if value.is_integer():
            return int(value)
    return value


@lru_cache(maxsize=1)
def _defaults() -> dict[str, str]:
    """Pulumi.yaml's; it is the CLI that reads them otherwise."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    return {
        _full(key): found["default"] if isinstance(found["default"], str) else json.dumps(found["default"])
        for key, found in project["config"].items()
        if "default" in found
    }


def default(key: str) -> str:
    """What Pulumi.yaml sets where nobody configures anything."""
    return _defaults()[_full(key)]


def _full(key: str) -> str:
    return key if ":" in key else f"{PROJECT}:{key}"
