"""Decides what became of each delivery of a batch and writes it all in one transaction."""

from __future__ import annotations

import random
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import timedelta

from integration.errors import IntegrationError
from integration.errors import ServerFault
from integration.errors import ServiceError
from integration.mautic.results import Receipt
from integration.models.connector import Connector
from integration.models.delivery import DeliveryState
from integration.pipeline import conflicts
from integration.pipeline import endings
from integration.pipeline import reporting
from integration.pipeline import retries
from integration.pipeline import synclog
from integration.pipeline.bookkeeping import Books
from integration.pipeline.follow_ups import Followed
from integration.pipeline.ledger import LEAVES
from integration.pipeline.lines import Item
from integration.pipeline.lines import Line
from integration.pipeline.lines import Outcome
from integration.pipeline.lost_answers import Look
from integration.pipeline.lost_answers import Question
from integration.pipeline.planning import CONTACT_GONE
from integration.pipeline.planning import Drawn
from integration.pipeline.planning import sentences
from integration.pipeline.ports import Ports
from integration.pipeline.proof import Proof
from integration.pipeline.synclog import Entry

_WRITE = "create_or_update"


@dataclass
class Settlement:
    """Collects what happened to a batch; `close` writes it. `probing` says that the batch is the probe of a hold."""

    ports: Ports
    connector: Connector
    token: str
    chance: random.Random
    correlation_id: str = ""
    probing: bool = False
    followed: list[Followed] = field(default_factory=list)
    broken: ServiceError | None = None
    calls: int = 0
    seconds: float = 0.0
    proofs: Sequence[Proof] = ()
    question: Question = field(default_factory=Question)
    _drawn: Sequence[Drawn] = ()
    _receipts: Mapping[str, Receipt] = field(default_factory=dict)
    _outcomes: list[Outcome] = field(default_factory=list)
    _entries: list[Entry] = field(default_factory=list)

    def judge(self, drawn: Sequence[Drawn], receipts: Mapping[str, Receipt], broken: ServiceError | None) -> None:
        """Take what the contact writes gave; `broken` is the connection's error that stopped them."""
        self._drawn, self._receipts, self.broken = drawn, receipts, broken

    def reached(self) -> Iterator[tuple[Drawn, int]]:
        """Yield the lines whose contact stands in Mautic, with its id: their follow-ups can be done."""
        for drawn in self._drawn:
            contact_id = self._contact(drawn)
            if contact_id is not None:
                yield drawn, contact_id

    def _contact(self, drawn: Drawn) -> int | None:
        receipt = self._receipts.get(drawn.line.subject)
        if receipt is not None:
            return receipt.mautic_id if receipt.error is None else None
        return drawn.link.contact_id if drawn.unchanged and drawn.link else None

    def connection_failed(self, lines: Sequence[Line], error: ServiceError) -> None:
        """Put all lines back: the connection failed before anything could be written."""
        self.broken = error
        items = (item for line in lines for item in line.items)
        self._outcomes = [self._back(item, error) for item in items]

    def wait_for(self, lines: Sequence[Line], look: Look) -> None:
        """Put all lines back until Mautic is done with a call whose answer was lost."""
        wait = timedelta(seconds=look.asked.pause_s)
        items = [item for line in lines for item in line.items]
        self._outcomes = [_later(item, look.error, wait, counts=False) for item in items]

    def broke_off(self, lines: Sequence[Line], error: Exception) -> None:
        """Put all records back, to be tried one by one; one that broke off alone before is a dead letter."""
        now = self.ports.clock.now()
        cause = endings.cause_of(error, "The delivery")
        items = [item for line in lines for item in line.items]
        again = len(items) == 1 and items[0].error_code == endings.INTERNAL
        for item in items:
            wait = retries.delay(item.faults + 1, self.chance)
            if cause.code != endings.INTERNAL:
                self._outcomes.append(_later(item, cause, wait or retries.LONGEST, counts=False))
            elif again or wait is None:
                self._outcomes.append(self._dead(now, item, cause))
            else:
                self._outcomes.append(_later(item, cause, wait))

    def close(self) -> None:
        """Write outcomes, links, marks, log entries, counters and the hold or its end, all or nothing."""
        now = self.ports.clock.now()
        for drawn in self._drawn:
            for item in drawn.line.items:
                self._outcomes.append(self._outcome(now, drawn, item))
        self.broken = self.broken or self._broken_later()
        with self.ports.db.write() as session:
            self._books().write(session, now, self.broken)

    def _books(self) -> Books:
        return Books(
            self.connector.id,
            self.token,
            self.correlation_id,
            self._drawn,
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

    def _outcome(self, now: datetime, drawn: Drawn, item: Item) -> Outcome:
        if item.id in drawn.errors:
            return self._dead(now, item, drawn.errors[item.id])
        if item.id in drawn.skips:
            return self._skipped(now, item, drawn.skips[item.id].code, drawn.skips[item.id].sentence)
        receipt = self._receipts.get(drawn.line.subject)
        contact_id = self._contact(drawn)
        if contact_id is None:
            error = (receipt.error if receipt else None) or self.broken
            assert error is not None, "a contact is missing without an error"
            return self._failed(now, item, error)
        if receipt is not None:
            changed = sentences((*drawn.adjustments, *receipt.adjustments))
            said = " ".join(filter(None, (reporting.written(receipt), changed, drawn.plans[item.id].withheld)))
            self._note(now, item, _WRITE, said, contact_id)
        return self._after_follow_ups(now, drawn, item, contact_id, receipt)

    def _after_follow_ups(
        self, now: datetime, drawn: Drawn, item: Item, contact_id: int, receipt: Receipt | None
    ) -> Outcome:
        results = [result for result in self.followed if result.act.item.id == item.id]
        wanted, withheld = drawn.plans[item.id].follow_ups, drawn.plans[item.id].withheld
        if wanted and not results:
            assert self.broken is not None, "follow-ups were left out without an error"
            return self._back(item, self.broken)
        for result in results:
            if not result.repeated and result.error is None:
                self._note(now, item, result.act.what.action, result.message, contact_id)
        bad = next((result for result in results if result.error is not None), None)
        if bad is not None and bad.error is not None:
            return self._half(now, item, bad.act.what.action, bad.error, contact_id)
        if conflicts.of_item(drawn, item):
            return self._kept(now, drawn, item, contact_id)
        if receipt is None and all(result.repeated for result in results):
            said = f"Nothing has changed since the last sync. {withheld}".strip()
            return self._skipped(now, item, "unchanged", said, contact_id)
        written = receipt.outcome if receipt else "updated"
        return Outcome(item.id, DeliveryState.DELIVERED, written, contact_id, message=withheld, run_id=item.run_id)

    def _kept(self, now: datetime, drawn: Drawn, item: Item, contact_id: int) -> Outcome:
        """Somebody else's value was kept: the rest is written, and both values are on record."""
        said = conflicts.sentence(conflicts.of_item(drawn, item))
        self._note(now, item, "skip", said, contact_id)
        state = DeliveryState.CONFLICT
        return Outcome(item.id, state, "skipped", contact_id, error_code="conflict", message=said, run_id=item.run_id)

    def _half(self, now: datetime, item: Item, action: str, error: IntegrationError, contact_id: int) -> Outcome:
        """The contact is written, a follow-up is not."""
        waiting = self._in_question(now, item, action, error)
        if waiting is not None:
            return waiting
        alone = self.question.of(item.subject) is not None
        verdict = retries.Verdict(retries.Blame.RECORD, None) if alone else self._verdict(item, error)
        if verdict.blame is retries.Blame.CONNECTION:
            return self._back(item, error)
        self._note(now, item, action, reporting.again(error, verdict.wait), contact_id, error)
        if error.code == "uncertain":
            return self._end(item, DeliveryState.DEAD, error)
        if verdict.wait is not None:
            return _later(item, error, verdict.wait)
        return self._end(item, DeliveryState.DELIVERED, error, contact_id, result="updated", partial=True)

    def _failed(self, now: datetime, item: Item, error: ServiceError) -> Outcome:
        waiting = self._in_question(now, item, _WRITE, error)
        if waiting is not None:
            return waiting
        if self.question.of(item.subject) is not None:
            return self._dead(now, item, error)
        verdict = self._verdict(item, error)
        # Where a probe can read but not write nobody can tell who is to blame, and a poisonous record must end.
        server_at_fault = self.broken is not None and isinstance(error, ServerFault) and not self.probing
        if verdict.blame is retries.Blame.CONNECTION or server_at_fault:
            return self._back(item, error)
        if error.code == "not_found" and item.what in LEAVES:
            return self._skipped(now, item, CONTACT_GONE.code, CONTACT_GONE.sentence)
        if verdict.wait is None:
            return self._dead(now, item, error)
        self._note(now, item, _WRITE, reporting.again(error, verdict.wait), None, error)
        return _later(item, error, verdict.wait)

    def _verdict(self, item: Item, error: IntegrationError) -> retries.Verdict:
        return retries.verdict(error, item.faults + 1, self.chance)

    def _in_question(self, now: datetime, item: Item, action: str, error: IntegrationError) -> Outcome | None:
        """Return that a delivery waits for what became of its call, None when no answer of it was lost, or too many."""
        call = self.question.of(item.subject)
        wait = call.put_off(item, self.chance) if call is not None else None
        if call is None or wait is None:
            return None
        if call.is_of_one:
            self._note(now, item, action, reporting.again(error, wait), None, error)
        return _later(item, error, wait, counts=call.is_of_one)

    def _dead(self, now: datetime, item: Item, error: IntegrationError) -> Outcome:
        self._note(now, item, _WRITE, str(error), None, error)
        return self._end(item, DeliveryState.DEAD, error)

    def _skipped(self, now: datetime, item: Item, code: str, sentence: str, contact_id: int | None = None) -> Outcome:
        self._note(now, item, "skip", sentence, contact_id)
        return Outcome(
            item.id, DeliveryState.SKIPPED, "skipped", contact_id, error_code=code, message=sentence, run_id=item.run_id
        )

    def _back(self, item: Item, error: IntegrationError) -> Outcome:
        """The connection was at fault: later, and the try does not count against the record."""
        return Outcome(
            item.id,
            None,
            error_code=error.code,
            message=str(error),
            wait=retries.HELD_BACK,
            faults=item.faults,
            run_id=item.run_id,
            category=retries.category(error),
        )

    def _end(
        self,
        item: Item,
        state: DeliveryState,
        error: IntegrationError,
        contact_id: int | None = None,
        *,
        result: str = "",
        partial: bool = False,
    ) -> Outcome:
        return Outcome(
            item.id,
            state,
            result,
            contact_id,
            partial=partial,
            error_code=error.code,
            message=str(error),
            run_id=item.run_id,
            category=retries.category(error),
        )

    def _note(
        self,
        now: datetime,
        item: Item,
        action: str,
        message: str,
        contact_id: int | None,
        error: IntegrationError | None = None,
    ) -> None:
        self._entries.append(
            Entry(
                connector_id=self.connector.id,
                at=now,
                type=item.kind,
                object_id=item.object_id,
                action=action,
                status=synclog.SUCCESS if error is None else synclog.ERROR,
                message=message,
                contact_id=contact_id,
                source_id=item.source_id,
                subject=item.subject,
                delivery_id=item.id,
                run_id=item.run_id,
            )
        )

    def _broken_later(self) -> ServiceError | None:
        """Return the connection's error that a follow-up met."""
        errors = (result.error for result in self.followed)
        whose = (e for e in errors if isinstance(e, ServiceError) and retries.blame(e) is retries.Blame.CONNECTION)
        return next(whose, None)


def _later(item: Item, error: IntegrationError, wait: timedelta, *, counts: bool = True) -> Outcome:
    """Return that a delivery is tried again after `wait`; `counts` says whether the try counts against the record."""
    return Outcome(
        item.id,
        None,
        error_code=error.code,
        message=str(error),
        wait=wait,
        faults=item.faults + (1 if counts else 0),
        run_id=item.run_id,
        category=retries.category(error),
    )
