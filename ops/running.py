"""``run``: ask the fetcher for a run now, and follow it to its report."""

import json
import threading

from ops import shown
from ops.errors import CONFIGURATION, DONE, PENDING, SOURCES, Problem
from ops.output import as_json, lines, say
from ops.target import Target
from schemas.ledger import COMPLETED, FAILED, OPEN, Run

TRIGGER = {"trigger": "operator"}
SECONDS = 1.0  # between two looks


def run(target: Target, wait: bool, patience: float, as_data: bool) -> int:
    """Exit code 4 where the run was refused for its files, 5 where it ended or stays without an outcome for
    some of its days."""
    if target.cloud is not None:
        raise Problem(
            "A kept state has no sources, and nobody to run it.",
            "Nothing was changed.",
            "Start it: python -m local up; then try again from another terminal.",
            CONFIGURATION,
        )
    before = {run.name for run in target.ledger.runs()}
    payload = json.dumps(TRIGGER).encode()
    target.client("lambda").invoke(
        FunctionName=target.facts["fetcher"], InvocationType="Event", Payload=payload
    )
    say("The fetcher was asked for a run.")
    if not wait:
        say("To see what comes of it: python -m ops runs")
        return DONE
    found = _follow(target, before, patience)
    notices = target.ledger.notices()
    report = next((sent.notice for sent in notices if found and sent.notice.id == found.notice), None)
    if as_data:
        as_json({"run": found and shown.run(found), "report": report and report.email})
    elif report is not None:
        lines(report.email, nl=False)
    return _code(found)


def _follow(target: Target, before: set[str], patience: float) -> Run | None:
    """The run once it has ended and been reported, or as it is when patience ends."""
    found: Run | None = None
    state = ""
    pause = threading.Event()
    for _ in range(max(1, int(patience / SECONDS))):
        mine = [run for run in target.ledger.runs() if run.name not in before]
        found = mine[-1] if mine else None
        if found and found.state != state:
            state = found.state
            say(f"{found.name}: {state}, {len(found.pending)} pending, {len(found.accounted)} accounted for")
        if found and found.state != OPEN and found.notice not in target.ledger.head().unsent:
            return found
        pause.wait(SECONDS)
    say("Patience has ended, the run has not: it goes on by itself. See: python -m ops status")
    return found


def _code(found: Run | None) -> int:
    if found is not None and found.state == FAILED and not found.pending:
        return SOURCES
    return DONE if found is not None and found.state == COMPLETED else PENDING
