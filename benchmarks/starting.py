"""Cold imports: what a function waits for before its first event."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Figure, ratio

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7
IMPORTS = (
    ("consumer", "import functions.consumer", "import boto3", 1.3),
    ("fetcher", "import functions.fetcher", "import boto3, pandas", 1.2),
    ("reporter", "import functions.reporter", "import boto3", 1.3),
)
TIMED = "import time; begun = time.process_time(); {work}; print(time.process_time() - begun)"


def figures() -> Iterator[Figure]:
    with TemporaryDirectory() as empty:
        nothing_kept = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": empty}
        for name, ours, bare, goal in IMPORTS:
            yield _compared(
                f"{name}, cold import, in Lambda's way: no bytecode kept", ours, bare, goal, nothing_kept
            )
            yield _compared(f"{name}, cold import, bytecode kept", ours, bare, goal, {})
    yield _compared("marshmallow alone, bytecode kept", "import boto3, marshmallow", "import boto3", None, {})


def _compared(name: str, ours: str, bare: str, goal: float | None, variables: dict[str, str]) -> Figure:
    _import(ours, variables)  # read from disk, and compiled
    found, mine, its = ratio(lambda: _import(ours, variables), lambda: _import(bare, variables), ROUNDS)
    loaded = bare.removeprefix("import ")
    return Figure(
        name, found, f"× bare {loaded}", goal, f"{mine * 1000:.0f} ms, {loaded} {its * 1000:.0f} ms"
    )


def _import(work: str, variables: dict[str, str]) -> float:
    command = [sys.executable, "-c", TIMED.format(work=work)]
    unset = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(  # noqa: S603 this Python, and words of this file
        command, cwd=ROOT, env=unset | variables, capture_output=True, text=True, check=True
    )
    return float(done.stdout)
