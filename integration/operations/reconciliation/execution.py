"""Does a reconciliation slice by slice: it gives its place back after some seconds, and gives way to live traffic."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from integration.errors import Held, Rejected, ServerFault, ServiceError, Throttled, Unreachable
from integration.models.connector import Connector
from integration.models.run import RunState
from integration.operations.reconciliation import obstacles
from integration.operations.reconciliation.walk import Walk
from integration.pipeline.connectors import holds, store_profile
from integration.pipeline.delivery.retries import probe_delay
from integration.pipeline.leases.endings import Lost
from integration.pipeline.runs import lifecycle as run_lifecycle, refusals
from integration.pipeline.runs.execution import Execution

#: Seconds that one slice takes: reconciliations of several connectors take turns.
SLICE_S = 8.0
#: Failed slices in a row, without a page between, before a reconciliation is given up.
TRIES_MAX = 20
#: While something is in its way, or shoppers' changes are, it looks again after this.
LOOK_AGAIN = timedelta(seconds=10)


@dataclass
class ReconciliationExecution(Execution):
    """Executes one slice of a leased reconciliation."""

    seconds: float = SLICE_S
    name: ClassVar[str] = "The reconciliation"

    def _work(self) -> None:
        if self.run.cancel_asked_at is not None:
            return self._end(RunState.CANCELLED)
        with self.services.db.read() as session:
            connector = session.get_one(Connector, self.run.connector_id)
            obstacle = obstacles.obstacle(session, connector)
        probing = not obstacle and obstacles.probes_store(self.services, connector.id)
        if not (obstacle or probing):
            obstacle = obstacles.store_held(self.services, connector.id)
        if obstacle:
            return self._rest(obstacle)
        try:
            self._slice(connector, probing)
        except Rejected as error:
            if not store_profile.refuses_status(error) or self.run.tries:
                raise
            store_profile.statuses_again(self.services, connector, error)
            self._try_later(error)
        except (Unreachable, Throttled, ServerFault, Held) as error:
            self._try_later(error)

    def _slice(self, connector: Connector, probing: bool) -> None:
        fresh = store_profile.refresh(self.services, connector)
        walk = Walk(self.services, fresh, self.run, self.token, self.stop, slice_over=self._slice_over())
        try:
            done = walk.go()
        finally:
            to_mautic, to_store = walk.uncounted
            self._add_calls(mautic=to_mautic, store=to_store)
        if probing:
            obstacles.release_store(self.services, connector.id)
        if done:
            self._complete()
        else:
            self._give_back(self._now() + LOOK_AGAIN if self._live_waits() else self._now())

    def _complete(self) -> None:
        with self.services.db.write() as session:
            now = self._now()
            run = run_lifecycle.keep(session, now, self.run, self.token)
            if run is not None:
                refusals.complete(session, now, run)

    def _slice_over(self) -> Callable[[], bool]:
        """Return what says after a page whether the slice is over: its time is up, or a shopper's change waits."""
        began = time.monotonic()
        return lambda: time.monotonic() - began >= self.seconds or self._live_waits()

    def _live_waits(self) -> bool:
        with self.services.db.read() as session:
            return obstacles.live_waits(session, self.run.connector_id, self._now())

    def _rest(self, sentence: str) -> None:
        """Wait for what is in its way; it is written into the log once."""
        with self.services.db.write() as session:
            now = self._now()
            found = run_lifecycle.held(session, now, self.run, self.token)
            if found.error != sentence:
                run_lifecycle.add_line(session, now, found.id, sentence, "warning")
            run_lifecycle.give_back(session, found, self.token, due_at=now + LOOK_AGAIN, waits_for=sentence)

    def _try_later(self, error: ServiceError) -> None:
        """Wait longer after each failure in a row; give up after many."""
        now = self._now()
        with self.services.db.write() as session:
            run = run_lifecycle.keep(session, now, self.run, self.token)
            if run is None:
                raise Lost
            # Each page that was written has set the number back.
            run.tries += 1
            if holds.current(session, run.connector_id, error.service) is not None:
                holds.hold(session, now, run.connector_id, error, probed=True)
            if run.tries >= TRIES_MAX:
                return run_lifecycle.finish(session, now, run, RunState.FAILED, error)
            sentence = f"It waits and tries again: {error}"
            if run.error != sentence:
                run_lifecycle.add_line(session, now, run.id, sentence, "warning")
            due_at = now + probe_delay(run.tries - 1, error)
            run_lifecycle.give_back(session, run, self.token, due_at=due_at, waits_for=sentence)
