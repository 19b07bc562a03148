"""Cold imports: what a function waits for before its first event."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Figure, ratio

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7
IMPORTS = (
    ("consumer, cold import", "import functions.consumer", "import boto3", 1.3),
    ("fetcher, cold import", "import functions.fetcher", "import boto3, pandas", 1.2),
    ("reporter, cold import", "import functions.reporter", "import boto3", 1.3),
)
TIMED = "import time; begun = time.process_time(); {work}; print(time.process_time() - begun)"


def figures() -> Iterator[Figure]:
    for name, ours, bare, goal in IMPORTS:
        _import(ours)  # compiled, and read from disk
        found, mine, its = ratio(lambda ours=ours: _import(ours), lambda bare=bare: _import(bare), ROUNDS)
        note = f"{mine * 1000:.0f} ms, {bare.removeprefix('import ')} {its * 1000:.0f} ms"
        yield Figure(name, found, f"× bare {bare.removeprefix('import ')}", goal, note)


def _import(work: str) -> float:
    command = [sys.executable, "-c", TIMED.format(work=work)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    return float(done.stdout)
