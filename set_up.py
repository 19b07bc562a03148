"""``make setup``: .venv from the lock files. Only the standard library, and syntax that Python 3.6 knows.

Called as ``python3 -I set_up.py`` for what runs, deploys and operates; with ``tools`` also for what tests and
checks need.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

VENV = Path(".venv")
READY, TOOLS_READY = VENV / ".ready", VENV / ".ready-tools"
LOCK, TOOLS_LOCK, INSTALLER_LOCK = map(
    Path, ("requirements.txt", "requirements/dev.txt", "requirements/uv.txt")
)
BIN = VENV / "bin"
PYTHON = BIN / "python"
NEEDED = (3, 11)
SIZE, TOOLS_SIZE = "600 MB", "600 MB more"  # unpacked
UV = [BIN / "uv", "pip", "install", "--quiet", "--python", PYTHON, "--require-hashes", "--requirement"]
LOOK_SECONDS = 5
# The script finds its folder by itself, so that the folder can be moved and be called anything.
DAYBOOK = """#!/bin/sh
# python -m ops, from anywhere.
folder=$(dirname "$(readlink -f "$0")")/../..
PYTHONPATH="$folder${PYTHONPATH:+:$PYTHONPATH}" exec "$folder/.venv/bin/python" -m ops "$@"
"""


def main(tools):
    """A second set-up in this folder waits for the first one, and finds its work done."""
    refuse(problem())
    with Path(".venv.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"Another make sets up {VENV} here: waiting for it …", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_ready(READY, LOCK, INSTALLER_LOCK):
            install()
        if tools and not is_ready(TOOLS_READY, TOOLS_LOCK):
            add_tools()


def problem():
    """What keeps this Python or this folder from a set-up, with what to do; None where nothing does."""
    if sys.version_info[:2] < NEEDED:
        mine = "{}.{}".format(*sys.version_info)
        text = f"Daybook needs Python 3.11 or newer, and {sys.executable} is {mine}."
        return f"{text} Try: make setup PYTHON=python3.12"
    if ":" in str(Path.cwd()):
        return f"{Path.cwd()} has a colon in it, and Python makes no environment there. Move the folder."
    if VENV.is_symlink():
        return (
            f"{VENV} is a link: setting up here would empty the folder that it leads to. Remove the link, or "
            "bring that folder up to date where it lies."
        )
    return None


def is_ready(mark, *locks):
    """Whether a set-up has ended since the locks were written, with an interpreter that is still there."""
    try:
        made = mark.stat().st_mtime
        subprocess.run([PYTHON, "-c", ""], check=True, capture_output=True)  # noqa: S603 our own
    except (OSError, subprocess.CalledProcessError):
        return False
    return all(lock.stat().st_mtime <= made for lock in locks)


def install():
    """Make the environment anew. Ends the process with a line where a step fails."""
    print(f"Setting up {VENV}, once: about {SIZE}.", flush=True)
    step(
        "1/3 the environment",
        [sys.executable, "-m", "venv", "--clear", VENV],
        " On Debian or Ubuntu: apt install python3-venv",
    )
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    step("2/3 the installer", [*pip, "--requirement", INSTALLER_LOCK])
    step("3/3 the packages", [*UV, LOCK])
    script = BIN / "daybook"
    script.write_text(DAYBOOK, encoding="utf-8")
    script.chmod(0o755)
    READY.touch()


def add_tools():
    """Install what tests and checks need. Ends the process with a line where that fails."""
    print(f"Adding what tests and checks need, once: about {TOOLS_SIZE}.", flush=True)
    step("the tools", [*UV, TOOLS_LOCK])
    TOOLS_READY.touch()


def step(name, command, remedy=""):
    """Run it, and say now and then how much is there."""
    print(f"  {name} …", flush=True)
    with subprocess.Popen(command, env=environment()) as process:  # noqa: S603 named in install()
        while True:
            try:
                code = process.wait(LOOK_SECONDS)
                break
            except subprocess.TimeoutExpired:
                print(f"  {name}: {size() / 1e6:.0f} MB", flush=True)
    if code:
        refuse(f"Step {name} failed.{remedy}")


def environment():
    """This process's, without what would have pip install elsewhere."""
    elsewhere = {"PIP_TARGET", "PIP_PREFIX"}
    return {**{name: os.environ[name] for name in os.environ if name not in elsewhere}, "PIP_USER": "0"}


def size():
    """Bytes in the environment so far."""
    total = 0
    for folder, _, names in os.walk(VENV):  # passes over folders that have gone meanwhile
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 a hot loop
            except OSError:  # gone meanwhile
                continue
    return total


def refuse(text):
    """End with this line, where there is one."""
    if text:
        sys.exit(text)


if __name__ == "__main__":
    try:
        main(tools="tools" in sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nEnded. The next make sets up again.")
    except OSError as error:
        sys.exit(f"{VENV} can't be set up: {error}")
