"""Delivers for one connector: claims a batch, or sees whether a held Mautic works again."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.mautic.answers import SERVICE
from integration.models.connector import Connector, ConnectorState
from integration.models.hold import Hold
from integration.models.run import Run
from integration.pipeline import outbox
from integration.pipeline.connectors import holds
from integration.pipeline.delivery import commit
from integration.pipeline.delivery.batch import Batch, read_failure
from integration.pipeline.delivery.groups import DeliveryGroup
from integration.pipeline.delivery.lanes import Lanes
from integration.pipeline.delivery.retries import HELD_BACK
from integration.pipeline.delivery.settlement import Settlement
from integration.pipeline.leases import renewal, turns
from integration.pipeline.leases.endings import Lost
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.leases.turns import Turn
from integration.pipeline.outbox import LookedUpCall
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

#: So many people are sent to see whether a held Mautic takes writes again: few, yet more than one may be to blame.
PROBE_PEOPLE = 5


@dataclass
class Deliverer:
    """Delivers for one connector; `work` does one batch and returns how many people it held.

    `stop` ends its waiting for a full disk. `took_all` says that, as a rule, nobody else was due when the last batch
    was claimed.
    """

    services: Services
    connector_id: int
    lanes: Lanes
    chance: random.Random = field(default_factory=random.Random)
    stop: threading.Event = field(default_factory=threading.Event)
    took_all: bool = field(default=False, init=False)

    def work(self, *, due: bool = False) -> int:
        """Claim and deliver one batch, or probe where a hold is due; 0 when there is nothing to do now.

        `due` says that somebody has just been found to be due, so that it is not looked at once more.
        """
        if due and (people := self._batch()):
            return people
        now = self.services.clock.now()
        with self.services.db.read() as session:
            held = holds.current(session, self.connector_id, SERVICE)
            due = held is not None or outbox.due_count(session, now, self.connector_id, most=1) > 0
        if held is None:
            # Looked at before the writer's lock is taken: a lane that has done its work finds nothing most of the time.
            return self._batch() if due else 0
        if held.probe_at > now or not self.lanes.probing.acquire(blocking=False):
            return 0
        try:
            return self._probe(held)
        finally:
            self.lanes.probing.release()

    def _batch(self, *, probing: bool = False) -> int:
        token = new_token()
        connector, groups, looked_up = self._claim(token, probing=probing)
        if groups:
            with renewal.of_batch(self.services, token) as kept:
                try:
                    runs = self._runs(groups)
                    lanes, chance, stop = self.lanes, self.chance, self.stop
                    Batch(
                        self.services,
                        lanes,
                        chance,
                        connector,
                        token,
                        groups,
                        runs,
                        probing,
                        looked_up,
                        stop,
                        kept.heed,
                    ).deliver()
                except Lost:
                    log.warning("A batch of connector %d is another process's now.", self.connector_id)
                except Exception as error:
                    self._broke_off(connector, token, groups, error)
        return len(groups)

    def _broke_off(self, connector: Connector, token: str, groups: Sequence[DeliveryGroup], error: Exception) -> None:
        """Put back a batch that an unexpected error broke off, so that it neither loops nor waits for its lease."""
        now = self.services.clock.now()
        result = Settlement(now, connector.id, token, self.chance, token).broke_off(groups, error)

        def put_back() -> None:
            with self.services.db.write() as session:
                commit.write(session, now, result)

        self.services.disk.patiently(put_back, self.stop)

    def _claim(self, token: str, *, probing: bool) -> tuple[Connector, list[DeliveryGroup], LookedUpCall | None]:
        now = self.services.clock.now()
        with self.services.db.write() as session:
            turn = turns.take(session, now, self.connector_id, self.services.leases.is_lost)
            connector = turn.connector if turn is not None else session.get_one(Connector, self.connector_id)
            # Looked at once more under the writer's lock: while a hold is open nobody claims but who probes.
            shut = not probing and self._is_shut(session, turn)
            if shut or not connector.mautic_url or connector.state == ConnectorState.READ_ONLY:
                return connector, [], None
            by_hand = connector.state == ConnectorState.PAUSED
            people = min(PROBE_PEOPLE, self.lanes.size.value) if probing else self.lanes.size.value
            due = now + HELD_BACK if probing else now
            looked_up, groups = outbox.claim_for_look_up(session, now, connector.id, token, by_hand_only=by_hand)
            if looked_up is None:
                lanes = self.lanes.width
                groups = outbox.claim(
                    session, now, connector.id, people, token, by_hand_only=by_hand, due=due, lanes=lanes
                )
            session.flush()
            session.expunge_all()
        self.took_all = looked_up is None and outbox.is_short(groups, people)
        if turn is not None and turn.is_new:
            self.services.breakers.begin_anew(self.connector_id)
        return connector, groups, looked_up

    def _is_shut(self, session: Session, turn: Turn | None) -> bool:
        """Return whether another process works for the connector, Mautic is held, or all lanes are busy."""
        if turn is None or turn.batches >= self.lanes.most:
            return True
        return holds.current(session, self.connector_id, SERVICE) is not None

    def _runs(self, groups: Sequence[DeliveryGroup]) -> dict[int, Run]:
        ids = {leased.run_id for group in groups for leased in group.deliveries if leased.run_id is not None}
        if not ids:
            return {}
        with self.services.db.read() as session:
            return {run.id: run for run in session.scalars(select(Run).where(Run.id.in_(ids)))}

    def _probe(self, held: Hold) -> int:
        """See whether Mautic works again: by a cheap read, then by a small claim, for reads may work where writes fail.

        The claim's settlement renews or ends the hold; where there is nothing to claim the read ends it.
        """
        with self.services.db.write() as session:
            if not holds.take_probe(session, self.services.clock.now(), held):
                return 0
            connector = session.get_one(Connector, self.connector_id)
            session.expunge_all()
        failure = read_failure(self.services.open_mautic(connector))
        if failure is None:
            self.services.breakers.of(self.connector_id, SERVICE).close()
            if people := self._batch(probing=True):
                return people
        with self.services.db.write() as session:
            now = self.services.clock.now()
            look_at = outbox.next_look(session, self.connector_id)
            if failure is not None:
                holds.hold(session, now, self.connector_id, failure, probed=True)
            elif look_at is not None:
                # Nobody can be sent before it is known what became of a call; that look is the next probe.
                holds.probe_again(session, max(look_at, now + HELD_BACK), self.connector_id, SERVICE)
            else:
                holds.release(session, now, self.connector_id, SERVICE)
        return 0
