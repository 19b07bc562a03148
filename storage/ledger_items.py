"""The ledger's items, to and from values.

An item is a plain mapping of names to text, numbers, sets of text, lists and mappings; what is None or empty
is absent. ``attributes`` and ``plain`` turn it into DynamoDB's wire shape and back. A name that is not known
here, as in the ledger of a newer version, is ignored.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from schemas.day import REGION
from schemas.figures import Counts
from schemas.ledger import Acceptance, Acknowledged, Head, Held, Run, SentNotice, Settled, SourceFile, Warning
from schemas.moment import moment, written
from schemas.notice import Notice
from schemas.text import ranges

Item = dict[str, Any]
HEAD = "head"
DAY = "day#"
RUN = "run#"
FILE = "file#"
ACCEPT = "accept#"
NOTICE = "notice#"
REBUILT = "rebuilt"
BETWEEN = ".."  # a stretch of dates: 20200301..20200630
MAX_RUN_BYTES = 390_000  # of DynamoDB's 400 KB an item; the rest is for names and reasons
DATE_BYTES = 9  # a date that stands alone in a list: eight digits, and one byte an element


def key(entry: str) -> dict[str, Any]:
    """The primary key of an item, in DynamoDB's shape."""
    return {"series": {"S": REGION}, "entry": {"S": entry}}


def attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB's wire shape; None and empty collections are left out."""
    return {
        name: _attribute(value)
        for name, value in item.items()
        if value is not None and value not in ([], {}, frozenset(), ())
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


def plain(attributes: Mapping[str, Any]) -> Item:
    """An item out of DynamoDB's wire shape."""
    return {name: _value(value) for name, value in attributes.items()}


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


def stretches(dates: Iterable[dt.date]) -> list[str]:
    """Dates as an item stores them: ``["20200301..20200630", "20200702"]``."""
    return [
        f"{first:%Y%m%d}" if first == last else f"{first:%Y%m%d}{BETWEEN}{last:%Y%m%d}"
        for first, last in ranges(dates)
    ]


def dates(texts: Iterable[str]) -> list[dt.date]:
    """The dates of such a list, oldest first."""
    found = []
    for text in texts:
        first, _, last = text.partition(BETWEEN)
        start = dt.date.fromisoformat(first)
        end = dt.date.fromisoformat(last) if last else start
        found += [start + dt.timedelta(days=number) for number in range((end - start).days + 1)]
    return sorted(found)


def largest(run: Run) -> int:
    """The bytes that a run's item can grow to: each pending date ends in one of the sets, at worst alone."""
    item = run_item(run)
    texts = sum(len(str(value).encode()) for value in item.values())
    return texts + DATE_BYTES * len(run.pending)


def _date(text: str | None) -> dt.date | None:
    return None if not text else dt.date.fromisoformat(text)


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else moment(text)


def _text(when: dt.date | None) -> str | None:
    return None if when is None else when.isoformat()


def _written(when: dt.datetime | None) -> str | None:
    return None if when is None else written(when)


def _warnings(items: Iterable[Mapping[str, str]]) -> tuple[Warning, ...]:
    return tuple(Warning(item["code"], item["text"]) for item in items)


def _warning_items(warnings: Iterable[Warning]) -> list[dict[str, str]]:
    return [{"code": warning.code, "text": warning.text} for warning in warnings]


def day_item(day: Acknowledged) -> Item:
    return {
        "entry": DAY + day.date.isoformat(),
        **day.counts.values,
        "digest": day.counts.digest,
        "version": day.version,
        "seen": day.seen,
        "entries": day.entries,
        "event": day.event,
        "run": day.run,
        "acknowledged_at": written(day.at),
    }


def day_of(item: Item) -> Acknowledged:
    return Acknowledged(
        date=dt.date.fromisoformat(item["entry"].removeprefix(DAY)),
        counts=Counts.read(item),
        version=item["version"],
        seen=item["seen"],
        entries=item["entries"],
        event=item["event"],
        run=item["run"],
        at=moment(item["acknowledged_at"]),
    )


def _new_item(new: Mapping[dt.date, dt.date | None]) -> Item:
    """``dates`` in stretches, and in ``before`` only what does not follow from them: the published date
    before one that is not the new date before it."""
    previous: dt.date | None = None
    before = {}
    for date in sorted(new):
        if new[date] != previous:
            before[date.isoformat()] = _text(new[date]) or ""
        previous = date
    return {"dates": stretches(new), "before": before} if new else {}


def _new(item: Mapping[str, Any]) -> dict[dt.date, dt.date | None]:
    new: dict[dt.date, dt.date | None] = {}
    previous: dt.date | None = None
    before = item.get("before", {})
    for date in dates(item.get("dates", [])):
        text = before.get(date.isoformat())
        new[date] = previous if text is None else _date(text)
        previous = date
    return new


def run_item(run: Run) -> Item:
    return {
        "entry": RUN + run.name,
        "time": written(run.time),
        "request": run.request,
        "trigger": run.trigger,
        "state": run.state,
        "arrived": _written(run.arrived),
        "pending": stretches(run.pending),
        "new": _new_item(run.new),
        "newest": _text(run.newest),
        "files": dict(run.files),
        "basis": _settled_item(run.basis),
        "code": run.code or None,
        "accepted": _warning_items(run.accepted),
        "warnings": _warning_items(run.warnings),
        "begun": run.begun,
        "ended": list(run.ended),
        "reasons": list(run.reasons),
        "reason_count": run.reason_count,
        "entries_before": run.entries_before,
        "inserted": stretches(run.inserted),
        "updated": stretches(run.updated),
        "duplicate": stretches(run.duplicate),
        "superseded": stretches(run.superseded),
        "failed": stretches(run.failed),
        "refused": stretches(run.refused),
        "notice": run.notice,
        "moves": run.moves,
    }


def run_of(item: Item) -> Run:
    def dates_of(name: str) -> frozenset[dt.date]:
        return frozenset(dates(item.get(name, [])))

    return Run(
        time=moment(item["time"]),
        request=item["request"],
        trigger=item["trigger"],
        state=item["state"],
        arrived=_moment(item.get("arrived")),
        pending=tuple(dates(item.get("pending", []))),
        new=_new(item.get("new", {})),
        newest=_date(item.get("newest")),
        files=item.get("files", {}),
        basis=_settled(item.get("basis")),
        code=item.get("code", ""),
        accepted=_warnings(item.get("accepted", [])),
        warnings=_warnings(item.get("warnings", [])),
        begun=item.get("begun", frozenset()),
        ended=tuple(item.get("ended", [])),
        reasons=tuple(item.get("reasons", [])),
        reason_count=item.get("reason_count", 0),
        entries_before=item.get("entries_before", 0),
        inserted=dates_of("inserted"),
        updated=dates_of("updated"),
        duplicate=dates_of("duplicate"),
        superseded=dates_of("superseded"),
        failed=dates_of("failed"),
        refused=dates_of("refused"),
        notice=item.get("notice"),
        moves=item.get("moves", 0),
    )


def _settled_item(settled: Settled | None) -> Item | None:
    return settled and {
        "addresses": dict(settled.addresses),
        "etags": dict(settled.etags),
        "newest": {source: date.isoformat() for source, date in settled.newest.items()},
        "code": settled.code,
        "acceptances": settled.acceptances,
        "stamp": settled.stamp,
    }


def _settled(item: Mapping[str, Any] | None) -> Settled | None:
    return (
        None
        if not item
        else Settled(
            addresses=item.get("addresses", {}),
            etags=item.get("etags", {}),
            newest={source: dt.date.fromisoformat(text) for source, text in item.get("newest", {}).items()},
            code=item.get("code", ""),
            acceptances=item.get("acceptances", 0),
            stamp=item.get("stamp", 0),
        )
    )


def head_item(head: Head) -> Item:
    return {
        "entry": HEAD,
        "last_acknowledged": _text(head.last_acknowledged),
        "newest": _text(head.newest),
        "stamp": head.stamp,
        "entries": head.entries,
        "owing": head.owing,
        "last_run": _written(head.last_run),
        "last_success": _written(head.last_success),
        "failures": list(head.failures),
        "told": _warning_items(head.told),
        "unsent": head.unsent,
        "settled": _settled_item(head.settled),
        "held": head.held and {"reason": head.held.reason, "since": written(head.held.since)},
        "acceptances": head.acceptances,
        "moves": head.moves,
    }


def head_of(item: Item) -> Head:
    held = item.get("held")
    return Head(
        last_acknowledged=_date(item.get("last_acknowledged")),
        newest=_date(item.get("newest")),
        stamp=item.get("stamp", 0),
        entries=item.get("entries", 0),
        owing=item.get("owing", frozenset()),
        last_run=_moment(item.get("last_run")),
        last_success=_moment(item.get("last_success")),
        failures=tuple(item.get("failures", [])),
        told=_warnings(item.get("told", [])),
        unsent=item.get("unsent", frozenset()),
        settled=_settled(item.get("settled")),
        held=held and Held(held["reason"], moment(held["since"])),
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


def file_of(item: Item) -> SourceFile:
    return SourceFile(
        source=item["entry"].removeprefix(FILE),
        sha256=item["sha256"],
        rows=item["rows"],
        newest=dt.date.fromisoformat(item["newest"]),
        checked_at=moment(item["checked_at"]),
    )


def checked_item(source: str, when: dt.datetime) -> Item:
    """What changes of a file's item when its source answers that it is the same."""
    return {"entry": FILE + source, "checked_at": written(when)}


def acceptance_item(acceptance: Acceptance) -> Item:
    return {
        "entry": f"{ACCEPT}{acceptance.date}#{acceptance.digest}",
        "reason": acceptance.reason,
        "run": acceptance.run,
        "figures": list(acceptance.figures),
        "accepted_at": written(acceptance.at),
    }


def acceptance_of(item: Item) -> Acceptance:
    _, date, digest = item["entry"].split("#")
    return Acceptance(
        date=dt.date.fromisoformat(date),
        digest=digest,
        reason=item.get("reason", ""),
        run=item.get("run", ""),
        figures=tuple(item.get("figures", [])),
        at=moment(item["accepted_at"]),
    )


def notice_item(notice: Notice, created: dt.datetime) -> Item:
    """A notice as it is made: unsent."""
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


def sent_notice_of(item: Item) -> SentNotice:
    return SentNotice(
        notice_of(item), moment(item["created_at"]), item["state"], _moment(item.get("sent_at"))
    )
