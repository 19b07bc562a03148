"""Write what a scenario came to: daily, entries, runs, notices and log, as CSV and as JSON."""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from local.aws.publication import Publication
from local.in_process import InProcessCloud
from local.scenario import reading
from schemas.moment import written


def write(cloud: InProcessCloud, folder: Path) -> None:
    """Two files of each, of one row or object a day, entry, run, message or event."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds: dict[str, Iterable[dict[str, Any]]] = {
        "daily": map(_row, reading.daily(cloud)),
        "entries": map(_row, reading.entries(cloud)),
        "runs": map(_run, reading.runs(cloud)),
        "notices": map(_notice, reading.messages(cloud)),
        "log": map(_event, reading.log(cloud)),
    }
    for name, objects in kinds.items():
        _write(folder, name, list(objects))


def _write(folder: Path, name: str, objects: list[dict[str, Any]]) -> None:
    text = json.dumps(objects, indent=1, default=str, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(objects[0]) if objects else [], lineterminator="\n")
        table.writeheader()
        table.writerows({key: _cell(value) for key, value in one.items()} for one in objects)


def _cell(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value


def _row(row: Any) -> dict[str, Any]:
    return {
        "date": str(row.day.date),
        **row.day.counts.values,
        "recorded_at": written(row.recorded_at),
        "event": row.event,
    }


def _run(run: Any) -> dict[str, Any]:
    sets = ("inserted", "updated", "duplicate", "superseded", "failed")
    return {
        "time": written(run.time),
        "request": run.request,
        "trigger": run.trigger,
        "state": run.state,
        "pending": [str(date) for date in run.pending],
        **{name: [str(date) for date in sorted(getattr(run, name, ()))] for name in sets},
        "reasons": list(run.reasons),
        "warnings": [warning.text for warning in run.warnings],
    }


def _notice(item: Publication) -> dict[str, Any]:
    return {
        "sent_at": written(item.time),
        "topic": item.topic_arn.rpartition(":")[2],
        "subject": item.subject,
        "email": item.text("email"),
        "sms": item.text("sms"),
    }


def _event(event: Any) -> dict[str, Any]:
    return {
        "id": event.id,
        "type": event.type,
        "date": str(event.day.date),
        **event.day.counts.values,
        "version": event.version,
        "run": event.run,
        "files": [f"{source}/{sha256}" for source, sha256 in event.files.items()],
    }
