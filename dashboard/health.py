"""How the pipeline is: healthy, ended, warning, degraded or unknown, and why. Pure."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import schemas.ended
from dashboard import text
from dashboard.cache import AGAIN, Snapshot
from schemas import ledger
from schemas.ledger import ACCEPTED, FAILED, INCOMPLETE, OPEN, Head, Run, Warning
from schemas.moment import moment, written
from schemas.text import plural, without_account

State = Literal["healthy", "ended", "warning", "degraded", "unknown"]
INFORMATION = ("ended/", "unreported/")  # codes of warnings that every reader of the figures should know
PASSING = ("behind/", "late/")  # … and of those that say something of now; the others stand for ever
RUN_NAME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)#[\w:.-]+")
# What infra/dashboard.py writes: the schedule's expression, and its time zone where it has one.
DAILY = re.compile(r"cron\((?P<minute>\d+) (?P<hour>\d+) (?:\* \* \?|\? \* \*) \*\)(?: (?P<zone>\S+))?")
RATE = re.compile(r"rate\((?P<number>\d+) (?P<unit>minute|hour|day)s?\)(?: \S+)?")
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


def assess(snapshot: Snapshot) -> Assessment:
    """Out of reach is unknown, what failed is degraded, what may mend itself a warning; else a record whose
    sources have ended has ended."""
    head, now = snapshot.head, snapshot.now
    stale_after = dt.timedelta(hours=snapshot.settings.stale_after_hours)
    unknown = [
        f"The ledger has been out of reach since {text.moment(problem.since)}."
        for problem in snapshot.problems
        if problem.place == "ledger"
    ]
    if head is None:
        return Assessment("unknown", tuple(unknown) or ("The ledger has not answered yet.",), stale=False)
    stale = head.last_success is not None and now - head.last_success > stale_after
    if head.last_run is None:
        return Assessment("unknown", (*unknown, "No run has been made yet."), stale=False)
    degraded, warning = [], []
    last = snapshot.details.runs[0] if snapshot.details and snapshot.details.runs else None
    if head.failures:
        degraded.append(f"{plural(len(head.failures), 'run')} failed since the last one that completed.")
    elif last is not None and last.state in (FAILED, INCOMPLETE):
        degraded.append(f"The last run {'failed' if last.state == FAILED else 'is incomplete'}.")
    if head.last_success is None:
        degraded.append("No run has completed yet.")
    elif stale:
        degraded.append(f"No run has completed since {text.moment(head.last_success)}.")
    degraded += [
        f"The store has been out of reach since {text.moment(problem.since)}."
        for problem in snapshot.problems
        if problem.place == "store"
    ]
    asked = {run.name: run.asked_at for run in snapshot.details.owing} if snapshot.details else {}
    late = [name for name in head.owing if now - asked.get(name, begun(name)) > SETTLES_WITHIN]
    if late:
        verb = "owes" if len(late) == 1 else "owe"
        warning.append(f"{plural(len(late), 'run')} still {verb} days after an hour.")
    at_work = len(head.owing) > len(late)
    if (waiting := snapshot.pending) and not at_work:
        warning.append(f"{plural(len(waiting), 'day')} pending.")
    if last is not None and last.failed:
        warning.append(f"{plural(len(last.failed), 'day')} of the last run given up: no longer published.")
    warning += _held(head)
    if snapshot.trailing:
        warning.append(
            "The store's figures trail the ledger; it may take six hours to show what was written."
        )
    if head.unsent and now - (asked_at(snapshot) or now) > SETTLES_WITHIN:
        warning.append(f"{plural(len(head.unsent), 'notice')} not sent yet.")
    warning += [public(one.text) + "." for one in standing(snapshot) if one.code.startswith(PASSING)]
    state: State = "unknown" if unknown else "degraded" if degraded else "warning" if warning else "healthy"
    reasons = (*unknown, *degraded, *warning)
    healthy = (f"The last run completed {text.moment(head.last_success)}, and nothing is pending.",)
    end = ended(snapshot)
    if end and not reasons:
        return Assessment("ended", (end, *healthy), stale)
    return Assessment(state, reasons or healthy, stale)


def _held(head: Head) -> list[str]:
    """What the marker of a rebuild or a backfill means for readers; nothing where none stands."""
    if head.held is None:
        return []
    since = text.moment(head.held.since)
    if head.is_backfilling:
        return [f"The sources' public history has been entered since {since}: no other run is made."]
    return [f"A rebuild has been under way since {since}: nothing is entered."]


def asked_at(snapshot: Snapshot) -> dt.datetime | None:
    """When the last run was asked for; None where none was made."""
    runs = snapshot.details.runs if snapshot.details else ()
    return runs[0].asked_at if runs else snapshot.head and snapshot.head.last_run


def ended(snapshot: Snapshot) -> str:
    """Which sources have ended, and what that means; empty where none has."""
    files = snapshot.details.files if snapshot.details else ()
    return schemas.ended.sentence(schemas.ended.ended(standing(snapshot), files), text.date)


def standing(snapshot: Snapshot) -> list[Warning]:
    """The warnings that people know of; an acceptance is remembered among them, and has no text."""
    told = snapshot.head.told if snapshot.head else ()
    return [warning for warning in told if not warning.code.startswith(ACCEPTED)]


def information(snapshot: Snapshot) -> list[str]:
    """What a reader of the figures should know about the sources."""
    return [public(one.text) + "." for one in standing(snapshot) if one.code.startswith(INFORMATION)]


def public(sentence: str) -> str:
    """The text as everybody may read it: a run is named by its time alone, and nothing names the account."""
    return without_account(RUN_NAME.sub(r"\1", sentence))


def begun(name: str) -> dt.datetime:
    """When a run began, by its name."""
    return moment(name.partition("#")[0])


def checked_at(snapshot: Snapshot) -> dt.datetime | None:
    """When the sources were last read and believed, both of them."""
    files = snapshot.details.files if snapshot.details else ()
    return min(file.checked_at for file in files) if files else None


def lag(snapshot: Snapshot) -> int | None:
    """Days from the last acknowledged date to the newest published one."""
    return None if snapshot.head is None else ledger.lag(snapshot.head)


def pending(snapshot: Snapshot) -> list[Pending]:
    """Every day that is known to be pending, oldest first, with the newest run that owes it and its state;
    empty where the ledger was never read."""
    if snapshot.details is None:
        return []
    owing, days = snapshot.details.owing, snapshot.details.days
    reasons = {date: _reason(run) for run in owing for date in ledger.owed(run, days)}
    return [Pending(date, reasons[date]) for date in ledger.pending(owing, days)]


def _reason(run: Run) -> str:
    when = text.moment(run.time)
    if run.state == OPEN:
        return f"sent by the run of {when}"
    return f"the run of {when} {'failed' if run.state == FAILED else 'is incomplete'}"


def tally(run: Run) -> str:
    """``3 inserted, 1 updated``: what came of a run."""
    if run.state == FAILED and not run.pending:
        return f"refused: {plural(run.reason_count, 'reason')}"
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


def next_run(schedule: str, last: dt.datetime | None) -> dt.datetime | None:
    """The first time after the last run that the schedule names; None where none was made, or where the
    schedule is neither a time of each day nor a rate."""
    if last is None:
        return None
    if rate := RATE.fullmatch(schedule):
        return last + dt.timedelta(**{f"{rate['unit']}s": int(rate["number"])})
    daily = DAILY.fullmatch(schedule)
    if not daily:
        return None
    try:
        local = last.astimezone(ZoneInfo(daily["zone"] or "UTC"))
        expected = local.replace(
            hour=int(daily["hour"]), minute=int(daily["minute"]), second=0, microsecond=0
        )
    except (ZoneInfoNotFoundError, ValueError):
        return None
    return (expected if expected > local else expected + dt.timedelta(days=1)).astimezone(dt.UTC)


def document(snapshot: Snapshot) -> dict[str, object]:
    """``/status.json``: the status page for machines. What was never read is null."""
    assessment = assess(snapshot)
    head, details = snapshot.head, snapshot.details
    return {
        "stack": snapshot.settings.stack,
        "state": assessment.state,
        "reasons": list(assessment.reasons),
        "stale": assessment.stale,
        "trailing": snapshot.trailing,
        "out_of_reach": [
            {"place": problem.place, "since": problem.since.isoformat()} for problem in snapshot.problems
        ],
        "last_acknowledged": _text(head and head.last_acknowledged),
        "newest_published": _text(head and head.newest),
        "lag_days": lag(snapshot),
        "last_run": _text(head and head.last_run),
        "last_success": _text(head and head.last_success),
        "checked_at": _text(checked_at(snapshot)),
        "held_since": _text(head.held.since if head and head.held else None),
        "days": None if snapshot.rows is None else len(snapshot.rows),
        "pending": details
        and [{"date": day.date.isoformat(), "reason": day.reason} for day in pending(snapshot)],
        "runs": details and [_run(run) for run in details.runs],
        "warnings": head and [public(warning.text) for warning in standing(snapshot)],
    }


def _run(run: Run) -> dict[str, object]:
    return {
        "time": written(run.time),
        "state": run.state,
        "trigger": public(run.trigger),
        "pending": len(run.pending),
        **{
            name: len(getattr(run, name))
            for name in ("inserted", "updated", "duplicate", "superseded", "failed", "refused")
        },
        "reasons": list(map(public, run.reasons)),
        "code": public(run.code),
    }


def _text(when: dt.date | None) -> str | None:
    return None if when is None else when.isoformat()
