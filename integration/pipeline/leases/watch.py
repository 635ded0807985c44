"""Tells by watching whether a lease is lost: a clock that jumps ahead must not make the leases of the living run out.

An hour that NTP adds, a machine that slept, another machine whose clock is wrong: by the clock alone each lease would
have run out, and what its owner has in hand would be begun once more. So the seconds count that nobody can set.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime

from integration.clock import Clock
from integration.pipeline.leases.tokens import is_lost

#: Whoever lives renews a batch every 20 s and a run every 10 s: so long at most without a change is two misses.
UNRENEWED_S = 45.0
#: A lease that nobody has asked about for so long has ended.
FORGOTTEN_S = 3600.0


@dataclass(frozen=True, slots=True)
class _Sighting:
    """Up to when a lease was, since when it is seen so, and when it was last asked about; in steady seconds."""

    until: datetime
    since_s: float
    asked_s: float


class LeaseWatch:
    """The leases that this process has looked at; safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, _Sighting] = {}
        self._lock = threading.Lock()

    def is_lost(self, token: str, until: datetime | None, now: datetime) -> bool:
        """Return whether the lease's process is gone, or it ran out and was not renewed while this process watched.

        What is seen for the first time is watched first, however long ago it ran out.
        """
        unrenewed_s = self._unrenewed_s(token, until) if until is not None else 0.0
        if until is not None and until < now and unrenewed_s < UNRENEWED_S:
            return is_lost(token, now, now)
        return is_lost(token, until, now)

    def _unrenewed_s(self, token: str, until: datetime) -> float:
        """Return for how many seconds a lease has been seen as it is."""
        at_s = self._clock.steady_s()
        with self._lock:
            seen = self._seen.get(token)
            since_s = seen.since_s if seen is not None and seen.until == until else at_s
            self._seen[token] = _Sighting(until, since_s, at_s)
            if seen is None:
                self._forget(at_s)
        return at_s - since_s

    def _forget(self, at_s: float) -> None:
        for token in [token for token, seen in self._seen.items() if at_s - seen.asked_s > FORGOTTEN_S]:
            del self._seen[token]
