"""Whether all is well, by what ``status`` reads, and what to do next."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ops.errors import DONE, PENDING, SOURCES
from schemas.ledger import FAILED, OPEN

RUN = "python -m ops run --wait"


class Verdict(NamedTuple):
    """``next`` is empty where nothing is to be done."""

    text: str
    next: str
    code: int


def verdict(status: Mapping[str, Any]) -> Verdict:
    """The gravest of what holds. A failed run whose days are pending is told as failed, with the code of
    pending days."""
    return next(_verdicts(status))


def _verdicts(status: Mapping[str, Any]) -> Iterator[Verdict]:
    run, days = status["last_run"], len(status["pending"])
    if status["held"]:
        yield Verdict(
            f"Nothing is entered: {status['held']}.", "python -m ops replay --rebuild ends it", PENDING
        )
    if run is None:
        yield Verdict("No run has been made yet.", RUN, DONE)
        return
    if run["state"] == FAILED:
        reason = f": {run['reasons'][0]}" if run["reasons"] else "."
        steps = f'docs/runbook.md, "The run … failed"; after it {RUN}'
        yield Verdict(f"The last run failed{reason}", steps, PENDING if days else SOURCES)
    if days:
        text = f"{days:,} {'day is' if days == 1 else 'days are'} pending"
        if run["state"] == OPEN:
            yield Verdict(f"A run is under way: {text}.", "python -m ops status --watch", PENDING)
        yield Verdict(f"{text}.", RUN, PENDING)
    if run["state"] == OPEN:
        yield Verdict("A run is under way; nothing is pending.", "python -m ops status --watch", DONE)
    if status["unsent"]:
        yield Verdict("All is entered, but not all messages are sent.", "python -m ops doctor", DONE)
    if not status["complete"]:
        yield Verdict("All is entered; the tables can't be read whole yet.", "python -m ops verify", DONE)
    standing = len(status["warnings"])
    but = f"; {standing} warning{'s' if standing > 1 else ''} below" if standing else ""
    yield Verdict(f"All is well{but}.", "", DONE)
