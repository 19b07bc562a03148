"""The dashboard of the local cloud: gunicorn, a process of its own, from the very bundle."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.request import ProxyHandler, build_opener

from dashboard import bundle
from dashboard.settings import PREFIX
from local.aws.loopback import HOST, held

START_SECONDS = 30
END_SECONDS = 5
OPENER = build_opener(ProxyHandler({}))  # loopback goes by no proxy
# gunicorn ends with this process, however it ends: then nothing is left on its standard input.
PROGRAM = """
import os, sys, threading
from gunicorn.app.wsgiapp import run
parent = os.getpid()
def end_with_parent():
    os.read(0, 1)  # nobody ever writes: this returns when nobody is left who could
    os.kill(parent, 15)
threading.Thread(target=end_with_parent, daemon=True).start()
sys.argv[0] = "gunicorn"
sys.exit(run())
"""


class DashboardFailed(Exception):
    """The dashboard did not start."""


class Dashboard:
    """``environment`` is what the stack sets (``DAYBOOK_…``); ``cloud`` leads its clients to the emulator.

    It is starting when it is made, and serves from ``ready`` on.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        cloud: Mapping[str, str],
        port: int = 0,
        python: str = sys.executable,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="daybook-dashboard-")
        listener = held(port)
        self.port: int = listener.getsockname()[1]
        folder = Path(self._folder.name)
        with zipfile.ZipFile(BytesIO(bundle.packed())) as packed:
            packed.extractall(folder)
        self._log = (folder / "log").open("wb")
        self._process = subprocess.Popen(  # noqa: S603
            [python, "-P", "-c", PROGRAM, *command(folder, listener.fileno())],
            cwd=folder,
            env=process_environment(environment, cloud),
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[listener.fileno()],
        )
        listener.close()  # the process has it now

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}/"

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """End it; a second call does nothing."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait(END_SECONDS)
        if self._process.stdin:
            self._process.stdin.close()
        self._log.close()
        self._folder.cleanup()

    def ready(self) -> None:
        """Wait until it serves. Raises DashboardFailed with what it said."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with OPENER.open(f"{self.address}healthz", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        said = (Path(self._folder.name) / "log").read_text(encoding="utf-8", errors="replace")
        self.close()
        raise DashboardFailed(f"the dashboard did not start:\n{said[-2000:]}")

    def __enter__(self) -> Self:
        self.ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def command(folder: Path, listener: int) -> list[str]:
    """The Procfile's arguments to gunicorn, but for where it listens: on this descriptor."""
    program, *arguments = (folder / "Procfile").read_text(encoding="utf-8").removeprefix("web: ").split()
    if program != "gunicorn":
        raise DashboardFailed(f"the Procfile starts {program}, not gunicorn")
    place = arguments.index("--bind") + 1
    arguments[place] = f"fd://{listener}"
    return arguments


def process_environment(environment: Mapping[str, str], cloud: Mapping[str, str]) -> dict[str, str]:
    """Nothing of this process's own but what Python itself needs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    strangers = sorted(
        name for name in environment if not name.startswith(PREFIX) and not name.startswith("AWS_")
    )
    if strangers:
        raise DashboardFailed(f"the stack sets what nobody reads: {', '.join(strangers)}")
    return {**kept, "PYTHONUNBUFFERED": "1", **environment, **cloud}
