"""The handlers as packaged, run by AWS's runtime interface emulator in the place of the local Lambda."""

import datetime as dt
import json
import os
import zipfile
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import engines
import urllib3

from local.in_process.runtime import InProcessRuntime
from local.lambdas.runtime import Invocation
from local.stack.definitions import LocalFunction

PATH = "/2015-03-31/functions/function/invocations"
POOL = urllib3.PoolManager(timeout=300, retries=False)


class PackagedRuntime(InProcessRuntime):
    """Takes the place of LambdaRuntime. ``python`` runs each function from its own code, what lies in its
    ``opt``, and ``runtime``: awslambdaric and boto3, as Lambda has them."""

    python = Path()
    opt: dict[str, Path] = {}  # noqa: RUF012 by function
    runtime = Path()
    variables: dict[str, str] = {}  # noqa: RUF012 that lead to the emulator

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.invoked: Counter[str] = Counter()
        self._addresses: dict[str, str] = {}
        self._processes = ExitStack()

    def invoke(
        self, name: str, payload: bytes, request_id: str | None = None, arrived: dt.datetime | None = None
    ) -> Invocation:
        """What the function answers. The emulator gives each invocation an id of its own."""
        part = name.rpartition("-")[2]
        self.invoked[part] += 1
        if name not in self._addresses:
            self._addresses[name] = self._start(self._functions[name], part)
        answer = POOL.request("POST", self._addresses[name] + PATH, body=payload).data
        said = json.loads(answer or b"null")
        failed = isinstance(said, dict) and "errorType" in said
        request_id = request_id or str(uuid4())
        arn = self._functions[name].arn
        return Invocation(
            request_id, arn, answer, "Unhandled" if failed else None, self.clock.now(), 0.0, False
        )

    def close(self) -> None:
        super().close()
        self._processes.close()

    def _start(self, function: LocalFunction, part: str) -> str:
        port, inner = engines.free_port(), engines.free_port()
        variables = {
            **function.environment,
            **self.variables,
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
            "LAMBDA_TASK_ROOT": str(function.code),
            "PYTHONPATH": os.pathsep.join(map(str, (self.opt[part] / "python", self.runtime))),
        }
        command = [
            str(engines.RUNTIME_EMULATOR),
            *("--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{inner}"),
            *(str(self.python), "-m", "awslambdaric", function.handler),
        ]
        log = Path(self.runtime).with_name(f"{part}.log")
        self._processes.enter_context(engines.started(command, variables, port, log, function.code))
        return f"http://127.0.0.1:{port}"


def unpacked(layers: list[Path], folder: Path) -> Path:
    """What Lambda has under /opt of these layers."""
    for layer in layers:
        with zipfile.ZipFile(layer) as archive:
            archive.extractall(folder)
    return folder
