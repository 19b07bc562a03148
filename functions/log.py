"""One structured line a stage, with counts: JSON, so that a value can't forge a line."""

import json
import sys
from typing import Any


def line(stage: str, **facts: Any) -> None:
    """Write a line to the function's log."""
    sys.stdout.write(json.dumps({"stage": stage, **facts}, default=str) + "\n")
    sys.stdout.flush()
