"""How often one kind of step followed another in the scenarios that were made at random."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import generated
import reliability

SUFFIX = ".pairs"
SHOWN = 15  # pairs; with DAYBOOK_PAIRS=all, all of them


class Pairs:
    """Of one store; what was counted is kept for the end of the run in the folder of the record of faults."""

    def __init__(self, store: str, seed: int) -> None:
        self._store, self._seed, self._scenarios = store, seed, 0
        self._found: Counter[tuple[str, str]] = Counter()

    def count(self, kinds: Sequence[str]) -> None:
        self._scenarios += 1
        self._found.update(pairwise(kinds))

    def keep(self) -> None:
        found = [[*pair, count] for pair, count in self._found.items()]
        kept = {"store": self._store, "seed": self._seed, "scenarios": self._scenarios, "pairs": found}
        if folder := os.environ.get(reliability.VARIABLE):
            Path(folder).mkdir(parents=True, exist_ok=True)
            (Path(folder) / f"{self._store}{SUFFIX}").write_text(json.dumps(kept))


def table(folder: Path) -> Iterator[str]:
    """What was played, and the pairs of all stores together, most frequent first."""
    found: Counter[tuple[str, str]] = Counter()
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        kept = json.loads(path.read_text())
        yield f"{kept['scenarios']:,} scenarios at random on {kept['store']}, seed {kept['seed']}"
        for first, then, count in kept["pairs"]:
            found[first, then] += count
    if not found:
        return
    never = len(generated.COUNTED) ** 2 - len(found)
    shown = None if os.environ.get("DAYBOOK_PAIRS") == "all" else SHOWN
    yield f"{len(found):,} pairs of consecutive steps, {never:,} never; the most frequent:"
    yield from _lines(found.most_common(shown))


def _lines(pairs: Iterable[tuple[tuple[str, str], int]]) -> Iterator[str]:
    for (first, then), count in pairs:
        yield f"{count:>7,}  {first} → {then}"
