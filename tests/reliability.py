"""The tests' own record of the faults they tried, and the table that docs/reliability.md is made of.

Every run of pytest ends with their number (conftest.py). ``make test-long`` keeps the record in the folder
that ``DAYBOOK_FAULTS`` names, and ends with ``python tests/reliability.py <folder>``, which writes the table
into the document.
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

VARIABLE = "DAYBOOK_FAULTS"
DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "reliability.md"
FIGURES = ("tried", "survived", "seconds")
BEGIN, END = "<!-- faults: made by tests/reliability.py -->", "<!-- /faults -->"


@contextmanager
def counted(kind: str, tried: int = 1) -> Iterator[Counter[str]]:
    """So many faults of this kind are tried inside. All are survived where nothing is raised, but for those
    that are counted as "broken"."""
    began = time.perf_counter()
    count = Counter(broken=tried)
    try:
        yield (inside := Counter())
        count = inside
    finally:
        if folder := os.environ.get(VARIABLE):
            survived = tried - count["broken"]
            entry = {
                "kind": kind,
                "tried": tried,
                "survived": survived,
                "seconds": time.perf_counter() - began,
            }
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / f"{uuid4().hex}.json").write_text(json.dumps(entry))


def table(entries: list[dict]) -> list[str]:
    kinds: dict[str, Counter[str]] = {}
    for entry in entries:
        kinds.setdefault(entry["kind"], Counter()).update({name: entry[name] for name in FIGURES})
    lines = ["| faults of this kind | tried | survived | seconds |", "|---|--:|--:|--:|"]
    kinds = dict(sorted(kinds.items())) | {"**all**": sum(kinds.values(), Counter())}
    for kind, found in kinds.items():
        lines.append(f"| {kind} | {' | '.join(f'{found[name]:,.0f}' for name in FIGURES)} |")
    return lines


def summary(entries: list[dict]) -> str:
    """One line for the end of a run; empty where no fault was tried."""
    if not entries:
        return ""
    tried, survived = (sum(entry[name] for entry in entries) for name in ("tried", "survived"))
    matrix = sum(entry["tried"] for entry in entries if entry["kind"].startswith("calls: "))
    return f"{tried:,} faults tried, {matrix:,} of them of the crash matrix; {survived:,} survived"


def read(folder: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def main(folder: Path) -> None:
    before, _, rest = DOCUMENT.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    text = "\n".join([BEGIN, "", *table(read(folder)), "", END])
    DOCUMENT.write_text(f"{before}{text}{after}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
