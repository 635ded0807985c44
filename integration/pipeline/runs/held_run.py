"""A leased run in the hands of this process: looked at again and again while the work goes on."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.run import Run
from integration.pipeline import outbox
from integration.pipeline.leases.endings import Cancelled, Lost, Paused, Stopped
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services

HEED_EVERY_S = 1.0
#: Phases behind which more of a person may be read by the same run; `orders` is the last of them.
GATHERING = ("ledger", "customers", "orders")


def enter(session: Session, run: Run, name: str) -> None:
    """Let a run go on with a phase; whom it gathers goes out where no more of them is to be read."""
    run.phase = name
    if name not in GATHERING:
        outbox.let_go(session, run.connector_id, run.id)


def leave(services: Services, run: Run, name: str) -> None:
    """Let go whom a run gathers, some at a time, before it enters a phase behind which no more of them is read."""
    if run.phase in GATHERING and name not in GATHERING:
        outbox.let_go_by_parts(services.db, run.connector_id, run.id)


@dataclass
class HeldRun:
    """A run that this process works on under the lease `token`; `stop` asks it to leave the rest to another one."""

    services: Services
    connector: Connector
    run: Run
    token: str
    stop: threading.Event
    _heeded: float = 0.0

    def _heed(self) -> None:
        """Look whether the run is to stop, at most once a second; called before each call of the two systems.

        Raises Stopped, Lost, Cancelled and Paused.
        """
        if self.stop.is_set():
            raise Stopped
        if time.monotonic() - self._heeded < HEED_EVERY_S:
            return
        self._heeded = time.monotonic()
        with self.services.db.read() as session:
            run = session.get(Run, self.run.id)
            if run is None or run.lease_token != self.token:
                raise Lost
            if run.cancel_asked_at is not None:
                raise Cancelled
            if run.pause_asked_at is not None:
                raise Paused

    def _held(self, session: Session) -> Run:
        """Return the run as it is now, its lease prolonged; raises Lost, Cancelled and Paused."""
        return run_lifecycle.held(session, self._now(), self.run, self.token)

    def _enter(self, name: str) -> None:
        leave(self.services, self.run, name)
        with self.services.db.write() as session:
            enter(session, self._held(session), name)
        self.run.phase = name

    def _now(self) -> datetime:
        return self.services.clock.now()
