"""What the environment tells the dashboard, read once into a frozen value.

A field's variable is its name in capitals behind ``DAYBOOK_``: ``ledger_table`` is
``DAYBOOK_LEDGER_TABLE``. The Pulumi program sets exactly these, and ``AWS_DEFAULT_REGION`` beside them:
Elastic Beanstalk, unlike Lambda, tells a process no region.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

PREFIX = "DAYBOOK_"
WORDS = {"true": True, "false": False}


@dataclass(frozen=True)
class Settings:
    """What the dashboard is told."""

    stack: str
    ledger_table: str
    store: str  # timestream or dynamodb
    database: str
    daily_table: str
    revisions_table: str
    bundle: str  # hash of this bundle as deployed
    schedule: str  # as an operator wrote it, to be shown
    stale_after_hours: int  # without a completed run; above the schedule's interval
    synthetic: bool  # whether the sources are made up

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:  # noqa: TID251 the one place
        """These settings from variables.

        Raises KeyError naming every variable that is missing, ValueError for one that can't be read.
        """
        names = {field.name: PREFIX + field.name.upper() for field in fields(cls)}
        missing = sorted(name for name in names.values() if name not in environment)
        if missing:
            raise KeyError(f"not set: {', '.join(missing)}")
        values: dict[str, Any] = {
            field.name: _value(field.type, names[field.name], environment[names[field.name]])
            for field in fields(cls)
        }
        return cls(**values)


def _value(kind: Any, name: str, text: str) -> str | int | bool:
    if kind is bool:
        if text not in WORDS:
            raise ValueError(f"{name} is true or false, not {text!r}")
        return WORDS[text]
    return kind(text)
