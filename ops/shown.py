"""The record's values as JSON: days, entries, runs; the names are those of the contract."""

from typing import Any

from schemas.day import Counts
from schemas.event import DayEvent
from schemas.moment import written
from schemas.run import Acknowledged, Run
from schemas.tables import Row


def counts(found: Counts) -> dict[str, int | None]:
    return {"cases": found.cases, "deaths": found.deaths, "recovered": found.recovered}


def row(found: Row) -> dict[str, Any]:
    return {
        "date": found.day.date.isoformat(),
        **counts(found.day.counts),
        "revision": found.revision,
        "recorded_at": written(found.recorded_at),
    }


def acknowledged(day: Acknowledged) -> dict[str, Any]:
    """A day as the ledger has it; one that is to be entered again, whatever the sources say, is pending."""
    return {
        "date": day.date.isoformat(),
        **counts(day.counts),
        "revision": day.revision,
        "version": day.version,
        "pending": day.digest is None,
        "run": day.run,
        "acknowledged_at": written(day.at),
    }


def entry(found: Row, event: DayEvent | None) -> dict[str, Any]:
    """An entry of a day's history; what only the log knows is null where the log lacks its event."""
    return {
        **row(found),
        "run": event and event.run,
        "previous": event and event.previous and counts(event.previous),
        "files": event and dict(event.files),
    }


def run(found: Run) -> dict[str, Any]:
    return {
        "run": found.name,
        "time": written(found.time),
        "trigger": found.trigger,
        "state": found.state,
        "pending": len(found.pending),
        "inserted": len(found.inserted),
        "updated": len(found.updated),
        "duplicate": len(found.duplicate),
        "failed": len(found.failed),
        "newest": found.newest and found.newest.isoformat(),
        "files": dict(found.files),
        "reasons": list(found.reasons),
        "reason_count": found.reason_count,
        "accepted": list(found.accepted),
        "warnings": [warning.text for warning in found.warnings],
        "notice": found.notice,
    }
