"""One structured line a stage, with counts: JSON, so that a value can't forge a line."""

import json
import sys
from typing import Any

INFO, WARNING, ERROR = "INFO", "WARNING", "ERROR"


def line(stage: str, level: str = INFO, **facts: Any) -> None:
    """Write a line to the function's log; Lambda filters by its level."""
    write({"stage": stage, "level": level, **facts})


def write(facts: Any) -> None:
    """Write these as a line of JSON."""
    sys.stdout.write(json.dumps(facts, default=str) + "\n")
    sys.stdout.flush()
