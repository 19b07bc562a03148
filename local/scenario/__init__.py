"""``python -m local scenario``: a fault as data, played on both stores, and what must hold after it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from local.in_process import in_process
from local.scenario.document import Mistake
from local.scenario.form import Scenario
from local.scenario.language import scenario
from local.scenario.out import write
from local.scenario.play import Outcome, play

__all__ = ["Mistake", "Outcome", "Scenario", "play", "play_all", "scenario"]


def play_all(
    scenarios: Sequence[tuple[Path, Scenario]],
    stores: Sequence[str],
    out: Path | None,
    done: Callable[[Path, str, Outcome], None],
) -> None:
    """Each scenario on each of these stores that it is meant for; one cloud a store. ``out``: a folder for
    what it came to, in a folder of its own."""
    for store in stores:
        meant = [(path, made) for path, made in scenarios if store in made.stores]
        if not meant:
            continue
        with in_process(store=store) as cloud:
            for path, made in meant:
                outcome = play(cloud, made)
                if out is not None:
                    write(cloud, out / path.stem / store)
                done(path, store, outcome)
