"""Decides what became of each delivery of a batch and writes it all in one transaction."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from integration.errors import IntegrationError, ServerFault, ServiceError
from integration.mautic.results import Receipt
from integration.models.connector import Connector
from integration.models.delivery import DeliveryState
from integration.pipeline.delivery import conflicts, retries, sentences as delivery_sentences
from integration.pipeline.delivery.commit import Books
from integration.pipeline.delivery.follow_ups import Followed
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery, Outcome
from integration.pipeline.delivery.lost_answers import Look, Question
from integration.pipeline.delivery.planning import CONTACT_GONE, PersonPlan, sentences
from integration.pipeline.delivery.read_back import ReadBack
from integration.pipeline.leases import endings
from integration.pipeline.services import Services
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.pipeline.sync_log.writing import Entry
from integration.streams.base import LEAVES

_WRITE = "create_or_update"


@dataclass
class Settlement:
    """Collects what happened to a batch; `close` writes it. `probing` says that the batch is the probe of a hold."""

    services: Services
    connector: Connector
    token: str
    chance: random.Random
    correlation_id: str = ""
    probing: bool = False
    followed: list[Followed] = field(default_factory=list)
    broken: ServiceError | None = None
    calls: int = 0
    seconds: float = 0.0
    proofs: Sequence[ReadBack] = ()
    question: Question = field(default_factory=Question)
    _planned: Sequence[PersonPlan] = ()
    _receipts: Mapping[str, Receipt] = field(default_factory=dict)
    _outcomes: list[Outcome] = field(default_factory=list)
    _entries: list[Entry] = field(default_factory=list)

    def judge(
        self, planned: Sequence[PersonPlan], receipts: Mapping[str, Receipt], broken: ServiceError | None
    ) -> None:
        """Take what the contact writes gave; `broken` is the connection's error that stopped them."""
        self._planned, self._receipts, self.broken = planned, receipts, broken

    def reached(self) -> Iterator[tuple[PersonPlan, int]]:
        """Yield the lines whose contact stands in Mautic, with its id: their follow-ups can be done."""
        for planned in self._planned:
            contact_id = self._contact(planned)
            if contact_id is not None:
                yield planned, contact_id

    def _contact(self, planned: PersonPlan) -> int | None:
        receipt = self._receipts.get(planned.group.person_key)
        if receipt is not None:
            return receipt.mautic_id if receipt.error is None else None
        return planned.link.contact_id if planned.unchanged and planned.link else None

    def connection_failed(self, groups: Sequence[DeliveryGroup], error: ServiceError) -> None:
        """Put all lines back: the connection failed before anything could be written."""
        self.broken = error
        deliveries = (leased for group in groups for leased in group.deliveries)
        self._outcomes = [self._back(leased, error) for leased in deliveries]

    def wait_for(self, groups: Sequence[DeliveryGroup], look: Look) -> None:
        """Put all lines back until Mautic is done with a call whose answer was lost."""
        wait = timedelta(seconds=look.asked.pause_s)
        deliveries = [leased for group in groups for leased in group.deliveries]
        self._outcomes = [_later(leased, look.error, wait, counts=False) for leased in deliveries]

    def broke_off(self, groups: Sequence[DeliveryGroup], error: Exception) -> None:
        """Put all records back, to be tried one by one; one that broke off alone before is a dead letter."""
        now = self.services.clock.now()
        cause = endings.cause_of(error, "The delivery")
        deliveries = [leased for group in groups for leased in group.deliveries]
        again = len(deliveries) == 1 and deliveries[0].error_code == endings.INTERNAL
        for leased in deliveries:
            wait = retries.delay(leased.faults + 1, self.chance)
            if cause.code != endings.INTERNAL:
                self._outcomes.append(_later(leased, cause, wait or retries.LONGEST, counts=False))
            elif again or wait is None:
                self._outcomes.append(self._dead(now, leased, cause))
            else:
                self._outcomes.append(_later(leased, cause, wait))

    def close(self) -> None:
        """Write outcomes, links, marks, log entries, counters and the hold or its end, all or nothing."""
        now = self.services.clock.now()
        for planned in self._planned:
            for leased in planned.group.deliveries:
                self._outcomes.append(self._outcome(now, planned, leased))
        self.broken = self.broken or self._broken_later()
        with self.services.db.write() as session:
            self._books().write(session, now, self.broken)

    def _books(self) -> Books:
        return Books(
            self.connector.id,
            self.token,
            self.correlation_id,
            self._planned,
            self._receipts,
            self.followed,
            self._outcomes,
            self._entries,
            self.proofs,
            self.calls,
            self.seconds,
            self.probing,
            self.question,
        )

    def _outcome(self, now: datetime, planned: PersonPlan, leased: LeasedDelivery) -> Outcome:
        if leased.id in planned.errors:
            return self._dead(now, leased, planned.errors[leased.id])
        if leased.id in planned.skips:
            return self._skipped(now, leased, planned.skips[leased.id].code, planned.skips[leased.id].sentence)
        receipt = self._receipts.get(planned.group.person_key)
        contact_id = self._contact(planned)
        if contact_id is None:
            error = (receipt.error if receipt else None) or self.broken
            assert error is not None, "a contact is missing without an error"
            return self._failed(now, leased, error)
        if receipt is not None:
            changed = sentences((*planned.adjustments, *receipt.adjustments))
            said = " ".join(
                filter(None, (delivery_sentences.written(receipt), changed, planned.plans[leased.id].withheld))
            )
            self._note(now, leased, _WRITE, said, contact_id)
        return self._after_follow_ups(now, planned, leased, contact_id, receipt)

    def _after_follow_ups(
        self, now: datetime, planned: PersonPlan, leased: LeasedDelivery, contact_id: int, receipt: Receipt | None
    ) -> Outcome:
        results = [result for result in self.followed if result.act.leased.id == leased.id]
        wanted, withheld = planned.plans[leased.id].follow_ups, planned.plans[leased.id].withheld
        if wanted and not results:
            assert self.broken is not None, "follow-ups were left out without an error"
            return self._back(leased, self.broken)
        for result in results:
            if not result.repeated and result.error is None:
                self._note(now, leased, result.act.what.action, result.message, contact_id)
        bad = next((result for result in results if result.error is not None), None)
        if bad is not None and bad.error is not None:
            return self._half(now, leased, bad.act.what.action, bad.error, contact_id)
        if conflicts.of_delivery(planned, leased):
            return self._kept(now, planned, leased, contact_id)
        if receipt is None and all(result.repeated for result in results):
            said = f"Nothing has changed since the last sync. {withheld}".strip()
            return self._skipped(now, leased, "unchanged", said, contact_id)
        written = receipt.outcome if receipt else "updated"
        return Outcome(leased.id, DeliveryState.DELIVERED, written, contact_id, message=withheld, run_id=leased.run_id)

    def _kept(self, now: datetime, planned: PersonPlan, leased: LeasedDelivery, contact_id: int) -> Outcome:
        """Somebody else's value was kept: the rest is written, and both values are on record."""
        said = conflicts.sentence(conflicts.of_delivery(planned, leased))
        self._note(now, leased, "skip", said, contact_id)
        state = DeliveryState.CONFLICT
        return Outcome(
            leased.id, state, "skipped", contact_id, error_code="conflict", message=said, run_id=leased.run_id
        )

    def _half(
        self, now: datetime, leased: LeasedDelivery, action: str, error: IntegrationError, contact_id: int
    ) -> Outcome:
        """The contact is written, a follow-up is not."""
        waiting = self._in_question(now, leased, action, error)
        if waiting is not None:
            return waiting
        alone = self.question.of(leased.person_key) is not None
        verdict = retries.Verdict(retries.Blame.RECORD, None) if alone else self._verdict(leased, error)
        if verdict.blame is retries.Blame.CONNECTION:
            return self._back(leased, error)
        self._note(now, leased, action, delivery_sentences.again(error, verdict.wait), contact_id, error)
        if error.code == "uncertain":
            return self._end(leased, DeliveryState.DEAD, error)
        if verdict.wait is not None:
            return _later(leased, error, verdict.wait)
        return self._end(leased, DeliveryState.DELIVERED, error, contact_id, result="updated", partial=True)

    def _failed(self, now: datetime, leased: LeasedDelivery, error: ServiceError) -> Outcome:
        waiting = self._in_question(now, leased, _WRITE, error)
        if waiting is not None:
            return waiting
        if self.question.of(leased.person_key) is not None:
            return self._dead(now, leased, error)
        verdict = self._verdict(leased, error)
        # Where a probe can read but not write nobody can tell who is to blame, and a poisonous record must end.
        server_at_fault = self.broken is not None and isinstance(error, ServerFault) and not self.probing
        if verdict.blame is retries.Blame.CONNECTION or server_at_fault:
            return self._back(leased, error)
        if error.code == "not_found" and leased.event in LEAVES:
            return self._skipped(now, leased, CONTACT_GONE.code, CONTACT_GONE.sentence)
        if verdict.wait is None:
            return self._dead(now, leased, error)
        self._note(now, leased, _WRITE, delivery_sentences.again(error, verdict.wait), None, error)
        return _later(leased, error, verdict.wait)

    def _verdict(self, leased: LeasedDelivery, error: IntegrationError) -> retries.Verdict:
        return retries.verdict(error, leased.faults + 1, self.chance)

    def _in_question(
        self, now: datetime, leased: LeasedDelivery, action: str, error: IntegrationError
    ) -> Outcome | None:
        """Return that a delivery waits for what became of its call, None when no answer of it was lost, or too many."""
        call = self.question.of(leased.person_key)
        wait = call.put_off(leased, self.chance) if call is not None else None
        if call is None or wait is None:
            return None
        if call.is_of_one:
            self._note(now, leased, action, delivery_sentences.again(error, wait), None, error)
        return _later(leased, error, wait, counts=call.is_of_one)

    def _dead(self, now: datetime, leased: LeasedDelivery, error: IntegrationError) -> Outcome:
        self._note(now, leased, _WRITE, str(error), None, error)
        return self._end(leased, DeliveryState.DEAD, error)

    def _skipped(
        self, now: datetime, leased: LeasedDelivery, code: str, sentence: str, contact_id: int | None = None
    ) -> Outcome:
        self._note(now, leased, "skip", sentence, contact_id)
        return Outcome(
            leased.id,
            DeliveryState.SKIPPED,
            "skipped",
            contact_id,
            error_code=code,
            message=sentence,
            run_id=leased.run_id,
        )

    def _back(self, leased: LeasedDelivery, error: IntegrationError) -> Outcome:
        """The connection was at fault: later, and the try does not count against the record."""
        return Outcome(
            leased.id,
            None,
            error_code=error.code,
            message=str(error),
            wait=retries.HELD_BACK,
            faults=leased.faults,
            run_id=leased.run_id,
            category=retries.category(error),
        )

    def _end(
        self,
        leased: LeasedDelivery,
        state: DeliveryState,
        error: IntegrationError,
        contact_id: int | None = None,
        *,
        result: str = "",
        partial: bool = False,
    ) -> Outcome:
        return Outcome(
            leased.id,
            state,
            result,
            contact_id,
            partial=partial,
            error_code=error.code,
            message=str(error),
            run_id=leased.run_id,
            category=retries.category(error),
        )

    def _note(
        self,
        now: datetime,
        leased: LeasedDelivery,
        action: str,
        message: str,
        contact_id: int | None,
        error: IntegrationError | None = None,
    ) -> None:
        self._entries.append(
            Entry(
                connector_id=self.connector.id,
                at=now,
                type=leased.kind,
                object_id=leased.object_id,
                action=action,
                status=sync_log_writing.SUCCESS if error is None else sync_log_writing.ERROR,
                message=message,
                contact_id=contact_id,
                source_id=leased.source_id,
                person_key=leased.person_key,
                delivery_id=leased.id,
                run_id=leased.run_id,
            )
        )

    def _broken_later(self) -> ServiceError | None:
        """Return the connection's error that a follow-up met."""
        errors = (result.error for result in self.followed)
        whose = (e for e in errors if isinstance(e, ServiceError) and retries.blame(e) is retries.Blame.CONNECTION)
        return next(whose, None)


def _later(leased: LeasedDelivery, error: IntegrationError, wait: timedelta, *, counts: bool = True) -> Outcome:
    """Return that a delivery is tried again after `wait`; `counts` says whether the try counts against the record."""
    return Outcome(
        leased.id,
        None,
        error_code=error.code,
        message=str(error),
        wait=wait,
        faults=leased.faults + (1 if counts else 0),
        run_id=leased.run_id,
        category=retries.category(error),
    )
