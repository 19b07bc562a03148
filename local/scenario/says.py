"""What page, ops, metric and mail each say of what is pending, and of the lag."""

import datetime as dt
import json
import re
from dataclasses import dataclass
from typing import Any

from local.in_process import InProcessCloud
from local.scenario import reading
from local.scenario.operator import answer

OWED = re.compile(
    r"^(?:Not entered yet|The consumer could not enter)[: ]+[0-9,]+ days?: (.*?)[.]?$", re.MULTILINE
)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
BEHIND = re.compile(r"^Newest published date: .*, ([0-9,]+) days? later$", re.MULTILINE)


@dataclass(frozen=True)
class Said:
    """What a place says; None where it says nothing. ``count`` is of the pending dates; ``among`` are dates
    that are said to be pending, among others perhaps."""

    pending: list[dt.date] | None = None
    count: int | None = None
    among: frozenset[dt.date] = frozenset()
    lag: int | None = None

    def differs(self, expected: list[dt.date]) -> str:
        """What it says of the pending dates, where that is something else."""
        if self.pending is not None and self.pending != expected:
            return ", ".join(map(str, self.pending)) or "none"
        if self.count is not None and self.count != len(expected):
            return str(self.count)
        return ", ".join(map(str, sorted(self.among - set(expected))))


def says(cloud: InProcessCloud) -> dict[str, Said]:
    """By place."""
    return {"page": _page(cloud), "ops": _ops(cloud), "metric": _metric(cloud), "mail": _mail(cloud)}


def _page(cloud: InProcessCloud) -> Said:
    """The dashboard's ``/status.json``."""
    from dashboard.app import create_app
    from dashboard.settings import Settings

    settings = Settings.read(cloud.stack.exports["dashboard_environment"])
    app = create_app(cloud.ledger, cloud.tables, settings, cloud.clock.now, patience=(20, 20))
    status = json.loads(app.server.test_client().get("/status.json").text)
    return Said([dt.date.fromisoformat(day["date"]) for day in status["pending"]], lag=status["lag_days"])


def _ops(cloud: InProcessCloud) -> Said:
    _, status = answer(cloud, "status")
    return Said(list(map(dt.date.fromisoformat, status["pending"])), lag=status["lag_days"])


def _metric(cloud: InProcessCloud) -> Said:
    """The last values that were written."""
    runtime: Any = cloud.runtime
    values: dict[str, int] = {}
    for line in runtime.lines:
        if '"_aws"' in line:
            values |= json.loads(line)
    return Said(count=values.get("DaysPending"), lag=values.get("LagDays"))


def _mail(cloud: InProcessCloud) -> Said:
    """The last message. Of the lag it speaks for as long as it is about the newest run."""
    messages, runs = reading.messages(cloud), reading.runs(cloud)
    if not messages or not runs:
        return Said()
    text = messages[-1].text("email")
    owed = OWED.search(text)
    among = frozenset(map(dt.date.fromisoformat, DATE.findall(owed[1]))) if owed else frozenset()
    if "Last acknowledged date: " not in text or runs[-1].name not in text:
        return Said(among=among)
    behind = BEHIND.search(text)
    return Said(among=among, lag=int(behind[1].replace(",", "")) if behind else 0)
