"""Keeps a lease alive while something slow is on its way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType

from integration.clock import Clock
from integration.pipeline import outbox
from integration.pipeline.leases.endings import Lost
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

BATCH_EVERY_S = 20.0
RUN_EVERY_S = 10.0
#: A renewal is overdue after so many times the span between two.
OVERDUE = 1.5


class LeaseRenewal:
    """A context in which a lease is renewed again and again; it gives up when `renew` says that the lease is lost."""

    def __init__(self, renew: Callable[[], bool], every_s: float, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._prolong = renew
        self._lost = False
        self._kept_at = self._moment()
        self._every_s = every_s
        self._timer: threading.Timer | None = None
        self._closed = threading.Event()

    def __enter__(self) -> LeaseRenewal:
        self._start_timer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed.set()
        if self._timer is not None:
            self._timer.cancel()

    def heed(self) -> None:
        """Raise Lost when the lease is another's by now; a renewal that is overdue is made first.

        The machine may have slept, or the process been held, since the last one: nothing more must be sent then.
        """
        if any(now - kept > OVERDUE * self._every_s for now, kept in zip(self._moment(), self._kept_at, strict=True)):
            self._kept()
        if self._lost:
            raise Lost

    def _moment(self) -> tuple[float, float]:
        """Return the time in seconds by the clock, which goes on while the machine sleeps, and the steady one."""
        return self._clock.now().timestamp(), self._clock.steady_s()

    def _start_timer(self) -> None:
        self._timer = threading.Timer(self._every_s, self._renew)
        self._timer.daemon = True
        self._timer.start()

    def _renew(self) -> None:
        if not self._closed.is_set() and self._kept() and not self._closed.is_set():
            self._start_timer()

    def _kept(self) -> bool:
        moment = self._moment()
        try:
            self._lost = not self._prolong()
            self._kept_at = moment
            return not self._lost
        except Exception:
            # A database that is locked or away for a moment must not end the renewal.
            log.warning("A lease could not be renewed; it is tried again.", exc_info=True)
            return True


def of_batch(services: Services, token: str) -> LeaseRenewal:
    """Return what keeps the lease of a batch alive."""

    def renew() -> bool:
        with services.db.write() as session:
            return outbox.renew(session, services.clock.now(), token)

    return LeaseRenewal(renew, BATCH_EVERY_S, services.clock)


def of_run(services: Services, run_id: int, token: str) -> LeaseRenewal:
    """Return what keeps the lease of a run alive: a slow store must not make it look lost."""

    def renew() -> bool:
        with services.db.write() as session:
            return run_lifecycle.renew(session, services.clock.now(), run_id, token)

    return LeaseRenewal(renew, RUN_EVERY_S, services.clock)
