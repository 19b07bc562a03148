"""``status``: whether all is well, what to do next, and how far the record goes."""

import threading
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import click

from ops.errors import DONE, PENDING, SOURCES
from ops.held import GOES_ON
from ops.json_output import RunAnswer, as_json
from ops.options import JSON, Options, command
from ops.stack import Stack
from ops.terminal import facts, line
from schemas.answer import Answer, listed, moment, nested, text, whole, yes_or_no
from schemas.ended import ended, sentence
from schemas.ledger import ACCEPTED, BACKFILL, FAILED, OPEN, REBUILD, lag, pending
from schemas.text import plural
from storage.tables import stamp

SECONDS = 5  # between two looks
RUN = "daybook run --wait"
WATCH = "daybook status --watch"
NO_MORE = {True: "no other run is made", False: "nothing is entered"}  # by whether it is a backfill


class StatusAnswer(Answer):
    """How a stack stands. ``next`` is null where nothing is to be done."""

    verdict = text()
    next = text(nullable=True)
    target = text()
    stack = text()
    last_acknowledged = text(nullable=True)
    newest_published = text(nullable=True)
    lag_days = whole(nullable=True)
    days = whole()
    pending = listed()
    stamp = whole()
    complete = yes_or_no()
    last_run = nested(RunAnswer, nullable=True)
    last_success = moment(nullable=True)
    held = text(nullable=True)
    owing = listed()
    failures = listed()
    unsent = listed()
    ended = text(nullable=True)
    warnings = listed()


ANSWER = StatusAnswer()


@command()
@JSON
@click.option("--watch", is_flag=True, help="Look again every 5 seconds, until Ctrl-C.")
def status(options: Options, as_data: bool, watch: bool) -> int:
    """Whether all is well, and what to do next. Then dates, lag, last run. Exit code 4 where the last run
    failed, 5 while days are pending or a rebuild is under way."""
    with options.stack(reading=not watch) as stack:
        while True:
            state = read(stack)
            if watch:
                click.clear()
            if as_data:
                as_json(ANSWER, state)
            else:
                show(state)
            if not watch:
                return verdict(state).code
            threading.Event().wait(SECONDS)


def read(stack: Stack) -> dict[str, Any]:
    """What ``status`` answers with."""
    owing = stack.ledger.owing()
    head, runs = owing.head, stack.ledger.runs(1)
    state: dict[str, Any] = {
        "target": stack.description,
        "stack": stack.facts["stack"],
        "held": head.held and head.held.reason,
        "backfilling": head.is_backfilling,
        "last_acknowledged": head.last_acknowledged,
        "newest_published": head.newest,
        "lag_days": lag(head),
        "days": len(stack.ledger.days()),
        "pending": pending(owing.others, owing.days),
        "stamp": head.stamp,
        # While they are made anew, they may not be there to be asked.
        "complete": not head.is_rebuilding and stamp(stack.tables.daily()) == head.stamp,
        "last_run": runs[0] if runs else None,
        "last_success": head.last_success,
        "owing": sorted(head.owing),
        "failures": head.failures,
        "unsent": sorted(head.unsent),
        # A remembered acceptance has no text.
        "ended": sentence(ended(head.told, stack.ledger.files())) or None,
        "warnings": [warning.text for warning in head.told if not warning.code.startswith(ACCEPTED)],
    }
    said = verdict(state)
    return state | {"verdict": said.text, "next": said.next or None}


def show(state: Mapping[str, Any]) -> None:
    """Write it for people: the verdict and the next step in one line, then what they rest on."""
    line(f"{state['verdict']} Next: {state['next']}" if state["next"] else state["verdict"])
    line("")
    last, dates = state["last_run"], state["pending"]
    more = f" … {dates[-1]}" if len(dates) > 5 else ""
    values = {
        "Stack": state["stack"],
        "Held": state["held"] and f"{state['held']}: {NO_MORE[state['backfilling']]}",
        "Last acknowledged date": state["last_acknowledged"],
        "Newest published date": state["newest_published"],
        "Lag, days": state["lag_days"],
        "Days in the record": state["days"],
        "Pending days": f"{len(dates):,}: {', '.join(map(str, dates[:5]))}{more}" if dates else "none",
        "Tables": "complete" if state["complete"] else "trailing: what was written can't all be read yet",
        "Last run": last and f"{last.time:%Y-%m-%d %H:%M} UTC  {last.state}",
        "Last success": state["last_success"] and f"{state['last_success']:%Y-%m-%d %H:%M} UTC",
        "Runs that owe days": state["owing"] or None,
        "Failed since": state["failures"] or None,
        "Reasons": last and (last.reasons or None),
        "Notices not sent": state["unsent"] or None,
        "Warnings": state["warnings"] or None,
    }
    facts({name: value for name, value in values.items() if value is not None})


class Verdict(NamedTuple):
    """``next`` is empty where nothing is to be done."""

    text: str
    next: str
    code: int


def verdict(state: Mapping[str, Any]) -> Verdict:
    """The gravest of what holds. A failed run whose days are pending is named as failed, with the code of
    pending days."""
    return next(_verdicts(state))


def _verdicts(state: Mapping[str, Any]) -> Iterator[Verdict]:
    run, days = state["last_run"], len(state["pending"])
    if state["backfilling"]:
        yield Verdict(f"No run is made: {state['held']}.", GOES_ON[BACKFILL], PENDING)
    if state["held"]:
        yield Verdict(f"Nothing is entered: {state['held']}.", GOES_ON[REBUILD], PENDING)
    if run is None:
        yield Verdict("No run has been made yet.", RUN, DONE)
        return
    if run.state == FAILED:
        reason = f": {run.reasons[0]}" if run.reasons else ""
        steps = f'docs/runbook.md, "The run … failed"; after it {RUN}'
        yield Verdict(f"The last run failed{reason}.", steps, PENDING if days else SOURCES)
    if days:
        waiting = f"{plural(days, 'day')} {'is' if days == 1 else 'are'} pending."
        if run.state == OPEN:
            yield Verdict(f"A run is under way: {waiting}", WATCH, PENDING)
        yield Verdict(waiting, RUN, PENDING)
    if run.state == OPEN:
        yield Verdict("A run is under way; nothing is pending.", WATCH, DONE)
    if state["unsent"]:
        yield Verdict("All is entered, but not all messages are sent.", "daybook doctor", DONE)
    if not state["complete"]:
        yield Verdict("All is entered; the tables can't be read whole yet.", "daybook verify", DONE)
    standing = len(state["warnings"])
    but = f"; {plural(standing, 'warning')} below" if standing else ""
    if state["ended"]:
        yield Verdict(f"Ended: {state['ended'].removesuffix('.')}{but}.", "", DONE)
    yield Verdict(f"All is well{but}.", "", DONE)
