"""What the environment says, read once into a frozen value.

A field's variable is its name in capitals behind ``DAYBOOK_``: ``ledger_table`` is
``DAYBOOK_LEDGER_TABLE``. The Pulumi program sets exactly these.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

PREFIX = "DAYBOOK_"


@dataclass(frozen=True)
class Settings:
    """What every function reads."""

    stack: str
    label: str  # put before every message, like "synthetic sample"; empty for none
    ledger_table: str
    archive_bucket: str
    daily_report_topic: str  # ARN
    alerts_topic: str  # ARN

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """These settings from variables. Raises KeyError naming every variable that is missing."""
        names = {field.name: PREFIX + field.name.upper() for field in fields(cls)}
        missing = sorted(name for name in names.values() if name not in environment)
        if missing:
            raise KeyError(f"not set: {', '.join(missing)}")
        values: dict[str, Any] = {
            field.name: field.type(environment[names[field.name]])
            if field.type in (int, float)
            else environment[names[field.name]]
            for field in fields(cls)
        }
        return cls(**values)


@dataclass(frozen=True)
class FetcherSettings(Settings):
    """What the fetcher reads beside that."""

    stream: str  # name
    code: str  # hash of the deployed code: other code reads files again, even unchanged ones
    nyt_url: str
    jhu_url: str
    history_base: str  # below it are the files that functions/history.csv lists
    allowed_hosts: str  # separated by commas; redirects elsewhere are refused
    insecure_hosts: str  # of these, the ones that may be asked over http://; empty on AWS
    max_source_bytes: int
    source_deadline_seconds: float  # for both files, retries included
    record_age_seconds: int  # how long the mapping retries a record


@dataclass(frozen=True)
class ConsumerSettings(Settings):
    """What the consumer reads beside that."""

    store: str  # timestream or dynamodb
    database: str
    daily_table: str
    revisions_table: str
