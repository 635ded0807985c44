"""The one clock: UTC, and movable in tests."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the time in UTC."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    def steady_s(self) -> float:
        """Return seconds that only go on, whatever the clock is set to; they begin anywhere."""
        return time.monotonic()


class SetClock(Clock):
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._steady_s = 0.0

    def now(self) -> datetime:
        """Return the moment that was set."""
        return self._at

    def steady_s(self) -> float:
        """Return the seconds by which it was moved on, jumps left out."""
        return self._steady_s

    def advance(self, **parts: float) -> datetime:
        """Move on by timedelta(**parts) and return the new moment."""
        self._steady_s += max(timedelta(**parts).total_seconds(), 0.0)
        return self.jump(**parts)

    def jump(self, **parts: float) -> datetime:
        """Set the clock, without any time going by, and return the new moment."""
        self._at += timedelta(**parts)
        return self._at
