"""``/status.json``: the same as the status page, for machines. Pure."""

import datetime as dt

from dashboard.latest import Latest
from dashboard.status import Assessment, checked_at, lag, pending, public, standing
from schemas.ledger import Run
from schemas.moment import written


def document(latest: Latest, assessment: Assessment) -> dict[str, object]:
    """``/status.json``. What was never read is null."""
    head, details = latest.head, latest.details
    return {
        "state": assessment.state,
        "reasons": list(assessment.reasons),
        "stale": assessment.stale,
        "trailing": latest.trailing,
        "out_of_reach": [
            {"place": problem.place, "since": problem.since.isoformat()} for problem in latest.problems
        ],
        "last_acknowledged": _text(head and head.last_acknowledged),
        "newest_published": _text(head and head.newest),
        "lag_days": lag(latest),
        "last_run": _text(head and head.last_run),
        "last_success": _text(head and head.last_success),
        "checked_at": _text(checked_at(latest)),
        "held_since": _text(head.held.since if head and head.held else None),
        "days": None if latest.rows is None else len(latest.rows),
        "pending": details
        and [{"date": day.date.isoformat(), "reason": day.reason} for day in pending(latest)],
        "runs": details and [_run(run) for run in details.runs],
        "warnings": head and [public(warning.text) for warning in standing(latest)],
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
