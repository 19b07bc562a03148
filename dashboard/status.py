"""How the pipeline is: healthy, warning, degraded or unknown, and why. Pure."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dashboard import words
from dashboard.latest import AGAIN, Latest
from dashboard.series import ONE_DAY
from schemas.moment import moment
from schemas.run import COMPLETED, FAILED, INCOMPLETE, OPEN, Run

State = Literal["healthy", "warning", "degraded", "unknown"]
INFORMATION = ("ended/", "unreported/")  # codes of warnings that every reader of the figures should know
PASSING = ("behind/", "late/")  # … and of those that say something of now; the others stand for ever
SETTLES_WITHIN = dt.timedelta(hours=1)  # an open run is at work; the mapping tries for twelve hours


@dataclass(frozen=True)
class Assessment:
    """The state and every reason for it, the gravest first."""

    state: State
    reasons: tuple[str, ...]
    stale: bool


@dataclass(frozen=True)
class Pending:
    """A day that the sources publish and the ledger does not acknowledge, and why not yet."""

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
    last = latest.ledger.runs[0] if latest.ledger.runs else None
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
    late = [name for name in head.open if now - begun(name) > SETTLES_WITHIN]
    if late:
        warning.append(f"{words.count(len(late), 'run')} still open after an hour.")
    at_work = len(head.open) > len(late)
    if (waiting := pending(latest)) and not at_work:
        warning.append(f"{words.count(len(waiting), 'day')} pending.")
    if last is not None and last.failed:
        warning.append(f"{words.count(len(last.failed), 'day')} of the last run could not be entered.")
    if latest.trailing:
        warning.append(
            "The store's figures trail the ledger; it may take six hours to show what was written."
        )
    if head.unsent and now - head.last_run > SETTLES_WITHIN:
        warning.append(f"{words.count(len(head.unsent), 'notice')} not sent yet.")
    warning += [one.text + "." for one in head.warnings if one.code.startswith(PASSING)]
    state: State = "unknown" if unknown else "degraded" if degraded else "warning" if warning else "healthy"
    reasons = (*unknown, *degraded, *warning)
    healthy = (f"The last run completed {words.moment(head.last_success)}, and nothing is pending.",)
    return Assessment(state, reasons or healthy, stale)


def information(latest: Latest) -> list[str]:
    """What a reader of the figures should know about the sources."""
    warnings = latest.head.warnings if latest.head else ()
    return [one.text + "." for one in warnings if one.code.startswith(INFORMATION)]


def begun(name: str) -> dt.datetime:
    """When a run began, by its name."""
    return moment(name.partition("#")[0])


def newest_published(latest: Latest) -> dt.date | None:
    """The newest date that both files have, as last checked."""
    files = latest.ledger.files
    return min(file.newest for file in files) if files else None


def checked_at(latest: Latest) -> dt.datetime | None:
    """When the sources were last read and believed, both of them."""
    files = latest.ledger.files
    return min(file.checked_at for file in files) if files else None


def lag(latest: Latest) -> int | None:
    """Days from the last acknowledged date to the newest published one."""
    newest, head = newest_published(latest), latest.head
    if newest is None or head is None or head.last_acknowledged is None:
        return None
    return max(0, (newest - head.last_acknowledged).days)


def unacknowledged(latest: Latest) -> list[dt.date]:
    """Dates after the last acknowledged one, up to the newest published, that the record has not."""
    newest, head = newest_published(latest), latest.head
    if newest is None or head is None or head.last_acknowledged is None:
        return []
    known = {row.day.date for row in latest.rows}
    after = head.last_acknowledged + ONE_DAY
    dates = (after + number * ONE_DAY for number in range((newest - after).days + 1))
    return [date for date in dates if date not in known]


def pending(latest: Latest) -> list[Pending]:
    """Every day that is known to be pending, oldest first, with its reason."""
    found: dict[dt.date, str] = dict.fromkeys(unacknowledged(latest), "published, not yet acknowledged")
    for day in latest.ledger.days:
        if day.digest is None:
            found[day.date] = "its last entry could not be completed; the next run sends it again"
    last_success = latest.head.last_success if latest.head else None
    for run in reversed(latest.ledger.runs):
        if run.state == OPEN:
            found |= {date: f"sent by the run of {words.moment(run.time)}" for date in run.unaccounted}
        elif run.state in (FAILED, INCOMPLETE) and (last_success is None or run.time > last_success):
            why = (
                f"the run of {words.moment(run.time)} {'failed' if run.state == FAILED else 'is incomplete'}"
            )
            found |= dict.fromkeys((*run.unaccounted, *run.failed), why)
        elif run.state == COMPLETED:
            found |= {date: f"set aside in the run of {words.moment(run.time)}" for date in run.failed}
            for date in run.inserted | run.updated | run.duplicate:
                found.pop(date, None)
    return [Pending(date, found[date]) for date in sorted(found)]


def tally(run: Run) -> str:
    """``3 inserted, 1 updated``: what came of a run."""
    if run.state == FAILED and not run.pending:
        return f"refused: {words.count(run.reason_count, 'reason')}"
    parts = [(len(run.inserted), "inserted"), (len(run.updated), "updated")]
    rest = [(len(run.duplicate), "known already"), (len(run.failed), "set aside")]
    rest += (
        [(len(run.unaccounted), "awaited")]
        if run.state == OPEN
        else [(len(run.unaccounted), "without outcome")]
    )
    return ", ".join(f"{number:,} {word}" for number, word in [*parts, *(one for one in rest if one[0])])


def looks_again() -> str:
    """When trailing figures are asked for again."""
    return f"Asked again after {', '.join(str(int(each.total_seconds()) // 60) for each in AGAIN)} minutes"


def document(latest: Latest, assessment: Assessment, runs: Sequence[Run]) -> dict[str, object]:
    """``/status.json``."""
    head = latest.head
    return {
        "state": assessment.state,
        "reasons": list(assessment.reasons),
        "stale": assessment.stale,
        "trailing": latest.trailing,
        "out_of_reach": [
            {"place": problem.place, "since": problem.since.isoformat()} for problem in latest.problems
        ],
        "last_acknowledged": _text(head and head.last_acknowledged),
        "newest_published": _text(newest_published(latest)),
        "lag_days": lag(latest),
        "last_run": _text(head and head.last_run),
        "last_success": _text(head and head.last_success),
        "checked_at": _text(checked_at(latest)),
        "days": len(latest.rows),
        "pending": [{"date": one.date.isoformat(), "reason": one.reason} for one in pending(latest)],
        "runs": [
            {
                "run": run.name,
                "time": run.time.isoformat(),
                "state": run.state,
                "trigger": run.trigger,
                "pending": len(run.pending),
                "inserted": len(run.inserted),
                "updated": len(run.updated),
                "duplicate": len(run.duplicate),
                "failed": len(run.failed),
                "reasons": list(run.reasons),
                "code": run.code,
            }
            for run in runs
        ],
        "warnings": [one.text for one in head.warnings] if head else [],
    }


def _text(when: dt.date | None) -> str | None:
    return None if when is None else when.isoformat()
