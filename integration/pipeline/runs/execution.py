"""What all kinds of run share while one is done: the lease is kept, and every way it can end is written down."""

from __future__ import annotations

import functools
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from integration.errors import IntegrationError
from integration.models.disk_faults import fault_of
from integration.models.run import Run, RunState
from integration.pipeline import outbox, usage
from integration.pipeline.leases import endings, renewal
from integration.pipeline.leases.endings import Cancelled, Lost, Paused, Stopped
from integration.pipeline.leases.tokens import at_work
from integration.pipeline.runs import giving_up, lifecycle as run_lifecycle
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

#: The database is asked again so often before a run is given up: about ten minutes.
DATABASE_TRIES_MAX = 120
DATABASE_PAUSE_MAX_S = 5.0


@dataclass
class Execution(ABC):
    """Executes one leased run; `stop` ends it at the next page, to be taken up again later."""

    services: Services
    run: Run
    token: str
    stop: threading.Event = field(default_factory=threading.Event)
    #: What an error that ends it is said of.
    name: ClassVar[str] = "The run"

    @abstractmethod
    def _work(self) -> None:
        """Do what is left of the run and end it, or give it back.

        May raise Cancelled, Paused, Stopped, Lost, or any error: that ends the run FAILED.
        """

    def execute(self) -> None:
        """Do what is left of the run; every way it can end is written to the run, whatever was raised."""
        with at_work(self.token):
            self._through_outages(self._attempt)

    def _attempt(self, last: bool) -> None:
        try:
            with renewal.of_run(self.services, self.run.id, self.token):
                self._work()
        except Cancelled:
            self._end(RunState.CANCELLED)
        except Paused:
            self._pause_here()
        except Stopped:
            self._give_back()
        except Lost:
            log.warning("Run %d is done by another process now.", self.run.id)
        except Exception as error:
            if endings.is_passing(error) and not (last and fault_of(error) is None):
                raise
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """End the run FAILED; the cause is told once, the writing of it is tried until the database takes it."""
        cause = endings.cause_of(error, self.name)
        self._through_outages(lambda last: self._end(RunState.FAILED, cause))

    def _through_outages(self, act: Callable[[bool], None]) -> None:
        """Do something again while the database is locked or away; `act` is told whether it is the last time.

        A full disk counts no tries: nothing can be written of a run then, its end neither.
        """
        tries = 1
        while True:
            try:
                return self.services.disk.patiently(functools.partial(act, tries == DATABASE_TRIES_MAX), self.stop)
            except Exception as error:
                if not endings.is_passing(error) or tries == DATABASE_TRIES_MAX or self.stop.is_set():
                    raise
                log.warning("Run %d waits for the database: %s", self.run.id, type(error).__name__)
                self.stop.wait(min(0.2 * tries, DATABASE_PAUSE_MAX_S))
                tries += 1

    def _keep(self) -> None:
        """Prolong the lease; raises Lost, Cancelled and Paused."""
        with self.services.db.write() as session:
            run_lifecycle.held(session, self._now(), self.run, self.token)

    def _let_go(self) -> None:
        """Let go whom the run gathers, before the transaction that ends it or lets it rest."""
        with renewal.of_run(self.services, self.run.id, self.token):
            outbox.let_go_by_parts(self.services.db, self.run.connector_id, self.run.id)

    def _end(self, state: RunState, error: IntegrationError | None = None) -> None:
        if state is RunState.CANCELLED:
            with renewal.of_run(self.services, self.run.id, self.token):
                giving_up.by_parts(self.services.db, self.services.clock, self.run.id)
        else:
            self._let_go()
        with self.services.db.write() as session:
            now = self._now()
            run = run_lifecycle.keep(session, now, self.run, self.token)
            if run is not None:
                run_lifecycle.finish(session, now, run, state, error)

    def _pause_here(self) -> None:
        self._let_go()
        with self.services.db.write() as session:
            run = run_lifecycle.keep(session, self._now(), self.run, self.token)
            if run is None:
                return
            if run.cancel_asked_at is None:
                return run_lifecycle.rest(session, self._now(), run)
        # It was cancelled while its people were let go.
        self._end(RunState.CANCELLED)

    def _give_back(self, due_at: datetime | None = None, waits_for: str | None = None) -> None:
        with self.services.db.write() as session:
            run_lifecycle.give_back(session, self.run, self.token, due_at=due_at, waits_for=waits_for)

    def _add_calls(self, *, mautic: int = 0, store: int = 0) -> None:
        with self.services.db.write() as session:
            run = run_lifecycle.keep(session, self._now(), self.run, self.token)
            if run is not None:
                run.calls += mautic
                run.store_calls += store
                usage.record(session, run.connector_id, self._now(), mautic_calls=mautic, store_calls=store)

    def _line(self, text: str, level: str = "info") -> None:
        with self.services.db.write() as session:
            run_lifecycle.add_line(session, self._now(), self.run.id, text, level)

    def _now(self) -> datetime:
        return self.services.clock.now()
