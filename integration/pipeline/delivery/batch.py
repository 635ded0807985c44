"""One batch on its way to Mautic: read, map, write, follow up, settle."""

from __future__ import annotations

import functools
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from integration.errors import Blame, ServerFault, ServiceError
from integration.mapping import places
from integration.mautic.batches import BATCH_MAX_ROWS
from integration.mautic.client import MauticClient
from integration.mautic.contacts import ContactWriter
from integration.mautic.fields import unique_aliases
from integration.mautic.results import ContactRow, Interrupted, Receipt
from integration.models.connector import Connector
from integration.models.run import Run
from integration.pipeline.connectors import restored, segment_names
from integration.pipeline.connectors.field_list import ensure_fields
from integration.pipeline.delivery import (
    barring,
    batch_context,
    commit,
    conflicts,
    latest_order,
    lost_answers,
    lost_fields,
    order_categories,
    read_back,
    sent_stamps,
    shared_cause,
)
from integration.pipeline.delivery.acts import Act, Followed
from integration.pipeline.delivery.batch_context import BatchContext, fields_from_json
from integration.pipeline.delivery.batch_result import BatchResult, Laid, Sent
from integration.pipeline.delivery.follow_ups import FollowUps
from integration.pipeline.delivery.groups import DeliveryGroup
from integration.pipeline.delivery.lanes import Lanes
from integration.pipeline.delivery.lost_answers import Look, Question
from integration.pipeline.delivery.planning import PersonPlan, plan_group
from integration.pipeline.delivery.read_back import ReadBack
from integration.pipeline.delivery.refresh import Freshened, freshen
from integration.pipeline.delivery.settlement import Settlement
from integration.pipeline.outbox import LookedUpCall
from integration.pipeline.payloads.recorder import PayloadRecorder
from integration.pipeline.services import Services
from integration.settings import Modules

log = logging.getLogger(__name__)

#: So many different people refused by a faulty server in a row mean that the server is at fault, not the records.
FAULTS_IN_A_ROW = 3
_CHEAPEST_READ = ("contacts", {"limit": 1, "minimal": 1})


def read_failure(client: MauticClient) -> ServiceError | None:
    """Return why even the cheapest read fails, None when it works."""
    try:
        client.get(*_CHEAPEST_READ)
    except ServiceError as error:
        return error
    return None


@dataclass
class Batch:
    """One claimed batch on its way; `looked_up` is the call without an answer that its people are of, None without.

    `stop` ends its waiting for a full disk. `heed` is called before each call of Mautic and raises Lost when the
    batch is another process's by now, which looks up what was sent.
    """

    services: Services
    lanes: Lanes
    chance: random.Random
    connector: Connector
    token: str
    groups: Sequence[DeliveryGroup]
    runs: Mapping[int, Run]
    probing: bool = False
    looked_up: LookedUpCall | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    heed: Callable[[], None] = lambda: None
    _fresh: Freshened = field(default_factory=lambda: Freshened(()))
    _laid: Laid | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Parse the settings, once for the whole batch."""
        self.modules: Modules = self.services.modules(self.connector)
        self._question = Question(self.looked_up)

    @property
    def correlation_id(self) -> str:
        """Return what the calls carry: the run's correlation id where all of the batch is of one run, else its own."""
        of_runs = {leased.run_id for group in self.groups for leased in group.deliveries}
        run = self.runs.get(next(iter(of_runs)) or 0) if len(of_runs) == 1 else None
        return run.correlation_id if run is not None else self.token

    def deliver(self) -> None:
        """Read, map, write, follow up and settle; whatever happens, every delivery is settled or its lease runs out.

        Raises Lost when the lease is another process's.
        """
        began = time.monotonic()
        recorder = PayloadRecorder([run for run in self.runs.values() if run.options.get("payloads")])
        client = self.services.open_mautic(self.connector, self.correlation_id, watch=recorder.observer, obeys=True)
        client.heed = self.heed
        result = self._result(client)
        recorder.keep(self.services)
        whole = replace(result, calls=client.calls, seconds=time.monotonic() - began, laid=self._laid)
        # What was sent is known here only: without it all would be sent once more.
        self.services.disk.patiently(functools.partial(self._commit, whole), self.stop)

    def _commit(self, result: BatchResult) -> None:
        with self.services.db.write() as session:
            commit.write(session, self.services.clock.now(), result)

    def _result(self, client: MauticClient) -> BatchResult:
        try:
            planned = self._plan(client)
            look = self._look(client, planned)
            if look is not None and not look.over:
                return self._settlement().wait_for(self.groups, look)
            sent = self._send(client, look.planned if look is not None else planned)
        except ServiceError as error:
            return self._settlement().connection_failed(self.groups, error)
        return self._settlement(sent).of_sent()

    def _settlement(self, sent: Sent | None = None) -> Settlement:
        return Settlement(
            self.services.clock.now(),
            self.connector.id,
            self.token,
            self.chance,
            self.correlation_id,
            self.probing,
            self._question,
            sent or Sent(),
        )

    def _look(self, client: MauticClient, planned: Sequence[PersonPlan]) -> Look | None:
        """Look up what Mautic holds where an answer was lost, None where none was."""
        if self.looked_up is not None:
            look = lost_answers.look(self.services.db, self.connector.id, client, self.looked_up, planned)
            self._question.look = look
        return self._question.look

    def _send(self, client: MauticClient, planned: Sequence[PersonPlan]) -> Sent:
        """Write the contacts, do their follow-ups and read a sample back."""
        receipts, broken = self._write(client, planned)
        watch = lost_fields.Watch(self.services, self.connector, client, self._fresh.skips)
        if broken is None:
            planned = lost_fields.forgetting(planned, lost_fields.unknown_to(receipts))
            if watch.finds(receipts):
                write = functools.partial(self._write, client)
                planned, receipts, broken = watch.rewritten(planned, receipts, self._context, write)
        broken = broken or self._server_at_fault(client, receipts) or shared_cause.of(self.lanes.alike, receipts)
        answered = {receipt.key: receipt for receipt in receipts}
        sent = Sent(planned, answered, broken, notes=self._fresh.notes, put_off=self._fresh.put_off)
        if broken is not None:
            return sent
        followed = self._follow(client, sent)
        self._question.add_follow_ups(followed)
        proofs = self._prove(client, planned, receipts)
        planned = watch.unproved(planned, proofs)
        if watch.connector is not self.connector or not all(proof.proved for proof in proofs):
            # The list of fields that all was planned by is not Mautic's any more, or Mautic does not hold what it says.
            self._laid = None
        return replace(sent, planned=planned, followed=followed, proofs=proofs)

    def _plan(self, client: MauticClient) -> list[PersonPlan]:
        services = self.services
        self._fresh = freshen(services, self.connector, self.groups, self.modules, self.correlation_id)
        groups = self._fresh.groups
        settings = self.connector.settings
        with self.lanes.listing:
            self.connector = ensure_fields(services, self.connector, client, self.runs.values(), self.modules)
        kept = self._kept(groups) if self.connector.settings == settings else {}
        context = self._context(groups, self.connector)
        self._laid = Laid(context, kept) if kept else None
        planned = [plan_group(group, context, self._fresh.skips) for group in groups]
        if self.looked_up is not None and (found := lost_answers.made_unseen(client, planned)):
            context = replace(context, links={**context.links, **found})
            planned = [plan_group(one.group, context, self._fresh.skips) for one in planned]
        return barring.settle(client, conflicts.settle(client, planned, context.modules.sync.policy))

    def _kept(self, groups: Sequence[DeliveryGroup]) -> Mapping[str, Sequence[str]]:
        with self.services.db.read() as session:
            return sent_stamps.kept(session, self.connector, self.modules, groups)

    def _context(self, groups: Sequence[DeliveryGroup], connector: Connector) -> BatchContext:
        with self.services.db.read() as session:
            resend = frozenset(run.id for run in self.runs.values() if run.options.get("resend"))
            context = batch_context.lay(
                session, connector, [group.person_key for group in groups], resend, self.modules
            )
        context = order_categories.completed(self.services, context, groups, self.correlation_id)
        return latest_order.completed(self.services, context, groups, self.correlation_id)

    def _write(self, client: MauticClient, planned: Sequence[PersonPlan]) -> tuple[list[Receipt], ServiceError | None]:
        """Write who has not got all yet; people of a lost call go in smaller calls, so that one who is to blame ends up
        alone."""
        look = self._question.look
        receipts = list(look.receipts) if look else []
        there = {receipt.key for receipt in receipts}
        rows = [row for row in self._rows(planned) if row.key not in there]
        if not rows:
            return receipts, None
        size = max(self.looked_up.rows // 2, 1) if self.looked_up else None
        unique = unique_aliases(fields_from_json(self.connector.fields))
        try:
            writer = ContactWriter(client, self.lanes.size, places.alternates, unique)
            with self.lanes.gate:
                return receipts + writer.upsert(rows, size), None
        except Interrupted as stop:
            self._question.add_call(stop.lost)
            return receipts + [r for r in stop.receipts if isinstance(r, Receipt)], stop.error

    def _prove(
        self, client: MauticClient, planned: Sequence[PersonPlan], receipts: Sequence[Receipt]
    ) -> list[ReadBack]:
        """Read a sample of the batch back, now and then; that it cannot be read back now does not fail the batch."""
        every = self.modules.sync.proof_every
        first = any(run.calls == 0 for run in self.runs.values())
        if not every or not (self.lanes.proof_due(every) or first):
            return []
        samples = read_back.sample(self._rows(planned), receipts, self.chance)
        try:
            return read_back.read_back(client, samples)
        except ServiceError as error:
            log.info("A sample could not be read back: %s", error)
            return []

    def _server_at_fault(self, client: MauticClient, receipts: Sequence[Receipt]) -> ServiceError | None:
        """Return the fault when no record can be to blame: so many people in a row met it, or reads fail as well."""
        lost = next((r.error for r in receipts if r.error and r.error.blame is Blame.CONNECTION), None)
        faulty = self.lanes.faulty
        if any(receipt.mautic_id is not None for receipt in receipts):
            faulty.clear()
            return lost
        failed = [receipt for receipt in receipts if isinstance(receipt.error, ServerFault)]
        faulty.update(receipt.key for receipt in failed)
        if failed and len(faulty) >= FAULTS_IN_A_ROW:
            faulty.clear()
            return failed[-1].error
        return lost or (read_failure(client) if failed else None)

    def _follow(self, client: MauticClient, sent: Sent) -> list[Followed]:
        acts = [
            Act(leased, contact_id, follow_up)
            for planned, contact_id in sent.reached()
            for leased in planned.pending
            for follow_up in planned.plans[leased.id].follow_ups
        ]
        if not acts:
            return []
        services = self.services
        with self.lanes.gate:
            most = max(self.looked_up.rows // 2, 1) if self.looked_up else BATCH_MAX_ROWS
            now, shown = services.clock.now(), {r.mautic_id or 0: r.answered for r in sent.receipts.values()}
            names = segment_names.known(self.connector)
            gap = restored.gap_of(self.connector)
            return FollowUps(services.db, client, self.connector.id, now, most, shown, names, gap).do(acts)

    def _rows(self, planned: Sequence[PersonPlan]) -> list[ContactRow]:
        now = self.services.clock.now()
        return [
            ContactRow(
                one.group.person_key,
                one.write,
                one.link.contact_id if one.link else None,
                one.link is not None and one.link.is_fresh(now),
                one.link.former if one.link else frozenset(),
            )
            for one in planned
            if one.write is not None and not one.unchanged
        ]
