"""One structured line a stage, with counts: JSON, so that a value can't forge a line.

Lambda filters a line by its ``level`` where it knows the word and the line has an RFC 3339 ``timestamp``;
any other line is INFO to it. Lambda developer guide, "Configuring JSON and plain text log formats".
"""

import datetime as dt
import json
import sys
from typing import Any

from schemas.moment import written

INFO, WARN, ERROR = "INFO", "WARN", "ERROR"


def line(stage: str, level: str = INFO, **facts: Any) -> None:
    """Write a line to the function's log."""
    write({"stage": stage, **facts}, level)


def write(facts: dict[str, Any], level: str = INFO) -> None:
    """Write these as a line of JSON, with its level and the moment of writing."""
    about = {"level": level, "timestamp": written(dt.datetime.now(dt.UTC))}
    sys.stdout.write(json.dumps(facts | about, default=str) + "\n")
    sys.stdout.flush()
