"""Lambda's Python, where this machine has one, and whether packages can be had."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from infra import package

UV = Path(sys.executable).with_name("uv")
TELL = "import sys; print('%d.%d' % sys.version_info[:2])"


@cache
def lambdas_python() -> Path | None:
    """A Python of the version that the functions run on; None where this machine has none."""
    return next((path for path in _candidates() if _version(path) == package.PYTHON), None)


@cache
def index_reachable() -> bool:
    """Whether there is an index of wheels, asked for something small."""
    ask = [UV, "pip", "compile", "--quiet", "--no-cache", "-"]
    return subprocess.run(ask, input=b"six", capture_output=True, check=False).returncode == 0


def _candidates() -> Iterator[Path]:
    yield Path(sys.executable)
    if found := shutil.which(f"python{package.PYTHON}"):
        yield Path(found)
    yield from sorted(Path.home().glob(f".pyenv/versions/{package.PYTHON}*/bin/python"))
    found = subprocess.run(
        [UV, "python", "find", package.PYTHON], capture_output=True, text=True, check=False
    )
    if found.returncode == 0:
        yield Path(found.stdout.strip())


def _version(python: Path) -> str:
    """A shim of pyenv's may be there for a version that isn't."""
    return subprocess.run([python, "-c", TELL], capture_output=True, text=True, check=False).stdout.strip()
