"""``logs``: what the functions said, of all three together, in the order in which they said it."""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from typing import Any

from ops.errors import CONFIGURATION, Problem
from ops.output import as_json, line
from ops.target import Target

FUNCTIONS = ("fetcher", "consumer", "reporter")
METRICS = '{"_aws"'  # for CloudWatch to count, in the log as well
POLL_SECONDS = 2.0
# CloudWatch takes lines in a little late: what came in since is looked for from this much earlier on.
LATE = dt.timedelta(seconds=30)
Line = dict[str, Any]


def logs(target: Target, since: dt.timedelta, run: str | None, tail: bool, as_data: bool) -> None:
    """The lines since then, oldest first; with ``tail``, what comes after as well, until Ctrl-C."""
    if target.cloud is not None:
        raise Problem(
            "A kept state has no logs: they ended with the cloud that wrote them.",
            "",
            "Look at its runs: python -m ops runs. Or start it: python -m local up",
            CONFIGURATION,
        )
    start = dt.datetime.now(dt.UTC) - since  # noqa: TID251 CloudWatch's time, not the sources'
    seen: set[tuple[str, str]] = set()
    pause = threading.Event()
    while True:
        lines = sorted(_new(target, start, run, seen), key=lambda said: said["timestamp"])
        if as_data and not tail:
            as_json(lines)
        for said in lines:
            if tail or not as_data:
                line(json.dumps(said) if as_data else _shown(said))
        if not tail:
            return
        start = max([start, *(_moment(said["timestamp"]) - LATE for said in lines)])
        pause.wait(POLL_SECONDS)


def _new(target: Target, start: dt.datetime, run: str | None, seen: set[tuple[str, str]]) -> Iterator[Line]:
    client: Any = target.client("logs")
    for function in FUNCTIONS:
        request = {
            "logGroupName": f"/aws/lambda/{target.facts[function]}",
            "startTime": int(start.timestamp() * 1000),
        }
        try:
            for page in client.get_paginator("filter_log_events").paginate(**request):
                for event in page["events"]:
                    known = (function, event["eventId"])
                    text = event["message"].rstrip("\n")
                    if known in seen or text.startswith(METRICS) or (run is not None and run not in text):
                        continue
                    seen.add(known)
                    yield {
                        "timestamp": event["timestamp"],
                        "time": f"{_moment(event['timestamp']):%Y-%m-%d %H:%M:%S}",
                        "function": function,
                        "line": text,
                    }
        except client.exceptions.ResourceNotFoundException:
            continue  # a function that has said nothing yet has no group in the local cloud


def _shown(found: Line) -> str:
    """For people: a line of ours as its stage and what belongs to it, any other as it is."""
    try:
        facts = json.loads(found["line"])
        said = f"{facts.pop('stage'):<13} "
        level = facts.pop("level", "INFO")
        facts.pop("timestamp", None)  # the line's own, by CloudWatch, is said first
        said += "" if level == "INFO" else f"{level}  "
        said += "  ".join(f"{name} {value}" for name, value in facts.items())
    except (ValueError, AttributeError, KeyError, TypeError):
        said = found["line"]
    return f"{found['time']}  {found['function']:<8}  {said}"


def _moment(timestamp: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(timestamp / 1000, dt.UTC)
