"""A program that reads and believes the sources as the fetcher does, and says how much memory it took.

A line of its input is a port, the most bytes of a file and the deadline in seconds. Each is answered by a
process of its own, which has all that the fetcher needs anyhow, and is ended where the deadline is over.
"""

import json
import os
import resource
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from misbehaving import sources_at
from source_faults import FILES, UNAVAILABLE, Decision, decided

from functions.errors import SourceUnavailable
from storage.archive import Archive

STATUS = Path("/proc/self/status")


def read(port: int, cap: int, deadline: float) -> Decision:
    """Fetch, keep, believe."""
    nowhere: Any = SimpleNamespace(put_object=lambda **_: None)
    archive = Archive(nowhere, "archive")
    try:
        files = sources_at(port, deadline, cap).fetch().files
    except SourceUnavailable as unavailable:
        return Decision(UNAVAILABLE, (str(unavailable),))
    for source, payload in files.items():
        archive.keep_file(source, payload)
    return decided(files)


def peak() -> float:
    """The most memory that this process has held, in MB."""
    if STATUS.exists():  # what getrusage says on Linux is the parent's too
        (found,) = (line.split()[1] for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(found) * 1_024 / 1_000_000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000_000


def answer(port: int, cap: int, deadline: float) -> None:
    signal.alarm(int(deadline))
    before = peak()
    found = read(port, cap, deadline)
    pending = {str(date): asdict(counts) for date, counts in found.pending.items()}
    said = {"outcome": found.outcome, "words": found.words[:20], "pending": pending}
    print(json.dumps(said | {"before": before, "peak": peak()}), flush=True)


if __name__ == "__main__":
    decided(FILES)
    for line in sys.stdin:
        port, cap, deadline = line.split()
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            if status:
                print(json.dumps({"outcome": f"ended with {status}"}), flush=True)
        else:
            answer(int(port), int(cap), float(deadline))
            os._exit(0)
