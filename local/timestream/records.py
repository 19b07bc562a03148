"""One record of WriteRecords: CommonAttributes merged in, values parsed, limits kept."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

# https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html
MAX_RECORD_BYTES = 2048
MAX_DIMENSIONS = 128
MAX_DIMENSION_NAME_BYTES = 60
MAX_MEASURE_NAME_BYTES = 256
MAX_MEASURES_PER_RECORD = 256
RESERVED_NAMES = re.compile(r"time|measure_name|measure_value(::.*)?|ts_non_existent_col", re.IGNORECASE)

NANOSECONDS = {"SECONDS": 10**9, "MILLISECONDS": 10**6, "MICROSECONDS": 10**3, "NANOSECONDS": 1}
TYPES = ("BIGINT", "DOUBLE", "BOOLEAN", "VARCHAR", "TIMESTAMP")
WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
LARGEST = 2**63 - 1  # of a BIGINT, a Version, and nanoseconds since 1970 (2262-04-11)

Value = int | float | bool | str
Identity = tuple[frozenset[tuple[str, str]], int, str]


class ServiceError(Exception):
    """What the service answers instead of a result; `extra` are members of the error's body."""

    def __init__(self, code: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.extra = code, message, extra


class Rejected(Exception):
    """One record is refused, the others of its call are not. A version conflict names the existing one."""

    def __init__(self, reason: str, existing_version: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.existing_version = reason, existing_version


@dataclass(frozen=True)
class Record:
    """A record as it was understood. Measures by column, with type; a TIMESTAMP is epoch microseconds."""

    dimensions: dict[str, str]
    time_ns: int
    measure_name: str
    kind: str
    measures: dict[str, tuple[str, Value]]
    version: int

    @property
    def identity(self) -> Identity:
        return frozenset(self.dimensions.items()), self.time_ns, self.measure_name

    def row(self) -> dict[str, Value]:
        values = {name: value for name, (_, value) in self.measures.items()}
        return {"measure_name": self.measure_name, "time": self.time_ns // 1000, **self.dimensions, **values}


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def merged(common: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """What a record says itself comes before what CommonAttributes say. Raises ValidationException."""
    item = {**common, **own}
    item["Dimensions"] = [*(common.get("Dimensions") or []), *(own.get("Dimensions") or [])]
    dimensions = [dimension["Name"] for dimension in item["Dimensions"]]
    if len(set(dimensions)) < len(dimensions):
        raise invalid(f"A record must contain dimensions with unique names, not {sorted(dimensions)}.")
    if len(dimensions) > MAX_DIMENSIONS:
        raise invalid(f"A record has {len(dimensions)} dimensions, {MAX_DIMENSIONS} are allowed.")
    for required in ("MeasureName", "Time"):
        if not item.get(required):
            raise invalid(f"{required} is missing.")
    if item.setdefault("TimeUnit", "MILLISECONDS") not in NANOSECONDS:
        raise invalid(f"Unknown TimeUnit {item['TimeUnit']}.")
    if not re.fullmatch(r"[0-9]{1,20}", item["Time"]):
        raise invalid(f"Time must be a whole number of time units since 1970, not {item['Time'][:40]!r}.")
    if not 1 <= item.setdefault("Version", 1) <= LARGEST:
        raise invalid(f"Version must be 1 or more, not {item['Version']}.")
    measures = _measures(item)
    if reserved := [name for name in (*dimensions, *measures) if RESERVED_NAMES.fullmatch(name)]:
        raise invalid(f"The name {reserved[0]} is reserved.")
    return item


def _measures(item: dict[str, Any]) -> list[str]:
    """The names within a MULTI; raises ValidationException where type and values don't go together."""
    kind = item.setdefault("MeasureValueType", "DOUBLE")
    measures = item.get("MeasureValues") or []
    if kind == "MULTI":
        if item.get("MeasureValue") is not None or not measures:
            raise invalid("A record of type MULTI has MeasureValues, and no MeasureValue.")
    elif measures or not item.get("MeasureValue"):
        raise invalid(f"A record of type {kind} has a MeasureValue, and no MeasureValues.")
    elif kind == "TIMESTAMP":
        raise invalid("The type TIMESTAMP is supported within MULTI only.")
    names = [measure["Name"] for measure in measures]
    if len(set(names)) < len(names):
        raise invalid(f"A record must contain measures with unique names, not {sorted(names)}.")
    kinds = [measure["Type"] for measure in measures] or [kind]
    if unknown := [kind for kind in kinds if kind not in TYPES]:
        raise invalid(f"Unknown measure value type {unknown[0]}.")
    return names


def parsed(item: dict[str, Any]) -> Record:
    """Raises Rejected where a limit is exceeded, or a value isn't of its type."""
    kind, name, unit = item["MeasureValueType"], item["MeasureName"], NANOSECONDS[item["TimeUnit"]]
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in item["Dimensions"]}
    if kind == "MULTI":
        texts = [(measure["Name"], measure["Type"], measure["Value"]) for measure in item["MeasureValues"]]
    else:
        texts = [(f"measure_value::{kind.lower()}", kind, item["MeasureValue"])]
    _check_limits(name, dimensions, texts)
    measures = {column: (type_, _value(column, type_, text, unit)) for column, type_, text in texts}
    return Record(dimensions, int(item["Time"]) * unit, name, kind, measures, item["Version"])


def _check_limits(name: str, dimensions: dict[str, str], texts: list[tuple[str, str, str]]) -> None:
    if len(texts) > MAX_MEASURES_PER_RECORD:
        raise Rejected(f"The record has {len(texts)} measures, {MAX_MEASURES_PER_RECORD} are allowed.")
    if long := [key for key in dimensions if len(key.encode()) > MAX_DIMENSION_NAME_BYTES]:
        raise Rejected(f"The dimension name {long[0][:40]}… exceeds {MAX_DIMENSION_NAME_BYTES} bytes.")
    if long := [key for key in (name, *(t[0] for t in texts)) if len(key.encode()) > MAX_MEASURE_NAME_BYTES]:
        raise Rejected(f"The measure name {long[0][:40]}… exceeds {MAX_MEASURE_NAME_BYTES} bytes.")
    parts = [
        name,
        *dimensions,
        *dimensions.values(),
        *(text for column, _, value in texts for text in (column, value)),
    ]
    size = sum(len(part.encode()) for part in parts) + 8  # the time
    if size > MAX_RECORD_BYTES:
        raise Rejected(f"The record has {size} bytes, {MAX_RECORD_BYTES} are allowed.")


def _value(column: str, kind: str, text: str, unit: int) -> Value:
    """A TIMESTAMP is written as a whole number of the record's TimeUnit."""
    if kind == "VARCHAR":
        return text
    if kind == "BIGINT" and WHOLE.fullmatch(text) and -LARGEST - 1 <= int(text) <= LARGEST:
        return int(text)
    if kind == "DOUBLE" and DECIMAL.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    if kind == "BOOLEAN" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind == "TIMESTAMP" and WHOLE.fullmatch(text) and 0 <= int(text) * unit <= LARGEST:
        return int(text) * unit // 1000
    raise Rejected(f"The value {text[:40]!r} of {column} is not a {kind}.")
