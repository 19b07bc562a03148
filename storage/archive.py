"""The archive, in S3: the permanent event log, every source file by its hash, and what was set aside.

Objects are created once and never changed; creating one again is no error. The log's objects overlap: a
reader drops repeated ids.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError
from marshmallow import ValidationError

from schemas.event import DayEvent, decode, encode_unchecked
from schemas.ledger import Reason
from storage.aws import asking, code
from storage.errors import Damaged

SOURCES = "sources/"
EVENTS = "events/"
REJECTED = "rejected/"
REASONS = "reasons/"
GZIP_LEVEL = 6
MAX_TRIES = 3  # at creating an object that another creates at the same moment
MAX_KNOWN = 200  # objects of the log in memory, of a hundred events each
LOG_NAME = re.compile(EVENTS + r"([0-9]{1,15})-[0-9a-f]{16}\.jsonl")


class Archive:
    """One bucket. Every method raises Unreachable."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket
        self._known: dict[str, list[DayEvent]] = {}  # objects that were read, by name: they never change

    def keep_file(self, source: str, payload: bytes) -> None:
        """Keep what a source published, refused or not."""
        self._create(file_name(source, sha256(payload)), gzip.compress(payload, GZIP_LEVEL, mtime=0))

    def file(self, source: str, digest: str) -> bytes:
        """A file kept before, by its SHA-256."""
        return gzip.decompress(self.read(file_name(source, digest)))

    def keep_events(self, events: Sequence[DayEvent]) -> None:
        """Keep the events of one run as one object of JSON lines."""
        self._create(log_name(events), b"".join(encode_unchecked(event) + b"\n" for event in events))

    def keep_rejected(self, sequence: str, payload: bytes) -> None:
        """Keep the bytes of a record that is set aside."""
        self._create(f"{REJECTED}{sequence}", payload)

    def keep_reasons(self, run: str, reasons: Sequence[Reason]) -> None:
        """Keep all the reasons why a run was refused; ledger and message have the first of them."""
        lines = [json.dumps(vars(reason)) for reason in reasons]
        self._create(f"{REASONS}{run}.jsonl", "\n".join(lines).encode())

    def log_names(self, version: int | None = None) -> list[str]:
        """The names of the log's objects, or of those of the run with this version, by first version. What
        else lies there, such as a folder that a console made, is left out."""
        prefix = EVENTS if version is None else f"{EVENTS}{version}-"
        names = [name for name in self.names(prefix) if LOG_NAME.fullmatch(name)]
        return sorted(names, key=lambda name: (first_version(name), name))

    def events_in(self, name: str) -> list[DayEvent]:
        """The events of one object of the log, by date. Raises Damaged."""
        events = []
        for number, line in enumerate(self.read(name).splitlines(), 1):
            try:
                events.append(decode(line))
            except ValidationError as error:
                raise Damaged(f"{name}, line {number} is no event: {error}") from error
        return sorted(events, key=lambda event: (event.version, event.day.date))

    def log(self) -> Iterator[list[DayEvent]]:
        """The log's objects in the order of their first version, each with its events by date."""
        return (self.events_in(name) for name in self.log_names())

    def events_of(self, version: int) -> dict[str, DayEvent]:
        """The logged events of the run with this version, by id."""
        names = self.log_names(version)
        if len(self._known) > MAX_KNOWN:
            self._known.clear()
        self._known |= {name: self.events_in(name) for name in names if name not in self._known}
        return {event.id: event for name in names for event in self._known[name]}

    @asking("archive")
    def names(self, prefix: str = "") -> list[str]:
        """The names of the objects that begin so, in their order."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    @asking("archive")
    def read(self, name: str) -> bytes:
        """An object's bytes."""
        return self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read()

    @asking("archive")
    def _create(self, name: str, body: bytes) -> None:
        """Write an object that nobody has written; what is there stays. S3 refuses two that do so at once,
        one of them or both: 409, "ConditionalRequestConflict"."""
        for tries in range(1, MAX_TRIES + 1):
            try:
                self._client.put_object(Bucket=self._bucket, Key=name, Body=body, IfNoneMatch="*")
            except ClientError as error:
                if code(error) == "ConditionalRequestConflict" and tries < MAX_TRIES:
                    continue
                if code(error) != "PreconditionFailed":
                    raise
            return


def sha256(payload: bytes) -> str:
    """The hash by which a file is known, in hexadecimal."""
    return hashlib.sha256(payload).hexdigest()


def file_name(source: str, digest: str) -> str:
    return f"{SOURCES}{source}/{digest}.csv.gz"


def log_name(events: Sequence[DayEvent]) -> str:
    """The name of an object with these events: their first version, and a hash of all their ids."""
    ids = hashlib.sha256("\n".join(event.id for event in events).encode()).hexdigest()[:16]
    return f"{EVENTS}{events[0].version}-{ids}.jsonl"


def first_version(name: str) -> int:
    """The first version among the events of an object, as its name has it."""
    match = LOG_NAME.fullmatch(name)
    return int(match[1]) if match else 0


def distinct(events: Iterable[DayEvent]) -> list[DayEvent]:
    """The events by version and date, each id once."""
    by_id = {event.id: event for event in events}
    return sorted(by_id.values(), key=lambda event: (event.version, event.day.date))
