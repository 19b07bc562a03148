"""The one clock of the local cloud: real, or virtual so that months pass in seconds."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Aware UTC moments. A virtual clock stands still until it is told to move."""

    def __init__(self, start: datetime | None = None) -> None:
        self._moment = None if start is None else _utc(start)
        self._lock = threading.Lock()

    @classmethod
    def real(cls) -> Clock:
        return cls()

    @classmethod
    def virtual(cls, start: datetime) -> Clock:
        return cls(start)

    @property
    def is_virtual(self) -> bool:
        return self._moment is not None

    def now(self) -> datetime:
        with self._lock:
            return self._moment or datetime.now(UTC)

    def advance_to(self, moment: datetime) -> None:
        """An earlier moment changes nothing: time never goes back. A real clock refuses."""
        with self._lock:
            if self._moment is None:
                raise RuntimeError("a real clock can't be moved")
            self._moment = max(self._moment, _utc(moment))

    def begin(self, moment: datetime) -> None:
        """Begin again at a moment, which may be an earlier one. For a virtual clock."""
        with self._lock:
            self._moment = _utc(moment)

    def sleep(self, seconds: float) -> None:
        """Virtual time passes at once; real time is waited for."""
        if self._moment is None:
            time.sleep(seconds)
            return
        with self._lock:
            self._moment += timedelta(seconds=seconds)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"a moment needs a zone: {moment!r}")
    return moment.astimezone(UTC)
