"""The worker: lanes that deliver and threads that read, woken when there is work or once a second."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from integration.engines import schedule
from integration.engines.lane_threads import LaneThreads
from integration.mautic.batches import BatchSize
from integration.models.connector import Connector
from integration.models.run import Run, RunKind
from integration.operations import reconciliation
from integration.pipeline import outbox
from integration.pipeline.connectors import fingerprint
from integration.pipeline.delivery.lanes import Lanes
from integration.pipeline.leases import turns
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import lifecycle as run_lifecycle, registry
from integration.pipeline.runs.execution import Execution
from integration.pipeline.services import Services
from integration.settings import Modules

#: So many lanes a connector is reckoned with until it was looked at what is due of it.
LANES_UNSEEN = 3
LOOK_EVERY_S = 1.0
READERS_MAX = 16
_SETTINGS = select(Connector.id, Connector.settings).where(Connector.id.in_(bindparam("ids")))

# A process does one reconciliation at a time: in the night all connectors are due at once.
registry.register(RunKind.RECONCILIATION, reconciliation.ReconciliationExecution, at_once=1)


@dataclass(frozen=True, slots=True)
class _Known:
    """The lanes of a connector, with its settings as they were stored and what they ask of the lanes."""

    settings: Mapping[str, Any]
    asked: tuple[int, int, int]
    lanes: Lanes


@dataclass(frozen=True, slots=True)
class _Due:
    """A connector with work and for how many batches it is enough, at least one."""

    connector_id: int
    lanes: Lanes
    batches: int


def _renewed(known: _Known | None, settings: Mapping[str, Any]) -> _Known:
    sync = Modules.from_json(settings).sync
    asked = (sync.lanes, sync.batch_start, sync.batch_max)
    lanes = known.lanes if known is not None and known.asked == asked else None
    return _Known(settings, asked, lanes or Lanes(BatchSize(sync.batch_start, most=sync.batch_max), sync.lanes))


class Worker:
    """Delivers and reads for all connectors of this database; safe beside others of its kind."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._readers = ThreadPoolExecutor(READERS_MAX, thread_name_prefix="run")
        self._stop = threading.Event()
        self.lanes = LaneThreads(services, self._stop, self._may_begin)
        self._lanes: dict[int, _Known] = {}
        #: Connectors that are drained -> whether more may be begun of them, and those that were not looked at yet.
        self._drained: dict[int, Callable[[bool], bool]] = {}
        self._unseen: set[int] = set()
        self._reading: Counter[int] = Counter()
        self._kinds: Counter[RunKind] = Counter()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_ours = False

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
        self.lanes.close()
        self._readers.shutdown(wait=True)

    def _loop(self) -> None:
        """Look at who is rung for at once, and at everybody once a second: rings of other processes are not heard."""
        seen: Mapping[int, int] = {}
        rung: set[int] = set()
        looked = -math.inf
        while not self._stop.is_set():
            try:
                all_of_them = not rung or 0 in rung or time.monotonic() - looked >= LOOK_EVERY_S
                looked = time.monotonic() if all_of_them else looked
                # On a full disk work would only be begun, again and again: nothing that is done could be written.
                if not self.services.disk.is_blocked():
                    self._look(None if all_of_them else rung)
            except Exception as error:
                # The loop must outlive anything, such as a database that is away for a moment.
                self.lanes.tell(error, "Looking for work failed; it is tried again.")
                self._stop.wait(LOOK_EVERY_S)
            rung, seen = self.services.wakeup.next(seen, LOOK_EVERY_S)

    def _look(self, connector_ids: set[int] | None) -> None:
        if connector_ids is None:
            self.dispatch()
        for connector_id in sorted(connector_ids or ()):
            self._look_at(connector_id)

    def dispatch(self) -> int:
        """Start what there is to do and return how much is going."""
        now = self.services.clock.now()
        self._look_for_copies(now)
        self.services.breakers.look(now)
        with self.services.db.read() as session:
            busy, runs_wait = self._due(session, now)
        self._take_runs(runs_wait)
        self._fill(busy)
        with self._lock:
            reading = self._reading.total()
        return reading + self.lanes.total()

    def has_room(self) -> bool:
        """Return whether this process may drain one more connector: it has no more lanes going than threads for them.

        So one more is let in than there are threads, and no thread waits for the next connector.
        """
        return self.lanes.total() + LANES_UNSEEN * len(self._unseen) <= self.services.deployment.worker_lanes

    def drain(self, connector_id: int, more: Callable[[bool], bool] = lambda batch: True) -> None:
        """Work for one connector until nothing of it is due and nothing is going here.

        It looks again when the connector is rung for, and once a second. When `more`, told whether a batch is to be
        begun, says no it only ends what is going; while a run is read here its records are delivered all the same.
        """
        self._drained[connector_id] = more
        self._unseen.add(connector_id)
        try:
            self._drain(connector_id)
        finally:
            del self._drained[connector_id]
            self._seen(connector_id)

    def _drain(self, connector_id: int) -> None:
        seen = self.services.wakeup.wait(0, 0, connector_id)
        while not self._stop.is_set():
            found = self._may_begin(connector_id, batch=False) and self._look_at(connector_id)
            self._seen(connector_id)
            if not (found or self.lanes.going(connector_id) or self._reading[connector_id]):
                return
            seen = self.services.wakeup.wait(seen, LOOK_EVERY_S, connector_id)

    def _seen(self, connector_id: int) -> None:
        self._unseen.discard(connector_id)
        self.lanes.on_free()

    def _may_begin(self, connector_id: int, *, batch: bool = True) -> bool:
        """Return whether more may be begun for a connector: its turn is not over or a run of it is read here."""
        if self._stop.is_set() or self.services.disk.is_blocked():
            return False
        more = self._drained.get(connector_id)
        return more is None or self._reading[connector_id] > 0 or more(batch)

    def _look_at(self, connector_id: int) -> bool:
        """Start what there is to do for one connector and return whether there was anything."""
        now = self.services.clock.now()
        self._look_for_copies(now)
        self.services.breakers.look(now)
        with self.services.db.read() as session:
            busy, runs_wait = self._due(session, now, connector_id)
        self._take_runs(runs_wait)
        self._fill(busy)
        return bool(busy or runs_wait)

    def _look_for_copies(self, now: datetime) -> None:
        """See once, before anything is sent, whether these rows were copied here from another installation."""
        address = self.services.deployment.public_url
        if self._is_ours or not address:
            return
        with self.services.db.write() as session:
            for connector in session.scalars(select(Connector)):
                fingerprint.look_at_installation(session, now, connector, address)
        self._is_ours = True

    def _free_kinds(self) -> frozenset[RunKind]:
        """Return the kinds of run that this process may begin one more of, none while all its readers are at work.

        A run that waited for a reader would lose its lease, which is kept from its beginning on.
        """
        with self._lock:
            return registry.free_kinds(self._kinds) if self._kinds.total() < READERS_MAX else frozenset()

    def _take_runs(self, connector_ids: Sequence[int]) -> None:
        for connector_id in connector_ids:
            while not self._stop.is_set():
                token = new_token()
                run = self._taken(connector_id, token)
                if run is None:
                    break
                self._count(connector_id, RunKind(run.kind), 1)
                self._readers.submit(self._read, registry.execution_of(self.services, run, token, self._stop))

    def _taken(self, connector_id: int, token: str) -> Run | None:
        """Lease a run of the connector, None when there is no more or another process works for it."""
        with self.services.db.write() as session:
            now, kinds = self.services.clock.now(), self._free_kinds()
            turn = turns.take(session, now, connector_id, self.services.leases.is_lost)
            run = run_lifecycle.take(session, now, token, connector_id, kinds) if turn else None
            session.flush()
            session.expunge_all()
        if turn is not None and turn.is_new:
            self.services.breakers.begin_anew(connector_id)
        return run

    def _count(self, connector_id: int, kind: RunKind, number: int) -> None:
        with self._lock:
            self._reading[connector_id] += number
            self._kinds[kind] += number

    def _read(self, execution: Execution) -> None:
        run = execution.run
        try:
            execution.execute()
        except Exception as error:
            # Every way a run can end is written to it; only a database that stays away gets here.
            self.lanes.tell(error, f"Run {run.id} broke off.")
        finally:
            self._count(run.connector_id, RunKind(run.kind), -1)
            self.services.wakeup.ring(run.connector_id)

    def _due(self, session: Session, now: datetime, only: int | None = None) -> tuple[list[_Due], list[int]]:
        """Return what is due of the connectors that have work and a free lane, and which have runs to take.

        With `only` one connector is looked at; those that other processes work for are left to them.
        """
        full = only is not None and self._is_full(only)
        busy = [] if full else schedule.busy_connectors(session, now, only)
        waiting = schedule.connectors_with_runs(session, now, self._free_kinds(), only)
        elsewhere = turns.of_others(session, now, {*busy, *waiting}, self.services.leases.is_lost)
        ids = [number for number in busy if number not in elsewhere and not self._is_full(number)]
        settings = session.execute(_SETTINGS, {"ids": ids}).tuples().all() if ids else ()
        due = [self._due_of(session, now, *each) for each in settings]
        return due, [number for number in waiting if number not in elsewhere]

    def _is_full(self, connector_id: int) -> bool:
        """Return whether all lanes of a connector are at work; the first that ends looks again, as it may end now."""
        with self._lock:
            known = self._lanes.get(connector_id)
        return known is not None and self.lanes.is_full(connector_id, known.lanes.most)

    def _due_of(self, session: Session, now: datetime, connector_id: int, settings: Mapping[str, Any]) -> _Due:
        lanes = self._lanes_of(connector_id, settings)
        size = lanes.size.value
        people = outbox.due_count(session, now, connector_id, most=size * lanes.most)
        # A probe is work too, although nobody may be due for it.
        return _Due(connector_id, lanes, max(math.ceil(people / size), 1))

    def _fill(self, busy: Sequence[_Due]) -> None:
        """Start as many lanes as there are batches, up to what the connectors may have."""
        for due in busy:
            self.lanes.start(due.connector_id, due.lanes, due.batches)

    def _lanes_of(self, connector_id: int, settings: Mapping[str, Any]) -> Lanes:
        """Return what the connector's lanes share; new settings of the lanes make it anew."""
        with self._lock:
            known = self._lanes.get(connector_id)
            if known is None or known.settings != settings:
                known = self._lanes[connector_id] = _renewed(known, settings)
            return known.lanes

    def until_idle(self, *, check: float = 0.05) -> None:
        """Work until nothing is due and nothing is going; what waits for later stays."""
        pause = threading.Event()
        while not self._stop.is_set():
            if not self.dispatch() and not self._has_work():
                return
            pause.wait(check)

    def _has_work(self) -> bool:
        now = self.services.clock.now()
        with self.services.db.read() as session:
            return bool(
                schedule.busy_connectors(session, now)
                or schedule.connectors_with_runs(session, now, self._free_kinds())
            )
