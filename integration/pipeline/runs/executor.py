"""Does a run that sends records: reads the store page by page and accepts what it finds, resumable after each page."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from integration.errors import Held, IntegrationError, ServerFault, ServiceError, Throttled, Unreachable
from integration.mautic.answers import SERVICE as MAUTIC
from integration.models.connector import Connector
from integration.models.run import DELIVERING, RunKind, RunState
from integration.pipeline import outbox
from integration.pipeline.connectors import fingerprint, holds, store_profile
from integration.pipeline.dead_letters.replay import Replay
from integration.pipeline.delivery.retries import probe_delay
from integration.pipeline.leases.endings import Cancelled, Stopped
from integration.pipeline.runs import giving_up, lifecycle as run_lifecycle, refusals
from integration.pipeline.runs.execution import Execution
from integration.pipeline.runs.held_run import enter, leave
from integration.pipeline.runs.phases import Phases
from integration.pipeline.runs.refusals import PART_TRIES_MAX
from integration.store.completeness import SHORT_LIST
from integration.words import counted

#: Reading is tried again so often in a row without a page between before the run is given up (it can be resumed).
TRIES_MAX = 20
#: Failed calls in a row that end a first, second, … try of reading. Around a record that the store cannot give pages
#: get smaller until it fails alone, so the first try may fail for longer; the next two only see whether the store is
#: back, and then there is time to go round any number of such records.
FAILURES_IN_A_ROW = (8, 2, 2, 40)
#: Who waits for deliveries is rung for; the clock is for what other processes do and for the lease.
POLL_S = 0.3
KEEP_EVERY_S = 0.9
#: An incremental run waits so long for what it brought, so that its figures tell what became of it; the next one must
#: not wait for Mautic.
INCREMENTAL_WAIT_S = 20.0


@dataclass
class RunExecutor(Execution):
    """Executes a run that sends records to Mautic."""

    def _work(self) -> None:
        if self.run.cancel_asked_at is not None:
            raise Cancelled
        with self.services.db.read() as session:
            connector = session.get_one(Connector, self.run.connector_id)
        self._take_back()
        tries, known, asked_again = 0, self.run.kind == RunKind.INCREMENTAL, False
        while not self.stop.is_set():
            breaker = self.services.breakers.of(connector.id, "store")
            breaker.close(limit=FAILURES_IN_A_ROW[min(tries, len(FAILURES_IN_A_ROW) - 1)])
            phases = self._phases(connector)
            try:
                if self.run.kind != RunKind.REPLAY:
                    connector = self._with_facts(connector, always=not known)
                    phases.connector, known = connector, True
                phases.read()
            except (Unreachable, Throttled, ServerFault, Held) as error:
                tries = 0 if phases.pages else tries + 1
                if not self._does_without(phases, error, tries):
                    self._pause(connector, error, tries, partly=phases.partly)
                    continue
            except ServiceError as error:
                if store_profile.refuses_status(error) and not asked_again:
                    connector, asked_again = self._with_statuses(connector, error), True
                    continue
                if not self._does_without(phases, error, PART_TRIES_MAX):
                    self._hold(connector, error)
                    raise
            finally:
                self._add_calls(store=phases.calls)
            if self.run.kind != RunKind.REPLAY:
                self._release(connector)
            self._finish(connector)
            return
        raise Stopped

    def _take_back(self) -> None:
        """Owe again what the run gave up when it was cancelled."""

        def take_some_back(session: Session) -> bool:
            if self.stop.is_set():
                raise Stopped
            run = run_lifecycle.held(session, self._now(), self.run, self.token)
            return giving_up.take_back(session, self._now(), run)

        if giving_up.GIVEN_UP in self.run.cursor:
            self.services.db.write_by_parts(take_some_back)
            self.run.cursor = giving_up.without(self.run.cursor)
            self.services.wakeup.ring(self.run.connector_id)

    def _with_facts(self, connector: Connector, *, always: bool) -> Connector:
        """Return the connector with its store's facts; what the store did not tell of itself is said in the log."""
        fresh = store_profile.refresh(self.services, connector, always=always)
        fingerprint.check_run(fresh, self.run)
        if fresh is not connector:
            for path, why in fresh.store_facts.get(store_profile.UNTOLD, {}).items():
                self._line(f"The store did not answer {path}; the run goes on without it. {why}", "warning")
        return fresh

    def _with_statuses(self, connector: Connector, refusal: ServiceError) -> Connector:
        fresh = store_profile.statuses_again(self.services, connector, refusal)
        self._line(f"The store's order statuses have changed, so they were asked again. {refusal.sentence}", "warning")
        return fresh

    def _phases(self, connector: Connector) -> Phases | Replay:
        what = Replay if self.run.kind == RunKind.REPLAY else Phases
        return what(self.services, connector, self.run, self.token, self.stop)

    def _does_without(self, phases: Phases | Replay, error: ServiceError, tries: int) -> bool:
        """Tell whether the run ends without the parts that the store refuses: they were tried, and others were read."""
        if not phases.partly or isinstance(error, Unreachable | Throttled):
            return False
        return self.run.kind == RunKind.INCREMENTAL or tries >= PART_TRIES_MAX

    def _pause(self, connector: Connector, error: ServiceError, tries: int, *, partly: bool) -> None:
        """Hold a store that gives nothing, and wait; an incremental run is over, its schedule comes again."""
        if not partly:
            self._hold(connector, error)
        if self.run.kind == RunKind.INCREMENTAL or tries >= TRIES_MAX:
            raise error
        self._let_go()
        wait = probe_delay(tries, error).total_seconds()
        self._line(f"Waiting {wait:.0f} s: {error}", "warning")
        self._wait(lambda: False, wait)

    def _hold(self, connector: Connector, error: ServiceError) -> None:
        if error.service != "store":
            return
        with self.services.db.write() as session:
            holds.hold(session, self._now(), connector.id, error, probed=True)

    def _release(self, connector: Connector) -> None:
        with self.services.db.write() as session:
            holds.release(session, self._now(), connector.id, "store")

    def _finish(self, connector: Connector) -> None:
        """Wait until everything that was accepted has been delivered, then close the run."""
        self._phase(DELIVERING)
        if self.run.kind == RunKind.INCREMENTAL:
            self._wait(lambda: self._settled() or self._nobody_sends(), INCREMENTAL_WAIT_S)
        else:
            self._wait(self._settled, None)
        if self.stop.is_set():
            raise Stopped
        with self.services.db.write() as session:
            now = self._now()
            run = run_lifecycle.held(session, now, self.run, self.token)
            self._tell_later(session, now)
            if short := run.cursor.get(SHORT_LIST):
                # All that came is accepted; success is said only of lists that came whole.
                return run_lifecycle.finish(session, now, run, RunState.FAILED, IntegrationError(SHORT_LIST, short))
            refusals.complete(session, now, run)
            if run.kind == RunKind.INITIAL and not run.is_dry:
                session.get_one(Connector, connector.id).initial_done_at = now

    def _settled(self) -> bool:
        """Tell whether all has been tried; what is tried again later must not keep the run, and the next, waiting."""
        with self.services.db.read() as session:
            return outbox.busy_count(session, self._now(), self.run.id) == 0

    def _nobody_sends(self) -> bool:
        """Tell whether Mautic is on hold, or not set up: nothing is worth waiting for."""
        with self.services.db.read() as session:
            connector = session.get_one(Connector, self.run.connector_id)
            return not connector.mautic_url or holds.current(session, connector.id, MAUTIC) is not None

    def _tell_later(self, session: Session, now: datetime) -> None:
        later = outbox.later_count(session, now, self.run.id)
        if later and self.run.kind != RunKind.INCREMENTAL:
            text = f"{counted(later, 'record is', 'records are')} tried again later; the run does not wait for that."
            run_lifecycle.add_line(session, now, self.run.id, text, "warning")

    def _phase(self, name: str) -> None:
        leave(self.services, self.run, name)
        with self.services.db.write() as session:
            enter(session, run_lifecycle.held(session, self._now(), self.run, self.token), name)

    def _wait(self, ready: Callable[[], bool], seconds: float | None) -> None:
        """Wait until `ready`, a stop, a cancel, or for some seconds; the lease is kept meanwhile."""
        began, kept, seen = time.monotonic(), -math.inf, 0
        while not ready() and not self.stop.is_set() and (seconds is None or time.monotonic() - began < seconds):
            if time.monotonic() - kept >= KEEP_EVERY_S:
                self._keep()
                kept = time.monotonic()
            seen = self.services.wakeup.wait(seen, POLL_S, self.run.connector_id)
