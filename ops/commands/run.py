"""``run``: ask the fetcher for a run now, and follow it to its report."""

import threading

import click

from ops.errors import DONE, PENDING, SOURCES, Problem
from ops.held import GOES_ON, RESTING
from ops.json_output import RunAnswer, as_json
from ops.options import JSON, Options, command
from ops.stack import Stack
from ops.terminal import lines, progress, say
from schemas.answer import Answer, nested, text
from schemas.ledger import BACKFILL, COMPLETED, FAILED, OPEN, Run

TRIGGER = {"trigger": "operator"}
SECONDS = 1.0  # between two looks


class RunReportAnswer(Answer):
    """What came of a run that was asked for: both null where patience ended first."""

    run = nested(RunAnswer, nullable=True)
    report = text(nullable=True)


ANSWER = RunReportAnswer()


@command()
@JSON
@click.option("--wait", is_flag=True, help="Follow it to its report.")
@click.option(
    "--patience", type=click.FloatRange(0), default=600, show_default=True, help="Seconds to wait at most."
)
def run(options: Options, as_data: bool, wait: bool, patience: float) -> int:
    """Ask for a run now. With --wait: exit code 4 if its files were refused, 5 if days stay pending."""
    with options.stack(reading=True) as stack:
        head = stack.ledger.head()
        if head.held and head.is_backfilling:
            raise Problem(
                f"No run can be made: {head.held.reason}.", RESTING, f"{GOES_ON[BACKFILL]}.", PENDING
            )
        before = {run.name for run in stack.ledger.runs()}
        stack.ask(TRIGGER)
        say("The fetcher was asked for a run.")
        if not wait:
            say("To see what comes of it: daybook runs")
            return DONE
        mine = _follow(stack, before, patience)
        notices = stack.ledger.notices() if mine else []
    report = next((sent.notice.email for sent in notices if mine and sent.notice.id == mine.notice), None)
    if as_data:
        as_json(ANSWER, {"run": mine, "report": report})
    elif report is not None:
        lines(report, nl=False)
    if mine is not None and mine.state == FAILED and not mine.pending:
        return SOURCES
    return DONE if mine is not None and mine.state == COMPLETED else PENDING


def _follow(stack: Stack, before: set[str], patience: float) -> Run | None:
    """The run once it has ended and been reported, or as it is when patience ends."""
    mine: Run | None = None
    state, pause = "", threading.Event()
    with progress("No run is stored yet: the fetcher asks the sources") as move:
        for _ in range(max(1, int(patience / SECONDS))):
            mine = next((run for run in reversed(stack.ledger.runs()) if run.name not in before), None)
            if mine and mine.state != state:
                state = mine.state
                far = f"{state}, {len(mine.pending)} pending, {len(mine.accounted)} accounted for"
                say(f"{mine.name}: {far}")
                move(0, f"The run is {far}")
            if mine and mine.state != OPEN and mine.notice not in stack.ledger.head().unsent:
                return mine
            pause.wait(SECONDS)
    say("Patience has ended, the run has not: it goes on by itself. See: daybook status")
    return mine
