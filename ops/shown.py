"""The record's values as JSON: days, entries, runs; the names are those of the contract."""

from typing import Any

from schemas.event import DayEvent
from schemas.ledger import Acknowledged, Run
from schemas.moment import written
from storage.tables import Row

SETS = ("inserted", "updated", "duplicate", "superseded", "failed", "refused")


def row(found: Row) -> dict[str, Any]:
    return {
        "date": found.day.date.isoformat(),
        **found.day.counts.values,
        "recorded_at": written(found.recorded_at),
    }


def acknowledged(day: Acknowledged) -> dict[str, Any]:
    """A day as the ledger has it."""
    return {
        "date": day.date.isoformat(),
        **day.counts.values,
        "entries": day.entries,
        "version": day.version,
        "run": day.run,
        "acknowledged_at": written(day.acknowledged_at),
    }


def entry(revision: int, found: Row, event: DayEvent | None) -> dict[str, Any]:
    """An entry of a day's history; what only the log knows is null where the log lacks its event."""
    return {
        **row(found),
        "revision": revision,
        "run": event.run if event else found.run,
        "previous": event and event.previous and event.previous.values,
        "files": event and dict(event.files),
    }


def run(found: Run) -> dict[str, Any]:
    return {
        "run": found.name,
        "time": written(found.time),
        "trigger": found.trigger,
        "state": found.state,
        "pending": len(found.pending),
        **{name: len(getattr(found, name)) for name in SETS},
        "newest": found.newest and found.newest.isoformat(),
        "files": dict(found.files),
        "reasons": list(found.reasons),
        "reason_count": found.reason_count,
        "accepted": [warning.text for warning in found.accepted],
        "warnings": [warning.text for warning in found.warnings],
        "notice": found.notice,
    }
