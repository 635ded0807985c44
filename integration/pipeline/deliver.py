"""The one road from a change to Mautic: claim, draw, write, follow up, settle."""

from __future__ import annotations

import functools
import itertools
import logging
import random
import threading
import time
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from sqlalchemy import select

from integration.errors import ServerFault
from integration.errors import ServiceError
from integration.mapping import places
from integration.mautic.answers import SERVICE
from integration.mautic.batches import LARGEST
from integration.mautic.batches import BatchSize
from integration.mautic.client import MauticClient
from integration.mautic.contacts import ContactWriter
from integration.mautic.fields import unique_aliases
from integration.mautic.results import ContactRow
from integration.mautic.results import Interrupted
from integration.mautic.results import Receipt
from integration.models.connector import Connector
from integration.models.connector import ConnectorState
from integration.models.hold import Hold
from integration.models.run import Run
from integration.modules import Modules
from integration.pipeline import conflicts
from integration.pipeline import desk as desks
from integration.pipeline import holds
from integration.pipeline import keeper
from integration.pipeline import latest
from integration.pipeline import lost_answers
from integration.pipeline import lost_fields
from integration.pipeline import outbox
from integration.pipeline import proof
from integration.pipeline.desk import Desk
from integration.pipeline.desk import fields_from_json
from integration.pipeline.fieldlist import begun
from integration.pipeline.fieldlist import ensure_fields
from integration.pipeline.follow_ups import Act
from integration.pipeline.follow_ups import Followed
from integration.pipeline.follow_ups import FollowUps
from integration.pipeline.freshen import freshen
from integration.pipeline.leases import new_token
from integration.pipeline.lines import Line
from integration.pipeline.outbox import Asked
from integration.pipeline.planning import Drawn
from integration.pipeline.planning import draw
from integration.pipeline.ports import Ports
from integration.pipeline.proof import Proof
from integration.pipeline.retries import HELD_BACK
from integration.pipeline.retries import Blame
from integration.pipeline.retries import blame
from integration.pipeline.settlement import Settlement
from integration.pipeline.tape import Tape

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

    def proof_due(self, every: int) -> bool:
        """Return True for the first batch of this process and for each `every`th after it."""
        return next(self._batches) % every == 0


@dataclass
class Deliverer:
    """Delivers for one connector; `work` does one batch and returns how many people it held."""

    ports: Ports
    connector_id: int
    lanes: Lanes
    chance: random.Random = field(default_factory=random.Random)

    def work(self) -> int:
        """Claim and deliver one batch, or probe where a hold is due; 0 when there is nothing to do now."""
        with self.ports.db.read() as session:
            held = holds.current(session, self.connector_id, SERVICE)
        if held is None:
            return self._batch()
        if held.probe_at > self.ports.clock.now() or not self.lanes.probing.acquire(blocking=False):
            return 0
        try:
            return self._probe(held)
        finally:
            self.lanes.probing.release()

    def _batch(self, *, probing: bool = False) -> int:
        token = new_token()
        connector, lines, asked = self._claim(token, probing=probing)
        if lines:
            with keeper.of_batch(self.ports, token):
                try:
                    Batch(self, connector, token, lines, self._runs(lines), probing, asked).deliver()
                except Exception as error:
                    self._broke_off(connector, token, lines, error)
        return len(lines)

    def _broke_off(self, connector: Connector, token: str, lines: Sequence[Line], error: Exception) -> None:
        """Put back a batch that something unforeseen broke off, so that it neither loops nor waits for its lease."""
        settlement = Settlement(self.ports, connector, token, self.chance, token)
        settlement.broke_off(lines, error)
        settlement.close()

    def _claim(self, token: str, *, probing: bool) -> tuple[Connector, list[Line], Asked | None]:
        now = self.ports.clock.now()
        with self.ports.db.write() as session:
            connector = session.get_one(Connector, self.connector_id)
            # Looked at once more under the writer's lock: while a hold is open nobody claims but who probes.
            shut = not probing and holds.current(session, self.connector_id, SERVICE) is not None
            if shut or not connector.mautic_url:
                return connector, [], None
            by_hand = connector.state == ConnectorState.PAUSED
            people = min(PROBE_PEOPLE, self.lanes.size.value) if probing else self.lanes.size.value
            due = now + HELD_BACK if probing else now
            asked, lines = outbox.claim_asked(session, now, connector.id, token, by_hand_only=by_hand)
            if asked is None:
                lines = outbox.claim(session, now, connector.id, people, token, by_hand_only=by_hand, due=due)
            session.flush()
            session.expunge_all()
        return connector, lines, asked

    def _runs(self, lines: Sequence[Line]) -> dict[int, Run]:
        ids = {item.run_id for line in lines for item in line.items if item.run_id is not None}
        if not ids:
            return {}
        with self.ports.db.read() as session:
            return {run.id: run for run in session.scalars(select(Run).where(Run.id.in_(ids)))}

    def _probe(self, held: Hold) -> int:
        """See whether Mautic works again: by a cheap read, then by a small claim, for reads may work where writes fail.

        The claim's settlement renews or ends the hold; where there is nothing to claim the read ends it.
        """
        with self.ports.db.write() as session:
            if not holds.take_probe(session, self.ports.clock.now(), held):
                return 0
            connector = session.get_one(Connector, self.connector_id)
            session.expunge_all()
        failure = self.fails_to_read(self.ports.open_mautic(connector))
        if failure is None:
            self.ports.breakers.of(self.connector_id, SERVICE).close()
            if people := self._batch(probing=True):
                return people
        with self.ports.db.write() as session:
            now = self.ports.clock.now()
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
    lines: Sequence[Line]
    runs: Mapping[int, Run]
    probing: bool = False
    asked: Asked | None = None
    _gone: frozenset[int] = frozenset()

    @property
    def correlation_id(self) -> str:
        """Return what the calls carry: the run's correlation id where all of the batch is of one run, else its own."""
        of_runs = {item.run_id for line in self.lines for item in line.items}
        run = self.runs.get(next(iter(of_runs)) or 0) if len(of_runs) == 1 else None
        return run.correlation_id if run is not None else self.token

    def deliver(self) -> None:
        """Read, map, write, follow up and settle; whatever happens, every delivery is settled or its lease runs out."""
        began = time.monotonic()
        ports = self.deliverer.ports
        tape = Tape([run for run in self.runs.values() if run.options.get("payloads")])
        client = ports.open_mautic(self.connector, self.correlation_id, watch=tape.observer, obeys=True)
        settlement = Settlement(
            ports, self.connector, self.token, self.deliverer.chance, self.correlation_id, self.probing
        )
        settlement.question.asked = self.asked
        try:
            drawn = self._draw(client)
            if self._may_go(client, drawn, settlement):
                self._send(client, drawn, settlement)
        except ServiceError as error:
            settlement.connection_failed(self.lines, error)
        settlement.calls, settlement.seconds = client.calls, time.monotonic() - began
        tape.keep(ports)
        settlement.close()

    def _may_go(self, client: MauticClient, drawn: Sequence[Drawn], settlement: Settlement) -> bool:
        """Look up what Mautic holds where an answer was lost; False while it may still be at work."""
        if self.asked is None:
            return True
        look = lost_answers.look(self.deliverer.ports.db, self.connector.id, client, self.asked, drawn)
        settlement.question.look = look
        if not look.over:
            settlement.wait_for(self.lines, look)
        return look.over

    def _send(self, client: MauticClient, drawn: list[Drawn], settlement: Settlement) -> None:
        receipts, broken = self._write(client, drawn, settlement)
        watch = lost_fields.Watch(self.deliverer.ports, self.connector, client, self._gone)
        if broken is None and watch.finds(drawn, receipts):
            write = functools.partial(self._write, client, settlement=settlement)
            drawn, receipts, broken = watch.rewritten(drawn, receipts, self._desk, write)
        broken = broken or self._server_at_fault(client, receipts)
        settlement.judge(drawn, {receipt.key: receipt for receipt in receipts}, broken)
        settlement.followed = [] if settlement.broken else self._follow(client, settlement)
        settlement.question.add_follow_ups(settlement.followed)
        settlement.proofs = [] if settlement.broken else self._prove(client, drawn, receipts)
        watch.unproved(drawn, settlement.proofs)

    def _draw(self, client: MauticClient) -> list[Drawn]:
        ports = self.deliverer.ports
        lines, self._gone = freshen(ports, self.connector, self.lines, self.correlation_id)
        self.connector = ensure_fields(ports, self.connector, client, begun(self.runs.values()))
        desk = self._desk(lines, self.connector)
        drawn = [draw(line, desk, self._gone) for line in lines]
        conflicts.settle(client, drawn, desk.modules.sync.policy)
        return drawn

    def _desk(self, lines: Sequence[Line], connector: Connector) -> Desk:
        with self.deliverer.ports.db.read() as session:
            resend = frozenset(run.id for run in self.runs.values() if run.options.get("resend"))
            desk = desks.lay(session, connector, [line.subject for line in lines], resend)
        return latest.completed(self.deliverer.ports, desk, lines, self.correlation_id)

    def _write(
        self, client: MauticClient, drawn: Sequence[Drawn], settlement: Settlement
    ) -> tuple[list[Receipt], ServiceError | None]:
        """Write who has not got all yet; people of a lost call go in smaller calls, so that one who is to blame ends up
        alone."""
        look = settlement.question.look
        receipts = list(look.receipts) if look else []
        there = {receipt.key for receipt in receipts}
        rows = [row for row in self._rows(drawn) if row.key not in there]
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

    def _prove(self, client: MauticClient, drawn: Sequence[Drawn], receipts: Sequence[Receipt]) -> list[Proof]:
        """Read a sample of the batch back, now and then; what cannot be read back now is no fault of the batch."""
        every = Modules.from_json(self.connector.settings).sync.proof_every
        first = any(run.calls == 0 for run in self.runs.values())
        if not every or not (self.deliverer.lanes.proof_due(every) or first):
            return []
        samples = proof.sample(self._rows(drawn), receipts, self.deliverer.chance)
        try:
            return proof.read_back(client, samples)
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
            Act(item, contact_id, what)
            for drawn, contact_id in settlement.reached()
            for item in drawn.planned
            for what in drawn.plans[item.id].follow_ups
        ]
        if not acts:
            return []
        ports = self.deliverer.ports
        with self.deliverer.lanes.gate:
            most = max(self.asked.rows // 2, 1) if self.asked else LARGEST
            return FollowUps(ports.db, client, self.connector.id, ports.clock.now(), most).do(acts)

    def _rows(self, drawn: Sequence[Drawn]) -> list[ContactRow]:
        now = self.deliverer.ports.clock.now()
        return [
            ContactRow(
                one.line.subject,
                one.write,
                one.link.contact_id if one.link else None,
                one.link is not None and one.link.is_fresh(now),
            )
            for one in drawn
            if one.write is not None and not one.unchanged
        ]
