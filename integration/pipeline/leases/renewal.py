"""Keeps a lease alive while something slow is on its way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType

from integration.pipeline import outbox
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

BATCH_EVERY_S = 20.0
RUN_EVERY_S = 10.0


class LeaseRenewal:
    """A context in which a lease is renewed again and again; it gives up when `renew` says that the lease is lost."""

    def __init__(self, renew: Callable[[], bool], every_s: float) -> None:
        self._prolong = renew
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

    def _start_timer(self) -> None:
        self._timer = threading.Timer(self._every_s, self._renew)
        self._timer.daemon = True
        self._timer.start()

    def _renew(self) -> None:
        if not self._closed.is_set() and self._kept() and not self._closed.is_set():
            self._start_timer()

    def _kept(self) -> bool:
        try:
            return self._prolong()
        except Exception:
            # A database that is locked or away for a moment must not end the renewal.
            log.warning("A lease could not be renewed; it is tried again.", exc_info=True)
            return True


def of_batch(services: Services, token: str) -> LeaseRenewal:
    """Return what keeps the lease of a batch alive."""

    def renew() -> bool:
        with services.db.write() as session:
            return outbox.renew(session, services.clock.now(), token)

    return LeaseRenewal(renew, BATCH_EVERY_S)


def of_run(services: Services, run_id: int, token: str) -> LeaseRenewal:
    """Return what keeps the lease of a run alive: a slow store must not make it look lost."""

    def renew() -> bool:
        with services.db.write() as session:
            return run_lifecycle.renew(session, services.clock.now(), run_id, token)

    return LeaseRenewal(renew, RUN_EVERY_S)
