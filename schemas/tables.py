"""Keys, items and measures, to and from values: how the ledger (DynamoDB) and the tables (Timestream) look.

An item is a plain mapping of names to text, numbers, sets of text, lists and mappings; what is None or
empty is absent. ``attributes`` and ``plain`` turn it into DynamoDB's wire shape and back.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.day import REGION, Counts, Day
from schemas.moment import at, moment, version, written
from schemas.notice import Notice
from schemas.run import Acknowledged, Head, Run, Settled, SourceFile, Warning

Item = dict[str, Any]
HEAD = "head"
DAY = "day#"
RUN = "run#"
FILE = "file#"
ACCEPT = "accept#"
NOTICE = "notice#"
MEASURE = "day"
# The two stores that a stack's tables may be in.
TIMESTREAM, DYNAMODB = "timestream", "dynamodb"
VERSION_DIGITS = 15  # as text, in the order of numbers


def key(entry: str, series: str = REGION) -> dict[str, Any]:
    """The primary key of a ledger item, in DynamoDB's shape; each region is a series."""
    return {"series": {"S": series}, "entry": {"S": entry}}


def attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB's wire shape; None and empty collections are left out."""
    return {
        name: _attribute(value)
        for name, value in item.items()
        if value is not None and value not in ([], {}, frozenset())
    }


def _attribute(value: Any) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case frozenset():
            return {"SS": sorted(value)}
        case list() | tuple():
            return {"L": [_attribute(part) for part in value]}
        case dict():
            return {"M": {name: _attribute(part) for name, part in value.items()}}
    raise TypeError(f"no DynamoDB type for {value!r}")


def plain(found: Mapping[str, Any]) -> Item:
    """An item out of DynamoDB's wire shape."""
    return {name: _value(value) for name, value in found.items()}


def _value(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return int(value)
        case "SS":
            return frozenset(value)
        case "L":
            return [_value(part) for part in value]
        case "M":
            return plain(value)
    raise TypeError(f"unexpected DynamoDB type {kind}")


def _date(text: str | None) -> dt.date | None:
    return None if not text else dt.date.fromisoformat(text)


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else moment(text)


def _dates(texts: Iterable[str]) -> frozenset[dt.date]:
    return frozenset(map(dt.date.fromisoformat, texts))


def _texts(dates: Iterable[dt.date]) -> frozenset[str]:
    return frozenset(date.isoformat() for date in dates)


def _warnings(item: Item) -> tuple[Warning, ...]:
    return tuple(Warning(**found) for found in item.get("warnings", []))


def _told(warnings: Iterable[Warning]) -> list[dict[str, str]]:
    return [{"code": warning.code, "text": warning.text} for warning in warnings]


def day_item(day: Acknowledged) -> Item:
    return {
        "entry": DAY + day.date.isoformat(),
        "cases": day.counts.cases,
        "deaths": day.counts.deaths,
        "recovered": day.counts.recovered,
        "digest": day.digest,
        "version": day.version,
        "revision": day.revision,
        "event": day.event,
        "run": day.run,
        "acknowledged_at": written(day.at),
    }


def day_of(item: Item) -> Acknowledged:
    return Acknowledged(
        date=dt.date.fromisoformat(item["entry"].removeprefix(DAY)),
        counts=Counts(item["cases"], item["deaths"], item.get("recovered")),
        digest=item.get("digest"),
        version=item["version"],
        revision=item["revision"],
        event=item["event"],
        run=item["run"],
        at=moment(item["acknowledged_at"]),
    )


def run_item(run: Run) -> Item:
    return {
        "entry": RUN + run.name,
        "time": written(run.time),
        "request": run.request,
        "trigger": run.trigger,
        "state": run.state,
        "pending": [date.isoformat() for date in run.pending],
        "new": {date.isoformat(): before.isoformat() if before else "" for date, before in run.new.items()},
        "newest": run.newest.isoformat() if run.newest else None,
        "files": dict(run.files),
        "etags": dict(run.etags),
        "code": run.code or None,
        "acceptances": run.acceptances,
        "accepted": list(run.accepted),
        "warnings": _told(run.warnings),
        "begun": run.begun,
        "ended": list(run.ended),
        "reasons": list(run.reasons),
        "reason_count": run.reason_count,
        "inserted": _texts(run.inserted),
        "updated": _texts(run.updated),
        "duplicate": _texts(run.duplicate),
        "failed": _texts(run.failed),
        "entries": run.entries,
        "notice": run.notice,
    }


def run_of(item: Item) -> Run:
    return Run(
        time=moment(item["time"]),
        request=item["request"],
        trigger=item["trigger"],
        state=item["state"],
        pending=tuple(map(dt.date.fromisoformat, item.get("pending", []))),
        new={dt.date.fromisoformat(date): _date(before) for date, before in item.get("new", {}).items()},
        newest=_date(item.get("newest")),
        files=item.get("files", {}),
        etags=item.get("etags", {}),
        code=item.get("code", ""),
        acceptances=item["acceptances"],
        accepted=tuple(item.get("accepted", [])),
        warnings=_warnings(item),
        begun=item.get("begun", frozenset()),
        ended=tuple(item.get("ended", [])),
        reasons=tuple(item.get("reasons", [])),
        reason_count=item["reason_count"],
        inserted=_dates(item.get("inserted", [])),
        updated=_dates(item.get("updated", [])),
        duplicate=_dates(item.get("duplicate", [])),
        failed=_dates(item.get("failed", [])),
        entries=item["entries"],
        notice=item.get("notice"),
    )


def head_item(head: Head) -> Item:
    settled = head.settled
    return {
        "entry": HEAD,
        "last_acknowledged": head.last_acknowledged.isoformat() if head.last_acknowledged else None,
        "stamp": head.stamp,
        "open": head.open,
        "last_run": written(head.last_run) if head.last_run else None,
        "last_success": written(head.last_success) if head.last_success else None,
        "settled": settled
        and {
            "etags": dict(settled.etags),
            "stamp": settled.stamp,
            "code": settled.code,
            "acceptances": settled.acceptances,
        },
        "warnings": _told(head.warnings),
        "failures": list(head.failures),
        "unsent": head.unsent,
        "acceptances": head.acceptances,
        "moves": head.moves,
    }


def head_of(item: Item) -> Head:
    settled = item.get("settled")
    return Head(
        last_acknowledged=_date(item.get("last_acknowledged")),
        stamp=item.get("stamp", 0),
        open=item.get("open", frozenset()),
        last_run=_moment(item.get("last_run")),
        last_success=_moment(item.get("last_success")),
        settled=settled and Settled(**settled),
        warnings=_warnings(item),
        failures=tuple(item.get("failures", [])),
        unsent=item.get("unsent", frozenset()),
        acceptances=item.get("acceptances", 0),
        moves=item.get("moves", 0),
    )


def file_item(file: SourceFile) -> Item:
    return {
        "entry": FILE + file.source,
        "sha256": file.sha256,
        "rows": file.rows,
        "newest": file.newest.isoformat(),
        "checked_at": written(file.checked_at),
    }


def checked_item(source: str, when: dt.datetime) -> Item:
    """What changes of a file's item when the source says that it is still the same."""
    return {"entry": FILE + source, "checked_at": written(when)}


def notice_item(notice: Notice, created: dt.datetime) -> Item:
    """A notice as it is born: unsent."""
    return {
        "entry": NOTICE + notice.id,
        "topic": notice.topic,
        "subject": notice.subject,
        "email": notice.email,
        "sms": notice.sms,
        "run": notice.run,
        "created_at": written(created),
        "state": "unsent",
    }


def notice_of(item: Item) -> Notice:
    return Notice(
        id=item["entry"].removeprefix(NOTICE),
        topic=item["topic"],
        subject=item["subject"],
        email=item["email"],
        sms=item["sms"],
        run=item.get("run"),
    )


@dataclass(frozen=True)
class Row:
    """An entry as the tables hold it. A row that is not ``current`` belongs into ``revisions`` only."""

    day: Day
    version: int
    revision: int
    event: str
    current: bool = True

    @property
    def recorded_at(self) -> dt.datetime:
        return at(self.version)


def daily_record(row: Row) -> dict[str, Any]:
    """The row of ``daily``: its time is the date at 00:00 UTC, its Version decides which entry stands."""
    midnight = dt.datetime.combine(row.day.date, dt.time(), dt.UTC)
    return _record(row, version(midnight), [("region", row.day.region)])


def revision_record(row: Row) -> dict[str, Any]:
    """The row of ``revisions``: its time is when the day was entered, so every entry stays."""
    return _record(row, row.version, [("region", row.day.region), ("date", row.day.date.isoformat())])


def _record(row: Row, time: int, dimensions: list[tuple[str, str]]) -> dict[str, Any]:
    counts = row.day.counts
    measures = [
        ("cases", counts.cases, "BIGINT"),
        ("deaths", counts.deaths, "BIGINT"),
        # Timestream has no way to write a null: readers believe `recovered` only where this is true.
        ("recovered_reported", "false" if counts.recovered is None else "true", "BOOLEAN"),
        ("revision", row.revision, "BIGINT"),
        ("event_id", row.event, "VARCHAR"),
        ("recorded_at", row.version, "TIMESTAMP"),
    ]
    if counts.recovered is not None:
        measures.append(("recovered", counts.recovered, "BIGINT"))
    return {
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions],
        "MeasureName": MEASURE,
        "MeasureValueType": "MULTI",
        "MeasureValues": [
            {"Name": name, "Value": str(value), "Type": kind} for name, value, kind in measures
        ],
        "Time": str(time),
        "TimeUnit": "MILLISECONDS",
        "Version": row.version,
    }


def daily_item(row: Row) -> dict[str, Any]:
    """The item of ``daily`` where the tables are in DynamoDB, in its shape: one a date."""
    return _item(row, row.day.date.isoformat())


def entry_item(row: Row) -> dict[str, Any]:
    """The item of ``revisions``: one an entry, in the order in which they were made."""
    return _item(row, f"{row.day.date.isoformat()}#{row.version:0{VERSION_DIGITS}}")


def _item(row: Row, entry: str) -> dict[str, Any]:
    counts = row.day.counts
    values = {
        "cases": counts.cases,
        "deaths": counts.deaths,
        "recovered": counts.recovered,
        "revision": row.revision,
        "event_id": row.event,
        "recorded_at": row.version,
    }
    return key(entry, row.day.region) | attributes(values)


def row_of(item: Item) -> Row:
    """A row out of an item of either table; ``recovered`` is absent where it is not reported."""
    return Row(
        day=Day(
            dt.date.fromisoformat(item["entry"].partition("#")[0]),
            Counts(item["cases"], item["deaths"], item.get("recovered")),
            item["series"],
        ),
        version=item["recorded_at"],
        revision=item["revision"],
        event=item["event_id"],
    )


def day_from_row(found: Mapping[str, str | None]) -> Row:
    """A row out of a query's texts; its columns are named as in the tables, ``date`` as text."""
    reported = found["recovered_reported"] == "true"
    counts = Counts(
        int(str(found["cases"])),
        int(str(found["deaths"])),
        int(str(found["recovered"])) if reported else None,
    )
    recorded = dt.datetime.fromisoformat(str(found["recorded_at"])[:23]).replace(tzinfo=dt.UTC)
    return Row(
        day=Day(dt.date.fromisoformat(str(found["date"])[:10]), counts, str(found["region"])),
        version=version(recorded),
        revision=int(str(found["revision"])),
        event=str(found["event_id"]),
    )
