"""The worker: lanes that deliver and threads that read, woken by the bell or once a second."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from integration.engines import schedule
from integration.mautic.batches import BatchSize
from integration.models.connector import Connector
from integration.models.run import RunKind
from integration.operations import reconciliation
from integration.pipeline.delivery.deliver import Deliverer, Lanes
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import lifecycle as run_lifecycle, registry
from integration.pipeline.runs.execution import Execution
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

#: A lane gives its thread back after so many batches, so that connectors take turns.
TURN = 10
LOOK_EVERY = 1.0

# A process does one reconciliation at a time: in the night all connectors are due at once.
registry.register(RunKind.RECONCILIATION, reconciliation.ReconciliationExecution, at_once=1)


class Worker:
    """Delivers and reads for all connectors of this database; safe beside others of its kind."""

    def __init__(self, services: Services, *, threads: int = 8) -> None:
        self.services = services
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="lane")
        self._readers = ThreadPoolExecutor(16, thread_name_prefix="run")
        self._stop = threading.Event()
        self._lanes: dict[int, tuple[tuple[int, int, int], Lanes]] = {}
        self._active: Counter[int] = Counter()
        self._reading: Counter[int] = Counter()
        self._kinds: Counter[RunKind] = Counter()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look for work in the background."""
        self._thread = threading.Thread(target=self._loop, name="worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the batches in flight and stop; a run stops at its next page and is taken up again later."""
        self._stop.set()
        self.services.wakeup.ring(0)
        if self._thread is not None:
            self._thread.join(timeout=30)
        self._pool.shutdown(wait=True)
        self._readers.shutdown(wait=True)

    def _loop(self) -> None:
        seen = 0
        while not self._stop.is_set():
            try:
                self.dispatch()
            except Exception:
                # The loop must outlive anything, such as a database that is away for a moment.
                log.exception("Looking for work failed; it is tried again.")
                self._stop.wait(LOOK_EVERY)
            seen = self.services.wakeup.wait(seen, LOOK_EVERY)

    def dispatch(self) -> int:
        """Start what there is to do and return how much is going."""
        now = self.services.clock.now()
        self.services.breakers.look(now)
        with self.services.db.read() as session:
            busy = schedule.busy_connectors(session, now)
            runs_wait = schedule.connectors_with_runs(session, now, self._free_kinds())
        if runs_wait:
            self._take_runs()
        for connector_id in busy:
            self._fill(connector_id)
        with self._lock:
            return sum(self._reading.values()) + sum(self._active.values())

    def drain(self, connector_id: int) -> None:
        """Work for one connector until nothing of it is due and nothing is going here."""
        pause = threading.Event()
        while not self._stop.is_set():
            now = self.services.clock.now()
            self.services.breakers.look(now)
            with self.services.db.read() as session:
                busy = connector_id in schedule.busy_connectors(session, now)
                waiting = connector_id in schedule.connectors_with_runs(session, now, self._free_kinds())
            if waiting:
                self._take_runs(connector_id)
            if busy:
                self._fill(connector_id)
            with self._lock:
                going = self._active[connector_id] + self._reading[connector_id]
            if not (busy or waiting or going):
                return
            pause.wait(0.05)

    def _free_kinds(self) -> frozenset[RunKind]:
        """Return the kinds of run that this process may begin one more of."""
        with self._lock:
            return registry.free_kinds(self._kinds)

    def _take_runs(self, connector_id: int | None = None) -> None:
        while not self._stop.is_set():
            token = new_token()
            with self.services.db.write() as session:
                now, kinds = self.services.clock.now(), self._free_kinds()
                run = run_lifecycle.take(session, now, token, connector_id, kinds)
                session.flush()
                session.expunge_all()
            if run is None:
                return
            self._count(run.connector_id, RunKind(run.kind), 1)
            self._readers.submit(self._read, registry.execution_of(self.services, run, token, self._stop))

    def _count(self, connector_id: int, kind: RunKind, number: int) -> None:
        with self._lock:
            self._reading[connector_id] += number
            self._kinds[kind] += number

    def _read(self, execution: Execution) -> None:
        run = execution.run
        try:
            execution.execute()
        except Exception:
            # Every way a run can end is written to it; only a database that stays away gets here.
            log.exception("Run %d broke off.", run.id)
        finally:
            self._count(run.connector_id, RunKind(run.kind), -1)
            self.services.wakeup.ring(run.connector_id)

    def _fill(self, connector_id: int) -> None:
        with self.services.db.read() as session:
            connector = session.get(Connector, connector_id)
        if connector is None:
            return
        lanes = self._lanes_of(connector)
        with self._lock:
            missing = lanes.width + 1 - self._active[connector_id]
            self._active[connector_id] += max(missing, 0)
        for _ in range(missing):
            self._pool.submit(self._lane, connector_id, lanes)

    def _lanes_of(self, connector: Connector) -> Lanes:
        """Return what the connector's lanes share; new settings make it anew."""
        sync = self.services.modules(connector).sync
        asked = (sync.lanes, sync.batch_start, sync.batch_max)
        with self._lock:
            known = self._lanes.get(connector.id)
            if known is None or known[0] != asked:
                known = (asked, Lanes(BatchSize(sync.batch_start, most=sync.batch_max), sync.lanes))
                self._lanes[connector.id] = known
            return known[1]

    def _lane(self, connector_id: int, lanes: Lanes) -> None:
        worked = 0
        try:
            deliverer = Deliverer(self.services, connector_id, lanes)
            for _ in range(TURN):
                if self._stop.is_set():
                    break
                worked = deliverer.work()
                if not worked:
                    break
        except Exception:
            # The lease brings the deliveries back; here it must be seen.
            log.exception("A lane of connector %d broke off.", connector_id)
            self._stop.wait(LOOK_EVERY)
        finally:
            with self._lock:
                self._active[connector_id] -= 1
            if worked:
                self.services.wakeup.ring(connector_id)

    def until_idle(self, *, check: float = 0.05) -> None:
        """Work until nothing is due and nothing is going; what waits for later stays."""
        pause = threading.Event()
        while not self._stop.is_set():
            if not self.dispatch() and not self._due():
                return
            pause.wait(check)

    def _due(self) -> bool:
        now = self.services.clock.now()
        with self.services.db.read() as session:
            return bool(
                schedule.busy_connectors(session, now)
                or schedule.connectors_with_runs(session, now, self._free_kinds())
            )
