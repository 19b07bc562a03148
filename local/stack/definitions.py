"""What the program declares and the local cloud does itself: run functions, feed them, keep schedules."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LocalFunction:
    name: str
    arn: str
    handler: str
    environment: dict[str, str]
    timeout: int  # seconds
    code: Path  # the folder of the unpacked archive
    python: str = sys.executable  # which has what its layers have


@dataclass(frozen=True)
class LocalMapping:
    function_name: str
    stream_arn: str
    batch_size: int
    window_seconds: int
    bisect: bool
    max_record_age_seconds: int  # -1: for ever
    max_retries: int  # -1: for ever
    partial_response: bool  # whether the function may say which records failed
    on_failure_topic: str | None  # ARN


@dataclass(frozen=True)
class LocalInvokeConfig:
    function_name: str
    max_retries: int
    max_event_age_seconds: int
    on_failure_topic: str | None  # ARN


@dataclass(frozen=True)
class LocalSchedule:
    name: str
    expression: str
    timezone: str
    target_function: str  # name
    input: str
    max_attempts: int  # of delivery, the first included


@dataclass(frozen=True)
class LocalSubscription:
    topic_arn: str
    protocol: str
    endpoint: str
