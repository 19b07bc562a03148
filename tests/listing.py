"""All resources of a stack with what matters for their security, as a text that a review can compare.

Written anew by ``make listing``. A property is left out only where it is listed here, so what a new resource
has is seen.
"""

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime.mocks import MockMonitor
from test_stack import CONFIG, Recorder

from local.stack.program import ROOT, run_program

GOLDEN = Path(__file__).with_name("golden") / "resources.yaml"
# What changes with every change of the code, and what tests of its own hold.
LEFT_OUT = ("code", "dashboardBody", "environment")
HASH = re.compile(r"\b[0-9a-f]{16,64}\b")
OPTIONS = {"protect": "protect", "retainOnDelete": "retain"}


def configured(stack: str) -> dict[str, str]:
    """What Pulumi.<stack>.example.yaml sets, as Pulumi's CLI hands it to the program."""
    found = yaml.safe_load((ROOT / f"Pulumi.{stack}.example.yaml").read_text())["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}


def listing(stack: str = "prod") -> str:
    """The stack as its file configures it, with somebody to tell."""
    recorder = Recorder()
    with options() as found:
        run_program(recorder, stack, configured(stack) | CONFIG)
    resources = {
        f"{kind} {name}": shown(inputs) | found.get((kind, name), {})
        for kind, name, inputs in recorder.resources
    }
    return yaml.safe_dump(resources, width=110, allow_unicode=True)


@contextlib.contextmanager
def options() -> Iterator[dict[tuple[str, str], dict[str, Any]]]:
    """Which resources are protected and retained: mocks aren't told, Pulumi's engine is."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    register = MockMonitor.RegisterResource

    def observed(self: MockMonitor, request: Any) -> Any:
        on = [word for name, word in OPTIONS.items() if getattr(request, name)]
        if on:
            found[request.type, request.name] = {"options": on}
        return register(self, request)

    MockMonitor.RegisterResource = observed
    try:
        yield found
    finally:
        MockMonitor.RegisterResource = register


def shown(inputs: dict[str, Any]) -> dict[str, Any]:
    return {key: _plain(value) for key, value in inputs.items() if key not in LEFT_OUT}


def _plain(value: Any) -> Any:
    """Policies as what they say, hashes of contents as such."""
    match value:
        case dict():
            return {key: _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case pulumi.Asset() | pulumi.Archive():
            return "<files>"
        case str() if value.startswith(("{", "[")):
            return _plain(json.loads(value))
        case str():
            return HASH.sub("<hash>", value)
    return value


if __name__ == "__main__":
    GOLDEN.write_text(listing())
