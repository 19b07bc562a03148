"""gunicorn from the very bundle: an empty folder, its own requirements, the stack's environment."""

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from system import EITHER_STORE, System, system

from dashboard import bundle
from dashboard.settings import PREFIX, Settings
from local.dashboard import Dashboard, DashboardFailed

pytestmark = [pytest.mark.cloud]

CASES = {"2020-03-07": 100, "2020-03-08": 120, "2020-03-09": 150}
UV = Path(sys.executable).with_name("uv")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python with nothing but the bundle's own requirements."""
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "requirements.txt").write_bytes(bundle.files()["requirements.txt"])
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, "venv"], check=True, cwd=folder)
    found = folder / "venv" / "bin" / "python"
    install = [
        UV,
        "pip",
        "install",
        "--quiet",
        "--python",
        found,
        "--require-hashes",
        "-r",
        "requirements.txt",
    ]
    subprocess.run(install, check=True, cwd=folder)
    return str(found)


@pytest.fixture(scope="module", params=EITHER_STORE)
def stack(request: pytest.FixtureRequest) -> Iterator[System]:
    with system(store=request.param) as found:
        found.publish(CASES)
        found.run()
        yield found


def environment(stack: System) -> dict[str, str]:
    """What the Pulumi program sets for it, of made-up sources."""
    told = dict(stack.cloud.stack.exports["dashboard_environment"])
    assert told.keys() == {PREFIX + field.name.upper() for field in fields(Settings)}
    assert told["DAYBOOK_BUNDLE"] == bundle.digest()
    return told | {"DAYBOOK_SYNTHETIC": "true"}


def fetched(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 our own address
        assert answer.status == 200
        return answer.read()


def test_it_serves_what_the_store_holds(python: str, stack: System) -> None:
    with Dashboard(environment(stack), stack.cloud.emulator.environment(), python=python) as served:
        found = json.loads(fetched(served.address + "data/days.json"))
        assert {day["date"]: day["cases"] for day in found["days"]} == CASES == stack.daily()
        assert found["synthetic"] is True
        assert found["trailing"] is False
        state = json.loads(fetched(served.address + "status.json"))
        assert state["last_acknowledged"] == "2020-03-09"
        assert state["runs"][0]["inserted"] == 3
        assert fetched(served.address + "healthz") == b"ok\n"
        stack.publish(CASES | {"2020-03-09": 151})
        stack.run()
        time.sleep(4.5)  # the head is asked once in four seconds
        found = json.loads(fetched(served.address + "data/entries.json?from=2020-03-09&to=2020-03-09"))
        assert [one["cases"] for one in found["entries"]] == [150, 151]


def test_without_its_settings_it_does_not_start_and_names_them() -> None:
    with pytest.raises(DashboardFailed, match="DAYBOOK_BUNDLE, DAYBOOK_DAILY_TABLE"):
        Dashboard({}, {}).ready()


def test_it_ends_with_whoever_started_it(stack: System, tmp_path: Path) -> None:
    program = f"""
import time
from local.dashboard import Dashboard
served = Dashboard({environment(stack)!r}, {stack.cloud.emulator.environment()!r})
served.ready()
print(served.pid, flush=True)
time.sleep(60)
"""
    root = str(Path(bundle.__file__).parent.parent)
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root, "TMPDIR": str(tmp_path)},
    )
    assert parent.stdout
    pid = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    deadline = dt.timedelta(seconds=10).total_seconds() + time.monotonic()
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not alive(pid)


def alive(pid: int) -> bool:
    """Whether it runs; one that has ended and that nobody has waited for doesn't."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
