"""The one clock: UTC, and movable in tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Tells the time in UTC."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)


class SetClock(Clock):
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Return the moment that was set."""
        return self._at

    def advance(self, **parts: float) -> datetime:
        """Move on by timedelta(**parts) and return the new moment."""
        self._at += timedelta(**parts)
        return self._at
