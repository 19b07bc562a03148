"""``python tests/mortal.py <folder> <stage> <number>``: ``python -m local up --once`` with a cloud that is
killed at the number-th call of a stage. It names its handlers' processes before it dies."""

import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from kills import STAGES, Asked, caller, stage_of
from rich.console import Console

import local.up
from local.cloud import LocalCloud
from local.sources import feeds
from local.sources.publisher import Publisher


def main(folder: Path, stage: str, number: int) -> None:
    calls: Counter[str] = Counter()

    class MortalCloud(LocalCloud):
        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            publisher.files = Asked(lambda: self._reached("fetch"))
            self.emulator.on_call(self._called)

        def _called(self, operation: str, environ: dict[str, Any]) -> None:
            self._reached(stage_of(caller(environ), operation))

        def _reached(self, reached: str | None) -> None:
            calls[str(reached)] += 1
            if reached == stage and calls[stage] == number:
                for function in self.stack.functions:
                    print(*self.runtime.processes(function.name), flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

    local.up.LocalCloud = MortalCloud  # type: ignore[misc]
    with Publisher() as publisher:
        local.up.up(feeds.synthetic(publisher), folder, Console(stderr=True), once=True)


if __name__ == "__main__":
    assert sys.argv[2] in STAGES
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
