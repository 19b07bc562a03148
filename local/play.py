"""Play a publishing history: one run a day, each with its moment as now. How truth is measured."""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws.publication import Publication
from local.cloud import LocalCloud
from schemas.ledger import Run
from schemas.moment import moment, written

PEOPLE = ("daily-report", "alerts")


@dataclass(frozen=True)
class Played:
    """One scheduled run, as the ledger tells of it once everything has come to its end."""

    scheduled_at: dt.datetime
    run: Run
    last_acknowledged: dt.date | None


def moments(start: dt.date, end: dt.date, time: dt.time) -> list[dt.datetime]:
    """One a day, both ends included, in UTC."""
    return [
        dt.datetime.combine(start + dt.timedelta(days=number), time, dt.UTC)
        for number in range((end - start).days + 1)
    ]


def play(
    cloud: LocalCloud, publish: Callable[[dt.datetime], None], when: Iterable[dt.datetime]
) -> Iterator[Played]:
    """At each moment publish what had been published by then, run, and wait until nothing moves."""
    for scheduled_at in when:
        if cloud.clock.is_virtual:
            cloud.clock.advance_to(scheduled_at)
        publish(scheduled_at)
        request = cloud.run(scheduled_at)
        cloud.settle(until=scheduled_at + dt.timedelta(days=1) - dt.timedelta(minutes=1))
        run = next(run for run in cloud.ledger.runs() if run.request == request)
        yield Played(scheduled_at, run, cloud.ledger.head().last_acknowledged)


def run_line(played: Played) -> dict[str, Any]:
    """What ``runs.jsonl`` says of a run."""
    run = played.run
    return {
        "scheduled_at": written(played.scheduled_at),
        "run": run.name,
        "state": run.state,
        "pending": len(run.pending),
        "inserted": len(run.inserted),
        "updated": len(run.updated),
        "duplicate": len(run.duplicate),
        "superseded": len(run.superseded),
        "failed": len(run.failed),
        "last_acknowledged": played.last_acknowledged and played.last_acknowledged.isoformat(),
        "warnings": [warning.text for warning in run.warnings],
        "reasons": list(run.reasons),
        "reason_count": run.reason_count,
    }


def notice_line(publication: Publication) -> dict[str, Any] | None:
    """What ``notices.jsonl`` says of a message; None for those that are for the machine."""
    topic = next((name for name in PEOPLE if publication.topic_arn.endswith(name)), None)
    if topic is None:
        return None
    email = publication.text("email")
    return {
        "scheduled_at": written(_run_time(email) or publication.time),
        "sent_at": written(publication.time),
        "topic": topic,
        "subject": publication.subject,
        "email": email,
        "sms": publication.text("sms"),
    }


def _run_time(email: str) -> dt.datetime | None:
    """The time of the run that a message is about: a line of it names the stack and the run."""
    named = re.search(r"(?m)^Stack .+, run (\S+)#", email)
    return moment(named[1]) if named else None


def write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
