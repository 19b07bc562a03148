"""``logs``: the lines of all three functions together, in the order in which they were written."""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from typing import Any

import click

from ops.errors import CONFIGURATION, Problem
from ops.json_output import as_json
from ops.options import DURATION, JSON, Options, command
from ops.stack import Stack, real_time
from ops.terminal import line
from schemas.answer import Answer, text, whole

FUNCTIONS = ("fetcher", "consumer", "reporter")
METRICS = '{"_aws"'  # for CloudWatch to count, in the log as well
POLL_SECONDS = 2.0
# CloudWatch takes lines in a little late: what came in since is looked for from this much earlier on.
LATE = dt.timedelta(seconds=30)


class LineAnswer(Answer):
    """A line of a function's log; the timestamp is in epoch milliseconds."""

    timestamp = whole()
    time = text()
    function = text()
    line = text()


ANSWER = LineAnswer(many=True)


@command()
@JSON
@click.option(
    "--since", type=DURATION, default="1h", show_default=True, help="How far back: 90s, 10m, 2h, 1d."
)
@click.option("--run", help="Only lines of this run: its name, or a part of it.")
@click.option("--tail", is_flag=True, help="Go on with what comes, until Ctrl-C.")
def logs(options: Options, as_data: bool, since: dt.timedelta, run: str | None, tail: bool) -> None:
    """What the functions wrote, all together. With --tail and --json a line of JSON each."""
    with options.stack(reading=True) as stack:
        if stack.kept:
            raise Problem(
                "A kept state has no logs: they ended with the cloud that wrote them.",
                "",
                "Look at its runs: daybook runs. Or start it: python -m local up",
                CONFIGURATION,
            )
        start = real_time() - since  # by CloudWatch's clock, not the sources'
        seen: set[tuple[str, str]] = set()
        pause = threading.Event()
        while True:
            lines = sorted(_new(stack, start, run, seen), key=lambda each: each["timestamp"])
            if as_data and not tail:
                as_json(ANSWER, lines)
            else:
                for each in lines:
                    line(json.dumps(each) if as_data else plain(each))
            if not tail:
                return
            start = max([start, *(_moment(each["timestamp"]) - LATE for each in lines)])
            pause.wait(POLL_SECONDS)


def _new(
    stack: Stack, start: dt.datetime, run: str | None, seen: set[tuple[str, str]]
) -> Iterator[dict[str, Any]]:
    client: Any = stack.client("logs")
    for function in FUNCTIONS:
        request = {
            "logGroupName": f"/aws/lambda/{stack.facts[function]}",
            "startTime": int(start.timestamp() * 1000),
        }
        try:
            for page in client.get_paginator("filter_log_events").paginate(**request):
                for event in page["events"]:
                    known = (function, event["eventId"])
                    message = event["message"].rstrip("\n")
                    if (
                        known in seen
                        or message.startswith(METRICS)
                        or (run is not None and run not in message)
                    ):
                        continue
                    seen.add(known)
                    yield {
                        "timestamp": event["timestamp"],
                        "time": f"{_moment(event['timestamp']):%Y-%m-%d %H:%M:%S}",
                        "function": function,
                        "line": message,
                    }
        except client.exceptions.ResourceNotFoundException:
            continue  # a function that has said nothing yet has no group in the local cloud


def plain(entry: dict[str, Any]) -> str:
    """For people: a line of ours as its stage and what belongs to it, any other as it is."""
    try:
        values = json.loads(entry["line"])
        message = f"{values.pop('stage'):<13} "
        level = values.pop("level", "INFO")
        values.pop("timestamp", None)  # the line's own, by CloudWatch, is said first
        message += "" if level == "INFO" else f"{level}  "
        message += "  ".join(f"{name} {value}" for name, value in values.items())
    except (ValueError, AttributeError, KeyError, TypeError):
        message = entry["line"]
    return f"{entry['time']}  {entry['function']:<8}  {message}"


def _moment(timestamp: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(timestamp / 1000, dt.UTC)
