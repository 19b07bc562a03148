"""Input of an AWS call against the service's model as botocore ships it.

botocore itself looks at types, required members and minima, and leaves patterns, enumerations and maxima to
the service.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

# Java's classes that Python's `re` doesn't have, as the models write them, and what comes nearest.
LETTERS_SPACES_DIGITS = (r"\p{L}\p{Z}\p{N}_", r"\w \u00a0")
IGNORE_CASE = "(?i)"


def problems(service: str, operation: str, params: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Pairs of a member's path and the rule that its value breaks, in the model's order."""
    shape = _model(service).operation_model(operation).input_shape
    if shape is None:
        raise ValueError(f"{service} {operation} takes no input")
    report = ParamValidator().validate(params, shape)
    if report.has_errors():
        yield operation, report.generate_report().replace("\n", "; ")
    yield from _constraints("", params, shape)


@lru_cache(maxsize=32)
def _model(service: str) -> ServiceModel:
    # Loader's own reading keeps the order of members, and takes four times as long: a second at each start.
    version = Loader().determine_latest_version(service, "service-2")
    path = Path(Loader.BUILTIN_DATA_PATH) / service / version / "service-2.json.gz"
    return ServiceModel(json.loads(gzip.decompress(path.read_bytes())), service)


def _constraints(path: str, value: Any, shape: Shape) -> Iterator[tuple[str, str]]:
    match shape, value:
        case StructureShape(), dict():
            for name, member in shape.members.items():
                if name in value:
                    yield from _constraints(f"{path}.{name}".lstrip("."), value[name], member)
        case ListShape(), list():
            yield from _size(path, len(value), "items", shape)
            for index, item in enumerate(value):
                yield from _constraints(f"{path}[{index}]", item, shape.member)
        case MapShape(), dict():
            yield from _size(path, len(value), "entries", shape)
            for key, item in value.items():
                yield from _constraints(f"{path}.{key}", key, shape.key)
                yield from _constraints(f"{path}.{key}", item, shape.value)
        case StringShape(), str():
            yield from _size(path, len(value), "characters", shape)
            if shape.enum and value not in shape.enum:
                yield path, f"{value!r} is none of {', '.join(shape.enum)}"
            pattern = shape.metadata.get("pattern")
            if pattern and not _compiled(pattern).fullmatch(value):
                yield path, f"{value!r} doesn't match {pattern}"
        case _, int() | float() if not isinstance(value, bool):
            yield from _size(path, value, "", shape)


def _size(path: str, size: float, unit: str, shape: Shape) -> Iterator[tuple[str, str]]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and size < least) or (most is not None and size > most):
        yield path, f"{size} {unit}".strip() + f", must be {least or 0} to {most}"


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    flags = re.DOTALL if IGNORE_CASE not in pattern else re.DOTALL | re.IGNORECASE
    return re.compile(pattern.replace(*LETTERS_SPACES_DIGITS).replace(IGNORE_CASE, ""), flags)
