"""An operator's command, given to the in-process cloud."""

import contextlib
import io
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from local.aws.invoking import let_invoke
from local.in_process import Died, InProcessCloud

if TYPE_CHECKING:
    from ops.stack import Stack

KILLED = 137  # as a shell tells of a process that was killed


class NoAnswer(Exception):
    """A command gave no JSON. Says what it wrote instead."""


def operate(cloud: InProcessCloud, arguments: Sequence[str]) -> tuple[int, str]:
    """The exit code of ``daybook`` with these arguments, and what it wrote to both outputs."""
    output = io.StringIO()
    wire, outside = cloud.wire, cloud.wire.handler
    wire.handler = "ops"
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            code = _run(cloud, arguments)
    except Died:
        code = KILLED
    finally:
        wire.handler = outside
    return code, output.getvalue()


def answer(cloud: InProcessCloud, *arguments: str) -> tuple[int, Any]:
    """The exit code of a command that reads, and its JSON. Nothing on the wire fails meanwhile."""
    output, problem = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(problem):
        code = _run(cloud, [*arguments, "--json"])
    try:
        return code, json.loads(output.getvalue())
    except ValueError as error:
        raise NoAnswer(f"ops {' '.join(arguments)} says: {problem.getvalue().strip()}") from error


def target(cloud: InProcessCloud) -> "Stack":
    """The cloud as commands see one that runs: with sources, and functions that Lambda's API invokes."""
    from ops.stack import Stack

    if cloud.emulator.invoke_function is None:
        let_invoke(cloud)
    return Stack("in-process cloud", cloud.stack.exports, cloud.client, cloud.clock.now)


def _run(cloud: InProcessCloud, arguments: Sequence[str]) -> int:
    from ops.__main__ import run

    return run(list(arguments), target(cloud))
