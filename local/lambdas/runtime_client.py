"""The main program of a handler's process: `python -P runtime_client.py <handler> <client>`.

The client is `awslambdaric`, AWS's own, or `plain`, the same loop in little, for where its wheels don't exist
(they are for Linux). The process reads its standard input only to notice that whoever started it is gone.
"""

from __future__ import annotations

import http.client
import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from types import SimpleNamespace
from typing import Any

API = "/2018-06-01/runtime"


def main() -> None:
    handler, client = sys.argv[1:]
    _end_with_parent()
    if client == "awslambdaric":
        from awslambdaric.__main__ import main as serve

        serve(["awslambdaric", handler])
    else:
        _serve(os.environ["AWS_LAMBDA_RUNTIME_API"], handler)


def _end_with_parent() -> None:
    """Linux's parent-death signal won't do: it is sent when the *thread* that started the child ends."""
    held = os.dup(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # what a handler reads in Lambda

    def watch() -> None:
        os.read(held, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)  # the process leads its group, so that its children end too

    threading.Thread(target=watch, daemon=True).start()


def _serve(address: str, handler: str) -> None:
    try:
        module, _, name = handler.rpartition(".")
        function = getattr(importlib.import_module(module.replace("/", ".")), name)
    except Exception as error:
        _report(address, f"{API}/init/error", error, "")
        sys.exit(1)
    while True:
        headers, event = _call(address, "GET", f"{API}/invocation/next")
        request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers["Lambda-Runtime-Trace-Id"]
        try:
            answer = json.dumps(function(json.loads(event), _context(headers)), ensure_ascii=False).encode()
        except Exception as error:
            _report(address, f"{API}/invocation/{request_id}/error", error, request_id)
        else:
            _call(address, "POST", f"{API}/invocation/{request_id}/response", answer)


def _context(headers: Any) -> SimpleNamespace:
    name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
    deadline = int(headers["Lambda-Runtime-Deadline-Ms"])
    return SimpleNamespace(
        aws_request_id=headers["Lambda-Runtime-Aws-Request-Id"],
        invoked_function_arn=headers["Lambda-Runtime-Invoked-Function-Arn"],
        function_name=name,
        function_version=os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
        memory_limit_in_mb=os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"],
        log_group_name=os.environ["AWS_LAMBDA_LOG_GROUP_NAME"],
        log_stream_name=os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
        get_remaining_time_in_millis=lambda: max(0, deadline - int(time.time() * 1000)),
    )


def _report(address: str, path: str, error: Exception, request_id: str) -> None:
    stack = traceback.format_tb(error.__traceback__)[1:]  # without this file's own frame
    print(f"[ERROR] {type(error).__name__}: {error}\n{''.join(stack)}", end="", flush=True)
    answer = {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": stack,
    }
    _call(address, "POST", path, json.dumps(answer).encode())


def _call(address: str, method: str, path: str, body: bytes | None = None) -> tuple[Any, bytes]:
    connection = http.client.HTTPConnection(address)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    if response.status >= http.client.BAD_REQUEST:
        raise ConnectionError(f"{method} {path}: {response.status} {content.decode(errors='replace')}")
    return response.headers, content


if __name__ == "__main__":
    main()
