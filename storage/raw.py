"""Everything that is kept, read raw: items, rows and objects by client calls of its own.

What can't be read becomes a finding, and the rest is read all the same.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

from schemas.day import REGION
from schemas.moment import moment, version
from storage.aws import asking
from storage.kept import (
    SETS,
    Finding,
    Kept,
    RawDay,
    RawHead,
    RawNotice,
    RawRun,
    Values,
    carried,
)
from storage.raw_archive import Parse, read_archive
from storage.raw_tables import read_rows

Item = dict[str, Any]
Counting = Callable[[str, int], AbstractContextManager[Callable[[int], object]]]
UNREADABLE = (KeyError, ValueError, TypeError, AttributeError, OverflowError)
KINDS = ("day", "run", "notice", "accept", "head", "file")


def read(
    client: Callable[[str], Any],
    names: Mapping[str, str],
    parse: Parse | None = None,
    tries: int = 1,
    counting: Counting = lambda _what, _total: nullcontext(lambda _: None),
) -> Kept:
    """Everything that the stack of these names keeps. ``parse`` reads what a source's file says, where the
    entries are to be held against it. Raises Unreachable.

    With more than one of the ``tries`` the ledger is read before and after the rest, and all of it again
    where it was changed in between.
    """
    items = scan(client("dynamodb"), names["ledger_table"])
    kept = _read(client, names, items, parse, counting)
    for _ in range(tries - 1):
        before, items = items, scan(client("dynamodb"), names["ledger_table"])
        if items == before:
            return kept
        kept = _read(client, names, items, parse, counting)
    return replace(kept, moved=tries > 1)


def _read(
    client: Callable[[str], Any],
    names: Mapping[str, str],
    items: Iterable[Item],
    parse: Parse | None,
    counting: Counting,
) -> Kept:
    ledger = read_ledger(items)
    archive = read_archive(client("s3"), names["archive_bucket"], parse, counting)
    daily, daily_findings = read_rows(client, names, "daily", names["daily_table"])
    revisions, revisions_findings = read_rows(client, names, "revisions", names["revisions_table"])
    return replace(
        ledger,
        log=archive.log,
        files=archive.files,
        rejected=archive.rejected,
        daily=daily,
        revisions=revisions,
        findings=(*ledger.findings, *archive.findings, *daily_findings, *revisions_findings),
    )


@asking("ledger")
def scan(dynamodb: Any, table: str) -> list[Item]:
    """Every item of a table as plain values, in the order of the keys."""
    pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    items = [{name: plain(value) for name, value in item.items()} for page in pages for item in page["Items"]]
    return sorted(items, key=lambda item: (str(item.get("series")), str(item.get("entry"))))


def plain(attribute: Mapping[str, Any]) -> Any:
    """A value out of DynamoDB's wire shape."""
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "SS":
            return frozenset(value)
        case "L":
            return [plain(part) for part in value]
        case "M":
            return {name: plain(part) for name, part in value.items()}
    return value


def read_ledger(items: Iterable[Item]) -> Kept:
    """The ledger's items as values; of other kinds than are known here nothing is said."""
    found: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    findings: list[Finding] = []
    readers: dict[str, Callable[[Item], Any]] = {
        "day": _day,
        "run": _run,
        "notice": _notice,
        "accept": _acceptance,
        "head": _head,
        "file": _file,
    }
    for item in items:
        entry = str(item.get("entry"))
        kind = entry.partition("#")[0]
        if item.get("series") != REGION:
            findings.append(Finding("ledger", f"{entry} is of the series {item.get('series')}"))
        elif kind in readers:
            try:
                found[kind].append(readers[kind](item))
            except UNREADABLE as error:
                findings.append(Finding("ledger", f"{entry} can't be read: {problem(error)}"))
    return Kept(
        head=found["head"][0] if found["head"] else RawHead(),
        days={day.date: day for day in found["day"]},
        runs={run.name: run for run in found["run"]},
        notices={notice.id: notice for notice in found["notice"]},
        accepted=frozenset(found["accept"]),
        believed={source: sha256 for source, sha256 in found["file"] if sha256},
        findings=tuple(findings),
    )


def problem(error: Exception) -> str:
    return f"it has no {error.args[0]}" if isinstance(error, KeyError) else f"{error}"


def values_of(item: Mapping[str, Any]) -> Values:
    """The figures in an item, where one that is not reported is absent. Raises KeyError, TypeError."""
    values = carried(item)
    if wrong := [name for name, value in values.items() if value is not None and type(value) is not int]:
        raise TypeError(f"{wrong[0]} is {values[wrong[0]]!r}, no whole number")
    return values


def _whole(item: Item, name: str) -> int:
    value = item[name]
    if type(value) is not int:
        raise TypeError(f"{name} is {value!r}, no whole number")
    return value


def _day(item: Item) -> RawDay:
    return RawDay(
        date=dt.date.fromisoformat(item["entry"].removeprefix("day#")),
        values=values_of(item),
        digest=item["digest"],
        version=_whole(item, "version"),
        seen=_whole(item, "seen"),
        entries=_whole(item, "entries"),
        event=item["event"],
        run=item["run"],
        acknowledged_at=moment(item["acknowledged_at"]),
    )


def _run(item: Item) -> RawRun:
    name = f"{item['time']}#{item['request']}"
    if item["entry"] != f"run#{name}":
        raise ValueError(f"it says that it is {name}")
    new: Mapping[str, Any] = item.get("new", {})
    return RawRun(
        name=name,
        version=version(moment(item["time"])),
        state=item["state"],
        pending=_dates(item.get("pending", [])),
        new=_dates(new.get("dates", [])),
        files=item.get("files", {}),
        sets={name: _dates(item.get(name, [])) for name in SETS},
        refused=_dates(item.get("refused", [])),
        warnings=_codes(item.get("warnings", [])),
        begun=frozenset(item.get("begun", ())),
        accepted=_codes(item.get("accepted", [])),
        notice=item.get("notice"),
    )


def _codes(warnings: Iterable[Mapping[str, str]]) -> frozenset[str]:
    return frozenset(warning["code"] for warning in warnings)


def _dates(texts: Iterable[str]) -> frozenset[dt.date]:
    return frozenset(date for text in texts for date in _stretch(text))


def _stretch(text: str) -> Iterator[dt.date]:
    """The dates of ``2020-03-01`` or ``2020-03-01..2020-03-09``."""
    first, _, last = text.partition("..")
    date, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last or first)
    while date <= end:
        yield date
        date += dt.timedelta(days=1)


def _head(item: Item) -> RawHead:
    last, run = item.get("last_acknowledged"), item.get("last_run")
    return RawHead(
        last_acknowledged=dt.date.fromisoformat(last) if last else None,
        stamp=_whole({"stamp": 0} | item, "stamp"),  # absent until something is entered
        entries=_whole({"entries": 0} | item, "entries"),
        owing=frozenset(item.get("owing", ())),
        last_run=moment(run) if run else None,
        failures=tuple(item.get("failures", ())),
        told=_codes(item.get("told", [])),
        unsent=frozenset(item.get("unsent", ())),
        settled="settled" in item,
        held="held" in item,
    )


def _notice(item: Item) -> RawNotice:
    return RawNotice(
        id=item["entry"].removeprefix("notice#"),
        topic=item["topic"],
        subject=item["subject"],
        email=item["email"],
        run=item.get("run"),
        state=item["state"],
    )


def _file(item: Item) -> tuple[str, str | None]:
    return item["entry"].removeprefix("file#"), item.get("sha256")


def _acceptance(item: Item) -> tuple[dt.date, str]:
    _, date, digest = item["entry"].split("#")
    return dt.date.fromisoformat(date), digest
