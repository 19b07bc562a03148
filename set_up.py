"""``make setup``: .venv from the lock files. Only the standard library, and syntax that Python 3.6 knows.

Called as ``python3 -I set_up.py LOCK…``; the last of the locks is the installer's own.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

VENV = Path(".venv")
READY = VENV / ".ready"
BIN = VENV / "bin"
PYTHON = BIN / "python"
NEEDED = (3, 11)
SIZE = "1.2 GB, some minutes"  # of requirements.txt and requirements/dev.txt together, unpacked
LOOK_SECONDS = 5
# The script finds its folder by itself, so that the folder can be moved and be called anything.
DAYBOOK = """#!/bin/sh
# python -m ops, from anywhere.
folder=$(dirname "$(readlink -f "$0")")/../..
PYTHONPATH="$folder${PYTHONPATH:+:$PYTHONPATH}" exec "$folder/.venv/bin/python" -m ops "$@"
"""


def main(locks):
    """The exit code. A second set-up in this folder waits for the first one, and finds its work done."""
    refuse(problem())
    with Path(".venv.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print(f"Another make sets up {VENV} here: waiting for it …", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_ready(locks):
            install(locks)


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


def is_ready(locks):
    """Whether a set-up has ended since the locks were written, with an interpreter that is still there."""
    try:
        made = READY.stat().st_mtime
        subprocess.run([PYTHON, "-c", ""], check=True, capture_output=True)  # noqa: S603 our own
    except (OSError, subprocess.CalledProcessError):
        return False
    return all(Path(lock).stat().st_mtime <= made for lock in locks)


def install(locks):
    """Make the environment anew. Ends the process with a line where a step fails."""
    *packages, installer = locks
    print(f"Setting up {VENV}, once: about {SIZE}.", flush=True)
    step(
        "1/3 the environment",
        [sys.executable, "-m", "venv", "--clear", VENV],
        " On Debian or Ubuntu: apt install python3-venv",
    )
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    step("2/3 the installer", [*pip, "--requirement", installer])
    uv = [BIN / "uv", "pip", "install", "--quiet", "--python", PYTHON, "--require-hashes"]
    step("3/3 the packages", uv + [word for lock in packages for word in ("--requirement", lock)])
    script = BIN / "daybook"
    script.write_text(DAYBOOK, encoding="utf-8")
    script.chmod(0o755)
    READY.touch()


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
    for path in VENV.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:  # moved meanwhile
            continue
    return total


def refuse(text):
    """End with this line, where there is one."""
    if text:
        sys.exit(text)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("\nEnded. The next make sets up again.")
    except OSError as error:
        sys.exit(f"{VENV} can't be set up: {error}")
