"""The circuit breaker of one side of a connector, and the hard cap of its calls behind everything else.

It counts failed calls in a row, of whatever kind, and knows which calls are still out. What it finds it tells its
keeper, who writes the hold that all processes obey; the breaker itself only guards the calls of this process.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Protocol

from integration.clock import Clock
from integration.errors import Held, Rejected, ServiceError, Unreachable
from integration.http.errors import NAMES

#: So many failed calls in a row, without a success between them, mean that the service is at fault.
FAILURES_IN_A_ROW = 3
#: A call that is out for longer shows that the service hangs, long before its time-out.
SLOW_S = 30
#: What no caller may exceed, whatever goes wrong in it; above what two requests at a time to a quick server come to,
#: for it must not be what makes a whole sync slow.
CALLS_PER_S, BURST_CALLS = 50.0, 100
#: The code of the error, and of the hold, that a call makes which is out for long.
SLOW = "slow"


class Gate(Protocol):
    """What a transport asks before each call, and tells after it."""

    def call(self, *, write: bool) -> AbstractContextManager[None]:
        """Return a context for one call that is out; raises Held instead where no call may be made."""

    def failed(self, error: ServiceError) -> None:
        """Take note of a call that failed."""

    def succeeded(self, *, write: bool) -> None:
        """Take note of a call that the service answered by itself."""


@contextmanager
def judged(gate: Gate | None, *, write: bool, tells: bool = True) -> Iterator[None]:
    """Tell the gate what became of the answer that is read inside.

    A request that the service itself refuses (Rejected) shows a living service; every other error is a failure.
    With `tells` False a success says nothing, since the answer comes from what stands before the service's data.
    """
    try:
        yield
    except Rejected as error:
        # A web server in front refuses what is too large before the service sees it.
        if gate is not None and tells and error.status != 413:
            gate.succeeded(write=write)
        raise
    except ServiceError as error:
        if gate is not None:
            gate.failed(error)
        raise
    if gate is not None and tells:
        gate.succeeded(write=write)


class RateCap:
    """A token bucket that waits, never fails; safe for several threads."""

    def __init__(
        self,
        per_second: float = CALLS_PER_S,
        burst: int = BURST_CALLS,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rate, self._burst = per_second, float(burst)
        self._monotonic, self._sleep = monotonic, sleep
        self._tokens, self._at = self._burst, monotonic()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Take one token, and wait for it where none is left; those who wait come one after another."""
        with self._lock:
            now = self._monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate) - 1
            self._at = now
            missing = -self._tokens / self._rate
        if missing > 0:
            self._sleep(missing)

    def empty(self) -> None:
        """Let nothing be left of the burst: somebody else has called until now, and may have used it up."""
        with self._lock:
            self._tokens, self._at = min(self._tokens, 0.0), self._monotonic()


class Breaker:
    """Guards the calls to one service of one connector in this process; safe for several threads.

    `opened` is called with the error when failures or a slow call ask for a hold, before further calls are refused;
    `recovered` when the slow call, or a later one like it, was answered.
    """

    def __init__(
        self,
        service: str,
        clock: Clock,
        opened: Callable[[ServiceError], None],
        recovered: Callable[[], None],
        cap: RateCap | None = None,
    ) -> None:
        self.service = service
        self._clock = clock
        self._opened, self._recovered = opened, recovered
        self.cap = cap or RateCap()
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._out: dict[int, tuple[datetime, bool]] = {}
        self._told: dict[int, bool] = {}
        self._failures = 0
        self._limit = FAILURES_IN_A_ROW
        self._error: ServiceError | None = None

    @property
    def error(self) -> ServiceError | None:
        """Return what opened the breaker, None while calls may be made."""
        return self._error

    @property
    def calls_out(self) -> int:
        """Return how many calls are out now."""
        return len(self._out)

    def close(self, known: ServiceError | None = None, *, limit: int = FAILURES_IN_A_ROW) -> None:
        """Let calls be made again, until `limit` more have failed; not where something else than `known` opened it."""
        with self._lock:
            if known is None or self._error is known:
                self._error, self._failures, self._limit = None, 0, limit

    @contextmanager
    def call(self, *, write: bool) -> Iterator[None]:
        """Wait for the cap, then count a call as out; never refuses one."""
        self.cap.wait()
        number = next(self._numbers)
        with self._lock:
            self._out[number] = (self._clock.now(), write)
        try:
            yield
        finally:
            with self._lock:
                del self._out[number]

    def failed(self, error: ServiceError) -> None:
        """Count a failure; at the limit the keeper is told and calls are refused."""
        if isinstance(error, Held):
            return
        with self._lock:
            self._failures += 1
            opens = self._failures >= self._limit and self._error is None
        if opens:
            self._opened(error)
            with self._lock:
                self._error = error

    def succeeded(self, *, write: bool) -> None:
        """Count anew; what hung has recovered when this is a write, or when only reads hung."""
        with self._lock:
            self._failures = 0
            done = bool(self._told) and (write or not any(self._told.values()))
            if done:
                self._told.clear()
        if done:
            self._recovered()

    def look(self, now: datetime) -> None:
        """Tell the keeper of a call that is out for too long, once a call; asked again and again by a worker."""
        with self._lock:
            late = {number: write for number, (since, write) in self._out.items() if _is_late(since, now)}
            new = late.keys() - self._told.keys()
            self._told.update(late)
        if new:
            self._opened(self._slow())

    def _slow(self) -> Unreachable:
        sentence = f"{NAMES[self.service]} has not answered a call for {SLOW_S} seconds."
        return Unreachable(self.service, SLOW, sentence, "Look at its load; work goes on when it answers.", sent=True)


def _is_late(since: datetime, now: datetime) -> bool:
    return now - since > timedelta(seconds=SLOW_S)


class Obedient:
    """The gate for work that goes on by itself: while the breaker is open its calls are refused before they leave."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self.failed = breaker.failed
        self.succeeded = breaker.succeeded

    @contextmanager
    def call(self, *, write: bool) -> Iterator[None]:
        """Count a call as out; raises Held with the reason of the hold while the breaker is open."""
        if (error := self._breaker.error) is not None:
            raise Held(self._breaker.service, error.code, error.sentence, error.hint, status=error.status)
        with self._breaker.call(write=write):
            yield
