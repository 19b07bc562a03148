"""What a cloud holds, as scenarios ask for it. The one module here that knows how the core is read."""

import datetime as dt
from dataclasses import dataclass

from local.emulator import Publication
from local.in_process import InProcessCloud
from local.scenario.values import Figures
from ops.replay import archived
from schemas.day import REGION, Counts
from schemas.event import DayEvent
from schemas.notice import ALERTS, DAILY_REPORT
from schemas.run import Run
from schemas.tables import Row

EVENTS = "events/"


@dataclass(frozen=True)
class Lost:
    """What a step destroyed: an object of the log, or a date of the ledger, and the dates that it was of."""

    name: str
    dates: frozenset[dt.date]


def figures(counts: Counts) -> Figures:
    return counts.cases, counts.deaths, counts.recovered


def daily(cloud: InProcessCloud) -> list[Row]:
    """Each day as it stands."""
    return cloud.reader.daily()


def entries(cloud: InProcessCloud, date: dt.date | None = None) -> list[Row]:
    """Every entry of a date, or of all, oldest first."""
    return cloud.reader.revisions(date) if date else cloud.reader.revisions()


def as_of(cloud: InProcessCloud, moment: dt.datetime) -> list[Row]:
    """Each day as it was believed at a moment."""
    return cloud.reader.as_of(moment)


def runs(cloud: InProcessCloud) -> list[Run]:
    """Every run, oldest first."""
    return cloud.ledger.recent_runs(10_000)[::-1]


def messages(cloud: InProcessCloud, topic: str = "") -> list[Publication]:
    """What people were sent, or what was sent to one topic, in order."""
    topics = (topic,) if topic else (DAILY_REPORT, ALERTS)
    return [item for item in cloud.emulator.publications if item.topic_arn.endswith(topics)]


def log(cloud: InProcessCloud) -> list[DayEvent]:
    """The events of the log, each as often as it is there."""
    bucket = cloud.stack.exports["archive_bucket"]
    return [event for events in archived(cloud.client("s3"), bucket) for event in events]


def log_names(cloud: InProcessCloud) -> list[str]:
    """The objects of the log by their first version."""
    bucket = cloud.stack.exports["archive_bucket"]
    pages = cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=EVENTS)
    names = [item["Key"] for page in pages for item in page.get("Contents", [])]
    return sorted(names, key=lambda name: (int(name.removeprefix(EVENTS).partition("-")[0]), name))


def lose_object(cloud: InProcessCloud, place: int) -> Lost:
    """Delete an object of the log, counted from 1."""
    name = log_names(cloud)[place - 1]
    before = {event.id: event for event in log(cloud)}
    cloud.client("s3").delete_object(Bucket=cloud.stack.exports["archive_bucket"], Key=name)
    left = {event.id for event in log(cloud)}
    return Lost(name, frozenset(event.day.date for id, event in before.items() if id not in left))


def lose_day(cloud: InProcessCloud, date: dt.date) -> Lost:
    """Delete a day of the ledger."""
    entry = f"day#{date}"
    cloud.client("dynamodb").delete_item(
        TableName=cloud.stack.exports["ledger_table"], Key={"series": {"S": REGION}, "entry": {"S": entry}}
    )
    return Lost(entry, frozenset({date}))


def is_lost(cloud: InProcessCloud, lost: Lost) -> bool:
    """Whether it is still gone: a replay brings a day of the ledger back."""
    if lost.name.startswith(EVENTS):
        return lost.name not in log_names(cloud)
    key = {"series": {"S": REGION}, "entry": {"S": lost.name}}
    item = cloud.client("dynamodb").get_item(TableName=cloud.stack.exports["ledger_table"], Key=key)
    return "Item" not in item
