"""How the pipeline is: healthy, warning, degraded or unknown, and why. Pure."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from dashboard import words
from dashboard.cache import AGAIN
from dashboard.latest import Latest
from schemas import ledger
from schemas.ledger import ACCEPTED, FAILED, INCOMPLETE, OPEN, Run, Warning
from schemas.moment import moment
from schemas.text import without_account

State = Literal["healthy", "warning", "degraded", "unknown"]
INFORMATION = ("ended/", "unreported/")  # codes of warnings that every reader of the figures should know
PASSING = ("behind/", "late/")  # … and of those that say something of now; the others stand for ever
RUN_NAME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)#[\w:.-]+")
SETTLES_WITHIN = dt.timedelta(hours=1)  # an open run is at work; the mapping tries for twelve hours


@dataclass(frozen=True)
class Assessment:
    """The state and every reason for it, the gravest first."""

    state: State
    reasons: tuple[str, ...]
    stale: bool


@dataclass(frozen=True)
class Pending:
    """A day that a run owes, and which run it is."""

    date: dt.date
    reason: str


def assess(latest: Latest, now: dt.datetime, stale_after: dt.timedelta) -> Assessment:
    """Out of reach is unknown, what failed is degraded, what may mend itself a warning."""
    head = latest.head
    unknown = [
        f"The ledger has been out of reach since {words.moment(problem.since)}."
        for problem in latest.problems
        if problem.place == "ledger"
    ]
    if head is None:
        return Assessment("unknown", tuple(unknown) or ("The ledger has not answered yet.",), stale=False)
    stale = head.last_success is not None and now - head.last_success > stale_after
    if head.last_run is None:
        return Assessment("unknown", (*unknown, "No run has been made yet."), stale=False)
    degraded, warning = [], []
    last = latest.details.runs[0] if latest.details and latest.details.runs else None
    if head.failures:
        degraded.append(f"{words.count(len(head.failures), 'run')} failed since the last one that completed.")
    elif last is not None and last.state in (FAILED, INCOMPLETE):
        degraded.append(f"The last run {'failed' if last.state == FAILED else 'is incomplete'}.")
    if head.last_success is None:
        degraded.append("No run has completed yet.")
    elif stale:
        degraded.append(f"No run has completed since {words.moment(head.last_success)}.")
    degraded += [
        f"The store has been out of reach since {words.moment(problem.since)}."
        for problem in latest.problems
        if problem.place == "store"
    ]
    late = [name for name in head.owing if now - begun(name) > SETTLES_WITHIN]
    if late:
        verb = "owes" if len(late) == 1 else "owe"
        warning.append(f"{words.count(len(late), 'run')} still {verb} days after an hour.")
    at_work = len(head.owing) > len(late)
    if (waiting := pending(latest)) and not at_work:
        warning.append(f"{words.count(len(waiting), 'day')} pending.")
    if last is not None and last.failed:
        warning.append(
            f"{words.count(len(last.failed), 'day')} of the last run given up: no longer published."
        )
    if head.held:
        warning.append(
            f"A rebuild has been under way since {words.moment(head.held.since)}: nothing is entered."
        )
    if latest.trailing:
        warning.append(
            "The store's figures trail the ledger; it may take six hours to show what was written."
        )
    if head.unsent and now - head.last_run > SETTLES_WITHIN:
        warning.append(f"{words.count(len(head.unsent), 'notice')} not sent yet.")
    warning += [public(one.text) + "." for one in standing(latest) if one.code.startswith(PASSING)]
    state: State = "unknown" if unknown else "degraded" if degraded else "warning" if warning else "healthy"
    reasons = (*unknown, *degraded, *warning)
    healthy = (f"The last run completed {words.moment(head.last_success)}, and nothing is pending.",)
    return Assessment(state, reasons or healthy, stale)


def standing(latest: Latest) -> list[Warning]:
    """The warnings that people know of; an acceptance is remembered among them, and has no text."""
    told = latest.head.told if latest.head else ()
    return [warning for warning in told if not warning.code.startswith(ACCEPTED)]


def information(latest: Latest) -> list[str]:
    """What a reader of the figures should know about the sources."""
    return [public(one.text) + "." for one in standing(latest) if one.code.startswith(INFORMATION)]


def public(text: str) -> str:
    """The text as everybody may read it: a run is named by its time alone, and nothing names the account."""
    return without_account(RUN_NAME.sub(r"\1", text))


def begun(name: str) -> dt.datetime:
    """When a run began, by its name."""
    return moment(name.partition("#")[0])


def checked_at(latest: Latest) -> dt.datetime | None:
    """When the sources were last read and believed, both of them."""
    files = latest.details.files if latest.details else ()
    return min(file.checked_at for file in files) if files else None


def lag(latest: Latest) -> int | None:
    """Days from the last acknowledged date to the newest published one."""
    return None if latest.head is None else ledger.lag(latest.head)


def pending(latest: Latest) -> list[Pending]:
    """Every day that is known to be pending, oldest first, with the newest run that owes it and its state;
    empty where the ledger was never read."""
    if latest.details is None:
        return []
    owing, days = latest.details.owing, latest.details.days
    reasons = {date: _reason(run) for run in owing for date in ledger.owed(run, days)}
    return [Pending(date, reasons[date]) for date in ledger.pending(owing, days)]


def _reason(run: Run) -> str:
    when = words.moment(run.time)
    if run.state == OPEN:
        return f"sent by the run of {when}"
    return f"the run of {when} {'failed' if run.state == FAILED else 'is incomplete'}"


def tally(run: Run) -> str:
    """``3 inserted, 1 updated``: what came of a run."""
    if run.state == FAILED and not run.pending:
        return f"refused: {words.count(run.reason_count, 'reason')}"
    parts = [(len(run.inserted), "inserted"), (len(run.updated), "updated")]
    rest = [
        (len(run.duplicate), "known already"),
        (len(run.superseded), "replaced by newer"),
        (len(run.failed), "no longer published"),
        (len(run.refused), "refused by a table"),
        (len(run.unaccounted) - len(run.refused), "awaited" if run.state == OPEN else "without outcome"),
    ]
    return ", ".join(f"{number:,} {word}" for number, word in [*parts, *(one for one in rest if one[0])])


def looks_again() -> str:
    """When trailing figures are asked for again."""
    return f"Asked again after {', '.join(str(int(each.total_seconds()) // 60) for each in AGAIN)} minutes"
