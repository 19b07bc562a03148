"""What a cloud holds, as scenarios ask for it, and how a step destroys a part of it."""

import datetime as dt
from dataclasses import dataclass

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from local.aws.publication import Publication
from local.aws.sessions import REGION
from local.in_process import InProcessCloud
from local.scenario.values import Figures
from schemas.event import DayEvent
from schemas.figures import Counts
from schemas.ledger import Run
from schemas.notice import ALERTS, DAILY_REPORT
from storage import ledger_items
from storage.archive import EVENTS
from storage.tables import Row


@dataclass(frozen=True)
class Lost:
    """What a step destroyed: an object of the log, or a day of the ledger; and the dates that it was of."""

    name: str
    dates: frozenset[dt.date]


def figures(counts: Counts) -> Figures:
    return tuple(counts.values.values())


def daily(cloud: InProcessCloud) -> list[Row]:
    """Each day as it stands."""
    return cloud.tables.daily()


def entries(cloud: InProcessCloud, date: dt.date | None = None) -> list[Row]:
    """Every entry of a date, or of all, oldest first."""
    return cloud.tables.entries(date)


def as_of(cloud: InProcessCloud, moment: dt.datetime) -> list[Row]:
    """Each day as it was believed at a moment."""
    return cloud.tables.as_of(moment)


def runs(cloud: InProcessCloud) -> list[Run]:
    """Every run, oldest first."""
    return cloud.ledger.runs(limit=None)


def messages(cloud: InProcessCloud, topic: str = "") -> list[Publication]:
    """What people were sent, or what was sent to one topic, in order."""
    topics = (topic,) if topic else (DAILY_REPORT, ALERTS)
    return [item for item in cloud.emulator.publications if item.topic_arn.endswith(topics)]


def log(cloud: InProcessCloud) -> list[DayEvent]:
    """The events of the log, each as often as it is there."""
    return [event for events in cloud.archive.log() for event in events]


def believed(cloud: InProcessCloud) -> dict[str, str]:
    """The SHA-256 of each source's file that was believed last."""
    table = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[cloud.stack.exports["ledger_table"]]
    items = {
        str(getattr(entry, "value", entry)): item.attrs
        for series in table.items.values()
        for entry, item in series.items()
    }
    return {
        entry.removeprefix(ledger_items.FILE): attributes["sha256"].value
        for entry, attributes in items.items()
        if entry.startswith(ledger_items.FILE) and "sha256" in attributes
    }


def lose_object(cloud: InProcessCloud, place: int) -> Lost:
    """Delete an object of the log, counted from 1 by first version."""
    name = cloud.archive.log_names()[place - 1]
    events = cloud.archive.events_in(name)
    cloud.client("s3").delete_object(Bucket=cloud.stack.exports["archive_bucket"], Key=name)
    left = {event.id for event in log(cloud)}
    return Lost(name, frozenset(event.day.date for event in events if event.id not in left))


def lose_day(cloud: InProcessCloud, date: dt.date) -> Lost:
    """Delete a day of the ledger."""
    entry = f"{ledger_items.DAY}{date}"
    table = cloud.stack.exports["ledger_table"]
    cloud.client("dynamodb").delete_item(TableName=table, Key=ledger_items.key(entry))
    return Lost(entry, frozenset({date}))


def is_lost(cloud: InProcessCloud, lost: Lost) -> bool:
    """Whether it is still gone: a replay brings a day of the ledger back."""
    if lost.name.startswith(EVENTS):
        return lost.name not in cloud.archive.log_names()
    return not lost.dates & cloud.ledger.days().keys()
