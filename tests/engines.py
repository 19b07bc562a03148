"""Engines that nobody here wrote, each started on loopback for as long as it is needed."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from local.stack.program import ROOT
from local.stack.resources import ACCOUNT

FOLDER = ROOT / ".daybook" / "peers"  # where make test-peers installs them
PRELOADED = ROOT / "tests" / "peers" / "loopback.cjs"
MODULES = FOLDER / "node_modules"
RUNTIME_EMULATOR = FOLDER / "bin" / "aws-lambda-rie"
PATIENCE_SECONDS = 60
LOOPBACK = {"0100007F", "00000000000000000000000001000000"}  # as /proc/net/tcp and tcp6 write it
LISTENING = "0A"


class NotStarted(Exception):
    """An engine ended, was silent, or listens to others than this machine."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def kinesis_local() -> Iterator[str]:
    """kinesis-local's endpoint."""
    port = free_port()
    variables = {
        "KINESIS_MOCK_PLAIN_PORT": str(port),
        "KINESIS_MOCK_TLS_PORT": str(free_port()),
        "KINESIS_MOCK_CERT_PATH": str(MODULES / "kinesis-local" / "server.json"),
        "CREATE_STREAM_DURATION": "0ms",
        "SPLIT_SHARD_DURATION": "0ms",
    }
    with _node("kinesis-local/main.js", [], variables, port) as endpoint:
        yield endpoint


@contextmanager
def kinesalite() -> Iterator[str]:
    """kinesalite's endpoint."""
    port = free_port()
    options = ["--port", str(port), "--createStreamMs", "0", "--updateStreamMs", "0"]
    with _node("kinesalite/cli.js", options, {}, port) as endpoint:
        yield endpoint


@contextmanager
def dynalite() -> Iterator[str]:
    """dynalite's endpoint."""
    port = free_port()
    with _node("dynalite/cli.js", ["--port", str(port), "--createTableMs", "0"], {}, port) as endpoint:
        yield endpoint


def node() -> str | None:
    return shutil.which("node")


@contextmanager
def _node(module: str, options: Sequence[str], variables: Mapping[str, str], port: int) -> Iterator[str]:
    command = [str(node()), "--require", str(PRELOADED), str(MODULES / module), *options]
    with started(command, {"AWS_ACCOUNT_ID": ACCOUNT, "PATH": os.environ["PATH"], **variables}, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def started(
    command: Sequence[str],
    variables: Mapping[str, str],
    port: int,
    log: Path | None = None,
    folder: Path | None = None,
) -> Iterator[None]:
    """A process in this folder, once it listens on this port; ended at last with what it started. Raises
    NotStarted."""
    with (log or Path(os.devnull)).open("wb") as output:
        process = subprocess.Popen(
            command,
            env=dict(variables),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _await(process, port)
            yield
        finally:
            os.killpg(process.pid, 9)
            process.wait()


def _await(process: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while port not in (ports := _listening(process.pid)):
        if process.poll() is not None or time.monotonic() > until:
            raise NotStarted(f"{process.args} does not listen on {port}: exit code {process.returncode}")
        time.sleep(0.05)
    if elsewhere := {port for port, address in ports.items() if address not in LOOPBACK}:
        raise NotStarted(f"{process.args} listens to others than this machine, on {elsewhere}")


def _listening(pid: int) -> dict[int, str]:
    """The ports on which a process listens, with their addresses as the kernel writes them."""
    links: set[str] = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            links.add(str(path.readlink()))
    ports: dict[int, str] = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == LISTENING and f"socket:[{inode}]" in links:
                address, _, port = local.partition(":")
                ports[int(port, 16)] = address
    return ports
