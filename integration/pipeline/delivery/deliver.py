"""The one road from a change to Mautic: claim, plan, write, follow up, settle."""

from __future__ import annotations

import functools
import itertools
import logging
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from integration.errors import ServerFault, ServiceError
from integration.mapping import places
from integration.mautic.answers import SERVICE
from integration.mautic.batches import LARGEST, BatchSize
from integration.mautic.client import MauticClient
from integration.mautic.contacts import ContactWriter
from integration.mautic.fields import unique_aliases
from integration.mautic.results import ContactRow, Interrupted, Receipt
from integration.models.connector import Connector, ConnectorState
from integration.models.hold import Hold
from integration.models.run import Run
from integration.pipeline import outbox
from integration.pipeline.connectors import holds
from integration.pipeline.connectors.field_list import ensure_fields
from integration.pipeline.delivery import (
    batch_context as batch_context,
    conflicts,
    latest_order,
    lost_answers,
    lost_fields,
    read_back,
)
from integration.pipeline.delivery.batch_context import BatchContext, fields_from_json
from integration.pipeline.delivery.follow_ups import Act, Followed, FollowUps
from integration.pipeline.delivery.groups import DeliveryGroup
from integration.pipeline.delivery.planning import PersonPlan, plan_group
from integration.pipeline.delivery.read_back import ReadBack
from integration.pipeline.delivery.refresh import freshen
from integration.pipeline.delivery.retries import HELD_BACK, Blame, blame
from integration.pipeline.delivery.settlement import Settlement
from integration.pipeline.leases import renewal
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.outbox import Asked
from integration.pipeline.payloads.recorder import PayloadRecorder
from integration.pipeline.services import Services
from integration.settings import Modules

log = logging.getLogger(__name__)

#: So many different people refused by a faulty server in a row mean that the server is at fault, not the records.
FAULTS_IN_A_ROW = 3
#: So many people are sent to see whether a held Mautic takes writes again: few, yet more than one may be to blame.
PROBE_PEOPLE = 5
_CHEAPEST_READ = ("contacts", {"limit": 1, "minimal": 1})


@dataclass
class Lanes:
    """What the lanes of one process share about a connector: batch size, the run of faults, the gate to Mautic.

    The gate lets `width` lanes call at once; one lane more than that has its next batch ready meanwhile.
    """

    size: BatchSize
    width: int = 2
    faulty: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make the gate."""
        self.gate = threading.BoundedSemaphore(self.width)
        self.probing = threading.Lock()
        self._batches = itertools.count()

    @property
    def most(self) -> int:
        """Return how many lanes there may be."""
        return self.width + 1

    def proof_due(self, every: int) -> bool:
        """Return True for the first batch of this process and for each `every`th after it."""
        return next(self._batches) % every == 0


@dataclass
class Deliverer:
    """Delivers for one connector; `work` does one batch and returns how many people it held."""

    services: Services
    connector_id: int
    lanes: Lanes
    chance: random.Random = field(default_factory=random.Random)

    def work(self) -> int:
        """Claim and deliver one batch, or probe where a hold is due; 0 when there is nothing to do now."""
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
        connector, groups, asked = self._claim(token, probing=probing)
        if groups:
            with renewal.of_batch(self.services, token):
                try:
                    Batch(self, connector, token, groups, self._runs(groups), probing, asked).deliver()
                except Exception as error:
                    self._broke_off(connector, token, groups, error)
        return len(groups)

    def _broke_off(self, connector: Connector, token: str, groups: Sequence[DeliveryGroup], error: Exception) -> None:
        """Put back a batch that something unforeseen broke off, so that it neither loops nor waits for its lease."""
        settlement = Settlement(self.services, connector, token, self.chance, token)
        settlement.broke_off(groups, error)
        settlement.close()

    def _claim(self, token: str, *, probing: bool) -> tuple[Connector, list[DeliveryGroup], Asked | None]:
        now = self.services.clock.now()
        with self.services.db.write() as session:
            connector = session.get_one(Connector, self.connector_id)
            # Looked at once more under the writer's lock: while a hold is open nobody claims but who probes.
            shut = not probing and holds.current(session, self.connector_id, SERVICE) is not None
            if shut or not connector.mautic_url:
                return connector, [], None
            by_hand = connector.state == ConnectorState.PAUSED
            people = min(PROBE_PEOPLE, self.lanes.size.value) if probing else self.lanes.size.value
            due = now + HELD_BACK if probing else now
            asked, groups = outbox.claim_asked(session, now, connector.id, token, by_hand_only=by_hand)
            if asked is None:
                groups = outbox.claim(session, now, connector.id, people, token, by_hand_only=by_hand, due=due)
            session.flush()
            session.expunge_all()
        return connector, groups, asked

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
        failure = self.fails_to_read(self.services.open_mautic(connector))
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

    @staticmethod
    def fails_to_read(client: MauticClient) -> ServiceError | None:
        """Return why even the cheapest read fails, None when it works."""
        try:
            client.get(*_CHEAPEST_READ)
        except ServiceError as error:
            return error
        return None


@dataclass
class Batch:
    """One claimed batch on its way; `asked` is the call without an answer that its people are of, None for others."""

    deliverer: Deliverer
    connector: Connector
    token: str
    groups: Sequence[DeliveryGroup]
    runs: Mapping[int, Run]
    probing: bool = False
    asked: Asked | None = None
    _gone: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        """Parse the settings, once for the whole batch."""
        self.modules: Modules = self.deliverer.services.modules(self.connector)

    @property
    def correlation_id(self) -> str:
        """Return what the calls carry: the run's correlation id where all of the batch is of one run, else its own."""
        of_runs = {leased.run_id for group in self.groups for leased in group.deliveries}
        run = self.runs.get(next(iter(of_runs)) or 0) if len(of_runs) == 1 else None
        return run.correlation_id if run is not None else self.token

    def deliver(self) -> None:
        """Read, map, write, follow up and settle; whatever happens, every delivery is settled or its lease runs out."""
        began = time.monotonic()
        services = self.deliverer.services
        recorder = PayloadRecorder([run for run in self.runs.values() if run.options.get("payloads")])
        client = services.open_mautic(self.connector, self.correlation_id, watch=recorder.observer, obeys=True)
        settlement = Settlement(
            services, self.connector, self.token, self.deliverer.chance, self.correlation_id, self.probing
        )
        settlement.question.asked = self.asked
        try:
            planned = self._plan(client)
            if self._may_go(client, planned, settlement):
                self._send(client, planned, settlement)
        except ServiceError as error:
            settlement.connection_failed(self.groups, error)
        settlement.calls, settlement.seconds = client.calls, time.monotonic() - began
        recorder.keep(services)
        settlement.close()

    def _may_go(self, client: MauticClient, planned: Sequence[PersonPlan], settlement: Settlement) -> bool:
        """Look up what Mautic holds where an answer was lost; False while it may still be at work."""
        if self.asked is None:
            return True
        look = lost_answers.look(self.deliverer.services.db, self.connector.id, client, self.asked, planned)
        settlement.question.look = look
        if not look.over:
            settlement.wait_for(self.groups, look)
        return look.over

    def _send(self, client: MauticClient, planned: list[PersonPlan], settlement: Settlement) -> None:
        receipts, broken = self._write(client, planned, settlement)
        watch = lost_fields.Watch(self.deliverer.services, self.connector, client, self._gone)
        if broken is None and watch.finds(planned, receipts):
            write = functools.partial(self._write, client, settlement=settlement)
            planned, receipts, broken = watch.rewritten(planned, receipts, self._desk, write)
        broken = broken or self._server_at_fault(client, receipts)
        settlement.judge(planned, {receipt.key: receipt for receipt in receipts}, broken)
        settlement.followed = [] if settlement.broken else self._follow(client, settlement)
        settlement.question.add_follow_ups(settlement.followed)
        settlement.proofs = [] if settlement.broken else self._prove(client, planned, receipts)
        watch.unproved(planned, settlement.proofs)

    def _plan(self, client: MauticClient) -> list[PersonPlan]:
        services = self.deliverer.services
        groups, self._gone = freshen(services, self.connector, self.groups, self.correlation_id)
        self.connector = ensure_fields(services, self.connector, client, self.runs.values(), self.modules)
        context = self._desk(groups, self.connector)
        planned = [plan_group(group, context, self._gone) for group in groups]
        conflicts.settle(client, planned, context.modules.sync.policy)
        return planned

    def _desk(self, groups: Sequence[DeliveryGroup], connector: Connector) -> BatchContext:
        with self.deliverer.services.db.read() as session:
            resend = frozenset(run.id for run in self.runs.values() if run.options.get("resend"))
            context = batch_context.lay(
                session, connector, [group.person_key for group in groups], resend, self.modules
            )
        return latest_order.completed(self.deliverer.services, context, groups, self.correlation_id)

    def _write(
        self, client: MauticClient, planned: Sequence[PersonPlan], settlement: Settlement
    ) -> tuple[list[Receipt], ServiceError | None]:
        """Write who has not got all yet; people of a lost call go in smaller calls, so that one who is to blame ends up
        alone."""
        look = settlement.question.look
        receipts = list(look.receipts) if look else []
        there = {receipt.key for receipt in receipts}
        rows = [row for row in self._rows(planned) if row.key not in there]
        if not rows:
            return receipts, None
        size = max(self.asked.rows // 2, 1) if self.asked else None
        unique = unique_aliases(fields_from_json(self.connector.fields))
        try:
            writer = ContactWriter(client, self.deliverer.lanes.size, places.alternates, unique)
            with self.deliverer.lanes.gate:
                return receipts + writer.upsert(rows, size), None
        except Interrupted as stop:
            settlement.question.add_call(stop.lost)
            return receipts + [r for r in stop.receipts if isinstance(r, Receipt)], stop.error

    def _prove(
        self, client: MauticClient, planned: Sequence[PersonPlan], receipts: Sequence[Receipt]
    ) -> list[ReadBack]:
        """Read a sample of the batch back, now and then; what cannot be read back now is no fault of the batch."""
        every = self.modules.sync.proof_every
        first = any(run.calls == 0 for run in self.runs.values())
        if not every or not (self.deliverer.lanes.proof_due(every) or first):
            return []
        samples = read_back.sample(self._rows(planned), receipts, self.deliverer.chance)
        try:
            return read_back.read_back(client, samples)
        except ServiceError as error:
            log.info("A sample could not be read back: %s", error)
            return []

    def _server_at_fault(self, client: MauticClient, receipts: Sequence[Receipt]) -> ServiceError | None:
        """Return the fault when no record can be to blame: so many people in a row met it, or reads fail as well."""
        lost = next((r.error for r in receipts if r.error and blame(r.error) is Blame.CONNECTION), None)
        faulty = self.deliverer.lanes.faulty
        if any(receipt.mautic_id is not None for receipt in receipts):
            faulty.clear()
            return lost
        failed = [receipt for receipt in receipts if isinstance(receipt.error, ServerFault)]
        faulty.update(receipt.key for receipt in failed)
        if failed and len(faulty) >= FAULTS_IN_A_ROW:
            faulty.clear()
            return failed[-1].error
        return lost or (self.deliverer.fails_to_read(client) if failed else None)

    def _follow(self, client: MauticClient, settlement: Settlement) -> list[Followed]:
        acts = [
            Act(leased, contact_id, what)
            for planned, contact_id in settlement.reached()
            for leased in planned.planned
            for what in planned.plans[leased.id].follow_ups
        ]
        if not acts:
            return []
        services = self.deliverer.services
        with self.deliverer.lanes.gate:
            most = max(self.asked.rows // 2, 1) if self.asked else LARGEST
            return FollowUps(services.db, client, self.connector.id, services.clock.now(), most).do(acts)

    def _rows(self, planned: Sequence[PersonPlan]) -> list[ContactRow]:
        now = self.deliverer.services.clock.now()
        return [
            ContactRow(
                one.group.person_key,
                one.write,
                one.link.contact_id if one.link else None,
                one.link is not None and one.link.is_fresh(now),
            )
            for one in planned
            if one.write is not None and not one.unchanged
        ]
