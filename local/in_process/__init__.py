"""The fast runtime of the local cloud: handlers run in this process, no call of AWS goes over a socket, and
every wait passes on the virtual clock. A run takes hundredths of a second.

The stack, the handlers, the event source mapping, the queue of asynchronous invocations, moto and the
Timestream are those of ``local/``.
"""

import datetime as dt
import gc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.endpoint

import functions.stream
import local.cloud
import local.mapping.shard
from local.clock import Clock
from local.in_process.cloud import START, InProcessCloud, Kept
from local.in_process.runtime import InProcessRuntime
from local.in_process.wire import Died, Send, Wire, response
from local.sources.publisher import Publisher

__all__ = ["START", "Died", "InProcessCloud", "Kept", "Send", "Wire", "in_process", "response"]

# A fault that lasts is waited out for twelve hours. AWS doesn't say how long the waits grow; longer ones
# make fewer attempts of it.
MAX_BACKOFF_SECONDS = 4 * 3600
GARBAGE_THRESHOLD = 100_000  # by default, looking for garbage in a cloud is an eighth of the time


@contextmanager
def in_process(start: dt.datetime = START, **config: str) -> Iterator[InProcessCloud]:
    """A cloud in this process with its publisher, at a moment of its own; one at a time in a process."""
    wire, clock = Wire(), Clock.virtual(start)
    waits = SimpleNamespace(sleep=clock.sleep)
    thresholds = gc.get_threshold()
    gc.set_threshold(GARBAGE_THRESHOLD)
    try:
        with (
            Publisher() as publisher,
            _replaced(
                (local.cloud, "LambdaRuntime", InProcessRuntime),
                (boto3, "client", wire.client),
                (botocore.endpoint, "time", waits),
                (functions.stream, "time", waits),
                (local.mapping.shard, "MAX_BACKOFF_SECONDS", MAX_BACKOFF_SECONDS),
            ),
            InProcessCloud(clock, publisher.config() | config, wire, publisher) as cloud,
        ):
            yield cloud
    finally:
        gc.set_threshold(*thresholds)


@contextmanager
def _replaced(*replacements: tuple[Any, str, Any]) -> Iterator[None]:
    """Each owner's attribute of that name has the other value meanwhile."""
    with ExitStack() as stack:
        for owner, name, value in replacements:
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, value)
        yield
