"""Lambda's Invoke for callers of the emulator: a cloud's functions are listed there, and run."""

import zipfile
from collections.abc import Callable
from io import BytesIO

from local.cloud import LocalCloud

TRUST = '{"Version": "2012-10-17", "Statement": []}'


def let_invoke(cloud: LocalCloud, asked: Callable[[], None] = lambda: None) -> None:
    """Let whoever reaches the emulator invoke the cloud's functions. ``asked`` is called when one is queued,
    so that somebody carries it on."""

    def invoke(name: str, payload: bytes, asynchronous: bool) -> tuple[bytes, str | None]:
        if asynchronous:
            cloud.runtime.invoke_async(name, payload)
            asked()
            return b"", None
        done = cloud.runtime.invoke(name, payload)
        return done.response, done.error

    cloud.emulator.invoke_function = invoke
    role = cloud.client("iam").create_role(RoleName="local", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    empty = BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("empty", "")
    for function in cloud.stack.functions:
        cloud.client("lambda").create_function(
            FunctionName=function.name,
            Runtime="python3.13",
            Role=role,
            Handler=function.handler,
            Code={"ZipFile": empty.getvalue()},  # the code that runs is the stack's
        )
