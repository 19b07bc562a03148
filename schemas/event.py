"""The event: a day was recorded, or revised. CloudEvents 1.0, structured JSON, one a Kinesis record.

Identity is derived: the same entry has the same id on any machine and at any time.
"""

import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, validate

from schemas.day import REGION, CountsFields, CountsSchema, Day, Exact, IsoDate, Whole
from schemas.figures import FIGURES, SOURCES, Counts
from schemas.moment import at, written

RECORDED, REVISED = "recorded", "revised"
VERSIONS = range(1, 1 + max(figure.since for figure in FIGURES))
COMPACT = json.JSONEncoder(separators=(",", ":"))
SOURCE = "/daybook/"
MAX_VERSION = 253_402_300_799_999  # the last millisecond of the year 9999
MAX_RUN = 200  # its name is part of a key, of which DynamoDB takes 1,024 bytes
SHA256 = re.compile(r"[0-9a-f]{64}")
RUN = re.compile(r"[A-Za-z0-9:.#/_ -]+")


@dataclass(frozen=True)
class DayEvent:
    """A day was entered: for the first time, or again. ``previous`` may equal the day's own counts, where an
    older run owed the date: functions/diff.py.

    ``version`` is the run's time in epoch milliseconds; ``previous`` holds the values that were acknowledged
    when the run read the ledger, None where none were; ``files`` maps each source to the SHA-256 of the file
    that the values stood in; ``run`` names the run that read them.
    """

    day: Day
    version: int
    previous: Counts | None
    run: str
    stack: str
    files: Mapping[str, str]

    @cached_property
    def id(self) -> str:
        return f"{self.subject}/{self.version}/{self.day.counts.digest}"

    @property
    def type(self) -> str:
        """It names the oldest version of the schema that has every figure of the event."""
        carried = self.day.counts.carried.keys() | (self.previous.carried.keys() if self.previous else set())
        since = max(figure.since for figure in FIGURES if figure.name in carried)
        return type_name(RECORDED if self.previous is None else REVISED, since)

    @property
    def subject(self) -> str:
        return f"{REGION}/{self.day.date.isoformat()}"

    @property
    def recorded_at(self) -> dt.datetime:
        """The version as a moment, never anything else."""
        return at(self.version)


def type_name(kind: str, number: int) -> str:
    return f"daybook.day.{kind}.v{number}"


def _is_sha256(value: Any) -> bool:
    return isinstance(value, str) and SHA256.fullmatch(value) is not None


class FileHashes(Exact[dict[str, str]]):
    """The SHA-256, in hexadecimal, of the file read from each source."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, str]:
        if type(value) is dict and value.keys() == set(SOURCES) and all(map(_is_sha256, value.values())):
            return value
        raise ValidationError(f"is not one SHA-256 each for {' and '.join(SOURCES)}")


class EntrySchema(CountsFields):
    """What an event says: the day, its version, the values it replaces, and its files."""

    class Meta:
        unknown = RAISE

    date = IsoDate(required=True)
    region = fields.String(required=True, validate=validate.Equal(REGION))
    version = Whole(1, MAX_VERSION, required=True)
    previous = fields.Nested(CountsSchema, required=True, allow_none=True)
    files = FileHashes(required=True)


class EnvelopeSchema(Schema):
    """The CloudEvents attributes; extensions that are not ours are ignored."""

    class Meta:
        unknown = EXCLUDE

    specversion = fields.String(required=True, validate=validate.Equal("1.0"))
    id = fields.String(required=True)
    source = fields.String(required=True, validate=validate.Regexp(SOURCE + r"[A-Za-z0-9_.-]{1,100}\Z"))
    type = fields.String(required=True)
    subject = fields.String(required=True)
    time = fields.String(required=True)
    datacontenttype = fields.String(required=True, validate=validate.Equal("application/json"))
    run = fields.String(
        required=True, validate=[validate.Length(1, MAX_RUN), validate.Regexp(RUN.pattern + r"\Z")]
    )
    data = fields.Nested(EntrySchema, required=True)


KINDS = {
    RECORDED: "A day's first entry; it replaces nothing.",
    REVISED: "A later entry, with the values that it replaces.",
}


def _schema(kind: str, number: int) -> Schema:
    """The envelope of one type: this version of it lacks the figures that came later."""
    later = [figure.name for figure in FIGURES if figure.since > number]
    data = EntrySchema(exclude=[*later, *(f"previous.{name}" for name in later)])
    parts = {
        "__doc__": KINDS[kind],
        "type": fields.String(required=True, validate=validate.Equal(type_name(kind, number))),
        "data": fields.Nested(data, required=True),
    }
    return type("DaySchema", (EnvelopeSchema,), parts)()


SCHEMAS: Mapping[str, Schema] = {
    type_name(k, number): _schema(k, number) for k in KINDS for number in VERSIONS
}
# Data, source and run make the event; every other attribute is derived, and compared with what it has to be.
ORIGIN = EnvelopeSchema(only=("source", "run"))
ENTRY = EntrySchema()


def encode(event: DayEvent) -> bytes:
    """The event as a record's bytes. Raises ValidationError: what can't be read is never sent."""
    envelope = _envelope(event)
    _data(envelope)
    return COMPACT.encode(envelope).encode()


def encode_unchecked(event: DayEvent) -> bytes:
    """The same bytes, unchecked: for an event that came out of ``decode``."""
    return COMPACT.encode(_envelope(event)).encode()


def decode(payload: bytes) -> DayEvent:
    """The event in a record's bytes. Raises ValidationError for anything else."""
    try:
        envelope = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ValidationError(f"not JSON: {error}") from error
    data = _data(envelope)
    event = DayEvent(
        day=Day(data["date"], Counts.read(data)),
        version=data["version"],
        previous=data["previous"],
        run=envelope["run"],
        stack=envelope["source"].removeprefix(SOURCE),
        files=data["files"],
    )
    for attribute, expected in _envelope(event).items():
        if attribute != "data" and envelope.get(attribute) != expected:
            raise ValidationError(f"is not {expected!r}", attribute)
    return event


def _data(envelope: Any) -> dict[str, Any]:
    """Read the data in an envelope. Raises ValidationError where the envelope is no event."""
    if not isinstance(envelope, dict) or str(envelope.get("type")) not in SCHEMAS:
        raise ValidationError("not a CloudEvent of a type that is known here")
    for attribute in ("source", "run", "data"):
        if attribute not in envelope:
            raise ValidationError("is missing", attribute)
    source, run = envelope["source"], envelope["run"]
    try:
        _check_origin(source, run)
    except TypeError as error:  # a list or an object, which can't be remembered
        raise ValidationError("are not text", "source, run") from error
    data: Any = ENTRY.load(envelope["data"])
    return data


@lru_cache(64)
def _check_origin(source: str, run: str) -> None:
    """Raises ValidationError. All events of a run have one origin, which is looked at once."""
    ORIGIN.load({"source": source, "run": run})


@dataclass(frozen=True)
class About:
    """The run and the date that a record names, though it may be no valid event; None where it names none."""

    run: str | None = None
    date: dt.date | None = None


def about(payload: bytes) -> About:
    """The run and date in a record's bytes, as far as they can be read."""
    try:
        envelope: Any = json.loads(payload)
        run = envelope.get("run")
        date = dt.date.fromisoformat(str(envelope.get("subject")).removeprefix(f"{REGION}/"))
    except (ValueError, RecursionError, AttributeError):
        return About()
    known = isinstance(run, str) and len(run) <= MAX_RUN and RUN.fullmatch(run)
    return About(run if known else None, date)


def _envelope(event: DayEvent) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": event.id,
        "source": SOURCE + event.stack,
        "type": event.type,
        "subject": event.subject,
        "time": written(event.recorded_at),
        "datacontenttype": "application/json",
        "run": event.run,
        "data": {
            "date": event.day.date.isoformat(),
            "region": REGION,
            **event.day.counts.carried,
            "version": event.version,
            "previous": event.previous and event.previous.carried,
            "files": dict(event.files),
        },
    }
