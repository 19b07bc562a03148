"""Clients of the emulator, whatever this process's environment and profiles say."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

from botocore.config import Config

from local.aws.sessions import session

# The emulator answers at once or never: a second try is for a connection that it closed.
CONFIG = Config(
    connect_timeout=2,
    read_timeout=60,
    retries={"mode": "standard", "total_max_attempts": 2},
    s3={"addressing_style": "path"},
    proxies={},
)

_lock = threading.Lock()


def client(service: Any, endpoint: str) -> Any:
    """A client shared by all who ask; clients are thread-safe, their making isn't."""
    with _lock:
        return _client(service, endpoint)


_session = lru_cache(maxsize=1)(session)


@lru_cache(maxsize=32)
def _client(service: Any, endpoint: str) -> Any:
    return _session().client(service, endpoint_url=endpoint, config=CONFIG)
