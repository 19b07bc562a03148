"""What page, ops, metric and mail each say of what is pending, and of the lag."""

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from local.in_process import InProcessCloud
from local.scenario.operator import answer


@dataclass(frozen=True)
class Said:
    """None where a place says nothing of it. ``pending`` is a number where a place names no dates."""

    pending: list[dt.date] | int | None = None
    lag: int | None = None


def says(cloud: InProcessCloud) -> dict[str, Said]:
    """By place."""
    return {"ops": _ops(cloud), "metric": _metric(cloud)}


def _ops(cloud: InProcessCloud) -> Said:
    _, found = answer(cloud, "status")
    status: Any = found
    return Said(list(map(dt.date.fromisoformat, status["pending"])), status["lag_days"])


def _metric(cloud: InProcessCloud) -> Said:
    """The last values that were written."""
    runtime: Any = cloud.runtime
    values: dict[str, int] = {}
    for line in runtime.lines:
        if '"_aws"' in line:
            values |= json.loads(line)
    return Said(values.get("DaysPending"), values.get("LagDays"))
