"""Decides what became of each delivery of a batch."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from integration import streams, words
from integration.errors import Blame, IntegrationError, ServerFault, ServiceError
from integration.mautic.results import Receipt
from integration.mautic.verdicts import REQUIRED
from integration.models.delivery import DeliveryState
from integration.pipeline.delivery import conflicts, held_records, outcomes, retries, sentences as delivery_sentences
from integration.pipeline.delivery.acts import is_deletion
from integration.pipeline.delivery.batch_result import BatchResult, Sent
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery, Outcome
from integration.pipeline.delivery.lost_answers import Look, Question
from integration.pipeline.delivery.planning import CONTACT_GONE, PersonPlan, sentences
from integration.pipeline.leases import endings
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.pipeline.sync_log.writing import Entry
from integration.plans import NO_FIELD
from integration.streams.base import LEAVES

#: By whether e-mails are barred: the action and the sentence of the log.
_BARRED = {
    True: ("do_not_contact", "Put on Mautic's Do Not Contact: the person does not consent to marketing in the shop."),
    False: ("allow_contact", "Taken from Mautic's Do Not Contact: the person consents to marketing in the shop again."),
}


@dataclass
class Settlement:
    """Settles one batch at the moment `now`; each batch asks for one of the results.

    `probing` says that the batch is the probe of a hold.
    """

    now: datetime
    connector_id: int
    token: str
    chance: random.Random
    correlation_id: str = ""
    probing: bool = False
    question: Question = field(default_factory=Question)
    sent: Sent = field(default_factory=Sent)
    _entries: list[Entry] = field(default_factory=list)

    def of_sent(self) -> BatchResult:
        """Return the result by what Mautic answered."""
        found = [self._outcome(one, leased) for one in self.sent.planned for leased in one.group.deliveries]
        found += [self._unasked(leased, error) for leased, error in self.sent.put_off]
        return self._result(found, self.sent.broken or self.sent.follow_up_failure())

    def of_known(self, each: LeasedDelivery) -> BatchResult:
        """Return that nothing is sent of known records; of each its own code, sentence and contact take the place."""
        return self._result([self._skipped(each, "unchanged", "")])

    def connection_failed(self, groups: Sequence[DeliveryGroup], error: ServiceError) -> BatchResult:
        """Return that all are put back: the connection failed before anything could be written."""
        return self._result([self._held_back(leased, error) for leased in _deliveries(groups)], error)

    def wait_for(self, groups: Sequence[DeliveryGroup], look: Look) -> BatchResult:
        """Return that all are put back until Mautic is done with a call whose answer was lost."""
        wait = timedelta(seconds=look.looked_up.pause_s)
        return self._result([outcomes.later(each, look.error, wait, counts=False) for each in _deliveries(groups)])

    def broke_off(self, groups: Sequence[DeliveryGroup], error: Exception) -> BatchResult:
        """Return that all are put back, to be tried one by one; one that broke off alone before is a dead letter."""
        cause = endings.cause_of(error, "The delivery")
        deliveries = _deliveries(groups)
        again = len(deliveries) == 1 and deliveries[0].error_code == endings.INTERNAL
        return self._result([self._broken_off(leased, cause, again) for leased in deliveries])

    def _broken_off(self, leased: LeasedDelivery, cause: IntegrationError, again: bool) -> Outcome:
        wait = retries.delay(leased.faults + 1, self.chance)
        if cause.code != endings.INTERNAL:
            return outcomes.later(leased, cause, wait or retries.DELAY_MAX, counts=False)
        return self._dead(leased, cause) if again or wait is None else outcomes.later(leased, cause, wait)

    def _result(self, found: Sequence[Outcome], broken: ServiceError | None = None) -> BatchResult:
        return BatchResult(
            self.connector_id,
            self.token,
            self.correlation_id,
            found,
            self._entries,
            self.sent,
            self.question,
            broken,
            self.probing,
        )

    def _outcome(self, planned: PersonPlan, leased: LeasedDelivery) -> Outcome:
        if leased.id in planned.errors:
            return self._dead(leased, planned.errors[leased.id])
        if leased.id in planned.skips:
            return self._skipped(leased, planned.skips[leased.id].code, planned.skips[leased.id].sentence)
        receipt = self.sent.receipts.get(planned.group.person_key)
        contact_id = self.sent.contact_of(planned)
        if contact_id is None:
            error = (receipt.error if receipt else None) or self.sent.broken
            assert error is not None, "a contact is missing without an error"
            return self._failed(leased, error)
        if receipt is not None:
            changed = sentences((*planned.adjustments, *receipt.adjustments))
            said = " ".join(
                filter(None, (delivery_sentences.written(receipt), changed, self._withheld(planned, leased)))
            )
            self._note(leased, _write_of(leased), said, contact_id)
            self._note_removed(planned, leased, contact_id)
            self._barred(planned, leased, contact_id)
        return self._after_follow_ups(planned, leased, contact_id, receipt)

    def _note_removed(self, planned: PersonPlan, leased: LeasedDelivery, contact_id: int) -> None:
        """Say which tags of ours this record took away; a removal of what we never gave is no news."""
        sent = planned.write.tags if planned.write is not None else ()
        hashes = planned.link.hashes if planned.link is not None else {}
        given = {key.partition(".tag:")[2] for key, value in hashes.items() if value.startswith("+")}
        gone = [tag.removeprefix("-") for tag in planned.plans[leased.id].contact.tags if tag in sent]
        gone = [tag for tag in gone if f"-{tag}" in sent and tag in given]
        if gone:
            listed = ", ".join(f"“{tag}”" for tag in gone)
            what = words.form(len(gone), "tag", "tags")
            self._note(leased, sync_log_writing.REMOVE_TAG, f"Removed the {what} {listed}.", contact_id)

    def _barred(self, planned: PersonPlan, leased: LeasedDelivery, contact_id: int) -> None:
        """Say once for a person that they were put on Do Not Contact, or taken from it."""
        wanted = planned.write.do_not_contact if planned.write is not None else None
        if wanted is not None and leased is planned.pending[0]:
            self._note(leased, *_BARRED[wanted.wanted], contact_id)

    def _after_follow_ups(
        self, planned: PersonPlan, leased: LeasedDelivery, contact_id: int, receipt: Receipt | None
    ) -> Outcome:
        results = [result for result in self.sent.followed if result.act.leased.id == leased.id]
        wanted, withheld = planned.plans[leased.id].follow_ups, self._withheld(planned, leased)
        if wanted and not results:
            assert self.sent.broken is not None, "follow-ups were left out without an error"
            return replace(self._held_back(leased, self.sent.broken), result=outcomes.written(leased, receipt))
        for result in results:
            if not (result.repeated or result.kept) and result.error is None:
                self._note(leased, result.act.follow_up.action, result.message, contact_id)
        bad = next((result for result in results if result.error is not None), None)
        if bad is not None and bad.error is not None:
            done = outcomes.written(leased, receipt)
            half = self._half(leased, bad.act.follow_up.action, bad.error, contact_id, done)
            return half if half.state is not None else replace(half, result=done)
        if conflicts.of_delivery(planned, leased):
            return self._kept(planned, leased, contact_id)
        kept = next((result for result in results if result.kept), None)
        if kept is not None:
            return self._skipped(leased, "contact_kept", kept.message, contact_id)
        if receipt is None and all(result.repeated for result in results):
            stays = sentences([each for each in planned.adjustments if planned.settled and each.kind == "kept"])
            return self._noted_skip(leased, outcomes.unchanged(leased, contact_id, withheld, stays))
        missing = [each for each in planned.adjustments if each.kind == NO_FIELD] if receipt else []
        done = "deleted" if any(map(is_deletion, results)) else outcomes.written(leased, receipt)
        return outcomes.delivered(leased, contact_id, done, withheld, missing)

    def _held_back(self, leased: LeasedDelivery, error: IntegrationError) -> Outcome:
        """The connection is at fault: the log says so once for each record and cause."""
        if leased.error_code != error.code and held_records.is_told(error.code):
            self._note(leased, _write_of(leased), held_records.sentence(str(error)), None, error)
        return outcomes.held_back(leased, error)

    def _withheld(self, planned: PersonPlan, leased: LeasedDelivery) -> str:
        """Return what did not go out with a delivery: an e-mail, or the record as it is in the store now."""
        return f"{planned.plans[leased.id].withheld} {self.sent.notes.get(leased.id, '')}".strip()

    def _unasked(self, leased: LeasedDelivery, error: IntegrationError) -> Outcome:
        """The store must say what became of the record, and could not: it waits, and is not sent on hearsay."""
        decision = self._decision(leased, error)
        if decision.blame is not Blame.CONNECTION and decision.wait is None:
            return self._dead(leased, error)
        if leased.error_code != error.code:
            self._note(leased, _write_of(leased), str(error), None, error)
        if decision.blame is Blame.CONNECTION or decision.wait is None:
            return outcomes.later(leased, error, retries.pause(leased.attempts, self.chance), counts=False)
        return outcomes.later(leased, error, decision.wait)

    def _kept(self, planned: PersonPlan, leased: LeasedDelivery, contact_id: int) -> Outcome:
        """Somebody else's value was kept: the rest is written, and both values are on record."""
        said = conflicts.sentence(conflicts.of_delivery(planned, leased))
        self._note(leased, "skip", said, contact_id)
        return outcomes.left_out(leased, DeliveryState.CONFLICT, "conflict", said, contact_id)

    def _half(
        self, leased: LeasedDelivery, action: str, error: IntegrationError, contact_id: int, done: str
    ) -> Outcome:
        """The contact is written, a follow-up is not; `done` is created or updated."""
        waiting = self._in_question(leased, action, error)
        if waiting is not None:
            return waiting
        alone = self.question.of(leased.person_key) is not None
        decision = retries.RetryDecision(Blame.RECORD, None) if alone else self._decision(leased, error)
        if decision.blame is Blame.CONNECTION:
            return self._held_back(leased, error)
        self._note(leased, action, delivery_sentences.again(error, decision.wait), contact_id, error)
        if error.code == "uncertain":
            return outcomes.ended(leased, DeliveryState.DEAD, error)
        if decision.wait is not None:
            return outcomes.later(leased, error, decision.wait)
        return outcomes.ended(leased, DeliveryState.DELIVERED, error, contact_id, result=done, partial=True)

    def _failed(self, leased: LeasedDelivery, error: ServiceError) -> Outcome:
        waiting = self._in_question(leased, _write_of(leased), error)
        if waiting is not None:
            return waiting
        if self.question.of(leased.person_key) is not None:
            return self._dead(leased, error)
        decision = self._decision(leased, error)
        if decision.blame is Blame.CONNECTION or self._is_shared(error):
            return self._held_back(leased, error)
        if error.code == "not_found" and (leased.event in LEAVES or streams.of(leased.kind).nameless):
            return self._skipped(leased, CONTACT_GONE.code, CONTACT_GONE.sentence)
        if decision.wait is None:
            return self._dead(leased, error)
        self._note(leased, _write_of(leased), delivery_sentences.again(error, decision.wait), None, error)
        return outcomes.later(leased, error, decision.wait)

    def _is_shared(self, error: ServiceError) -> bool:
        """Tell whether an error is of the cause that holds the connector, and not of the record.

        Where a probe can read but not write nobody can tell who is to blame, and a poisonous record must end.
        """
        cause = self.sent.broken
        if cause is None or (self.probing and error.code != REQUIRED):
            return False
        return isinstance(error, ServerFault) or error.code == cause.code

    def _decision(self, leased: LeasedDelivery, error: IntegrationError) -> retries.RetryDecision:
        return retries.decide(error, leased.faults + 1, self.chance)

    def _in_question(self, leased: LeasedDelivery, action: str, error: IntegrationError) -> Outcome | None:
        """Return that a delivery waits for what became of its call, None when no answer of it was lost, or too many."""
        call = self.question.of(leased.person_key)
        wait = call.put_off(leased, self.chance) if call is not None else None
        if call is None or wait is None:
            return None
        if call.is_of_one:
            self._note(leased, action, delivery_sentences.again(error, wait), None, error)
        return outcomes.later(leased, error, wait, counts=call.is_of_one)

    def _dead(self, leased: LeasedDelivery, error: IntegrationError) -> Outcome:
        self._note(leased, _write_of(leased), str(error), None, error)
        return outcomes.ended(leased, DeliveryState.DEAD, error)

    def _skipped(self, leased: LeasedDelivery, code: str, sentence: str, contact_id: int | None = None) -> Outcome:
        return self._noted_skip(leased, outcomes.left_out(leased, DeliveryState.SKIPPED, code, sentence, contact_id))

    def _noted_skip(self, leased: LeasedDelivery, outcome: Outcome) -> Outcome:
        self._note(leased, "skip", outcome.message, outcome.contact_id)
        return outcome

    def _note(
        self,
        leased: LeasedDelivery,
        action: str,
        message: str,
        contact_id: int | None,
        error: IntegrationError | None = None,
    ) -> None:
        self._entries.append(
            Entry(
                connector_id=self.connector_id,
                at=self.now,
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


def _write_of(leased: LeasedDelivery) -> str:
    return streams.of(leased.kind).action(leased.event)


def _deliveries(groups: Sequence[DeliveryGroup]) -> list[LeasedDelivery]:
    return [leased for group in groups for leased in group.deliveries]
