"""An operator's command, given to the in-process cloud."""

import contextlib
import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from local.in_process import Died, InProcessCloud
from ops import __main__ as program
from ops.asked import Asked
from ops.target import Target

KILLED = 137  # as a shell tells of a process that was killed


def operate(cloud: InProcessCloud, arguments: Sequence[str]) -> tuple[int, str]:
    """The exit code of ``python -m ops`` with these arguments, and what it wrote to both outputs."""
    output = io.StringIO()
    wire, outside = cloud.wire, cloud.wire.handler
    wire.handler = "ops"
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output), _handed(cloud):
            code = program.run([str(argument) for argument in arguments])
    except Died:
        code = KILLED
    finally:
        wire.handler = outside
    return code, output.getvalue()


def target(cloud: InProcessCloud) -> Target:
    """The cloud as commands see one that runs: with sources, and functions that Lambda's API invokes."""

    def invoke(name: str, payload: bytes, asynchronous: bool) -> tuple[bytes, str | None]:
        if asynchronous:
            cloud.runtime.invoke_async(name, payload)
            return b"", None
        done = cloud.runtime.invoke(name, payload)
        return done.response, done.error

    cloud.emulator.invoke_function = invoke
    return Target("in-process cloud", cloud.stack.exports, cloud.client, cloud.clock.now)


@contextmanager
def _handed(cloud: InProcessCloud) -> Iterator[None]:
    """Commands ask for the stack that is meant, and get this one."""

    class Handed(Asked):
        def target(self) -> contextlib.AbstractContextManager[Target]:
            return contextlib.nullcontext(target(cloud))

    with patch.object(program, "Asked", Handed):
        yield


def answer(cloud: InProcessCloud, *arguments: str) -> tuple[int, object]:
    """The exit code and the JSON of a command that reads."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()), _handed(cloud):
        code = program.run([*arguments, "--json"])
    return code, json.loads(output.getvalue())
