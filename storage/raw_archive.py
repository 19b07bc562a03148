"""The archive, read raw: the log's events, the files that are whole, and what is wrong with the objects."""

import datetime as dt
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from marshmallow import ValidationError

from schemas.event import decode
from storage.aws import asking, code
from storage.kept import Finding, LoggedEvent, Values, carried

EVENT_OBJECT = re.compile(r"events/([0-9]{1,15})-([0-9a-f]{16})\.jsonl")
FILE_OBJECT = re.compile(r"sources/([^/]+/[0-9a-f]{64})\.csv\.gz")
ASIDE = "rejected/"
Parse = Callable[[str, bytes], Mapping[dt.date, Values]]  # source, file → what it says, by date


@dataclass(frozen=True)
class RawArchive:
    log: tuple[LoggedEvent, ...]
    files: Mapping[str, Mapping[dt.date, Values] | None]
    rejected: tuple[str, ...]
    findings: tuple[Finding, ...]


def read_archive(s3: Any, bucket: str, parse: Parse | None, counting: Any) -> RawArchive:
    """Every object of the archive. ``parse`` reads what a file says. Raises Unreachable."""
    names = list_names(s3, bucket)
    log: list[LoggedEvent] = []
    files: dict[str, Mapping[dt.date, Values] | None] = {}
    findings: list[Finding] = []
    with counting("Reading the archive", len(names)) as move:
        for name in names:
            if match := EVENT_OBJECT.fullmatch(name):
                events, found = read_events(match, get(s3, bucket, name))
                log += events
                findings += found
            elif match := FILE_OBJECT.fullmatch(name):
                problem, said = read_file(match[1], get(s3, bucket, name), parse)
                if problem:
                    findings.append(Finding("archive", f"{name} {problem}"))
                else:
                    files[match[1]] = said
            elif not name.startswith(("rejected/", "reasons/")) or name.endswith("/"):
                what = "is a folder that something else made" if name.endswith("/") else "has no name of ours"
                findings.append(Finding("archive", f"{name} {what}: no reader looks at it", broken=False))
            move(1)
    rejected = tuple(n.removeprefix(ASIDE) for n in names if n.startswith(ASIDE) and n != ASIDE)
    return RawArchive(tuple(log), files, rejected, tuple(findings))


@asking("archive")
def list_names(s3: Any, bucket: str) -> list[str]:
    """The names of a bucket's objects."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return [item["Key"] for page in pages for item in page.get("Contents", [])]


@asking("archive")
def get(s3: Any, bucket: str, name: str) -> bytes | None:
    """An object's bytes; None where it has gone since it was listed."""
    try:
        return s3.get_object(Bucket=bucket, Key=name)["Body"].read()
    except ClientError as error:
        if code(error) == "NoSuchKey":
            return None
        raise


def read_events(name: re.Match[str], body: bytes | None) -> tuple[list[LoggedEvent], list[Finding]]:
    """The events of one object of the log that can be read, and what is wrong with it. Its name is made of
    its first version and of all its ids."""
    events: list[LoggedEvent] = []
    problems: list[str] = []
    for number, line in enumerate((body or b"").splitlines(), 1):
        try:
            decode(line)
            events.append(_event(json.loads(line)))
        except ValidationError as error:
            problems.append(f"is damaged: line {number} is no event: {error}")
    if body is None:
        problems.append("can't be read: it is listed, and not there")
    if not problems:
        problems = list(_misnamed(name, events))
    return events, [Finding("log", f"{name[0]} {problem}") for problem in problems]


def _misnamed(name: re.Match[str], events: list[LoggedEvent]) -> Iterator[str]:
    ids = hashlib.sha256("\n".join(event.id for event in events).encode()).hexdigest()[:16]
    if not events:
        yield "holds no events"
    elif (name[1], name[2]) != (str(events[0].version), ids):
        yield f"holds other events than its name says ({len(events):,} of them)"
    elif len({event.version for event in events}) > 1:
        yield "holds the events of more than one run: a reader by version misses some"


def _event(envelope: Mapping[str, Any]) -> LoggedEvent:
    data = envelope["data"]
    previous = data["previous"]
    return LoggedEvent(
        id=envelope["id"],
        date=dt.date.fromisoformat(data["date"]),
        version=data["version"],
        values=carried(data),
        previous=previous and carried(previous),
        run=envelope["run"],
        files=data["files"],
    )


def read_file(
    name: str, body: bytes | None, parse: Parse | None
) -> tuple[str, Mapping[dt.date, Values] | None]:
    """What is wrong with a source's file, empty for nothing; and what it says, where that can be read."""
    source, _, sha256 = name.partition("/")
    if body is None:
        return "can't be read: it is listed, and not there", None
    try:
        text = gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return "is damaged: it can't be unpacked", None
    found = hashlib.sha256(text).hexdigest()
    if found != sha256:
        return f"holds another file than its name says ({found})", None
    if parse is None:
        return "", None
    try:
        return "", parse(source, text)
    except (ValueError, KeyError, TypeError, IndexError):  # refused files are kept as well
        return "", {}
