"""Writes what became of a batch: outcomes, links, marks, log, attempts, counters and holds, all or nothing."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from integration.errors import Rejected, ServiceError
from integration.mautic.answers import SERVICE
from integration.mautic.results import Receipt
from integration.models.delivery import DeliveryState
from integration.pipeline import outbox, usage
from integration.pipeline.connectors import field_list, holds
from integration.pipeline.delivery import attempts, batch_context as batch_context, follow_ups, sentences
from integration.pipeline.delivery.follow_ups import Followed
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.delivery.lost_answers import Question
from integration.pipeline.delivery.planning import PersonPlan
from integration.pipeline.delivery.read_back import ReadBack
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.pipeline.sync_log.writing import Entry

log = logging.getLogger(__name__)


@dataclass
class Books:
    """Everything that a batch gave; `calls` to Mautic, `seconds` that it took, `proofs` of what was read back.

    `probing` says that the batch was the probe of a hold, which it renews or ends.
    """

    connector_id: int
    token: str
    correlation_id: str
    planned: Sequence[PersonPlan] = ()
    receipts: Mapping[str, Receipt] = field(default_factory=dict)
    followed: Sequence[Followed] = ()
    outcomes: list[Outcome] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    proofs: Sequence[ReadBack] = ()
    calls: int = 0
    seconds: float = 0.0
    probing: bool = False
    question: Question = field(default_factory=Question)

    def write(self, session: Session, now: datetime, broken: ServiceError | None) -> None:
        """Write it in the caller's transaction; `broken` is the error of the connection that holds the connector."""
        ours = outbox.settle(session, now, self.connector_id, self.token, self.outcomes)
        if len(ours) < len(self.outcomes):
            log.warning("%d deliveries were no longer ours when they were settled.", len(self.outcomes) - len(ours))
        batch_context.save_links(session, self.connector_id, list(self._links(now)))
        follow_ups.finish_marks(session, self.connector_id, now, self.followed)
        sync_log_writing.record(session, [*self.entries, *self._unproved(now)])
        run_lifecycle.count(session, ours, self.calls)
        sentences.tell_runs(session, now, ours, self.calls, self.seconds, broken)
        self._keep_question(session, now, ours)
        field_list.learn_email_limit(session, self.connector_id, list(self._too_long()))
        attempts.record(session, self._tried(now), ours)
        self._meter(session, now, ours)
        if broken is not None:
            holds.hold(session, now, self.connector_id, broken, probed=self.probing)
        elif self.probing:
            self._probed(session, now)

    def _probed(self, session: Session, now: datetime) -> None:
        """End the hold when a write was answered, renew it when each failed, look again at once when there was none."""
        errors = [receipt.error for receipt in self.receipts.values() if receipt.calls]
        if any(error is None or isinstance(error, Rejected) for error in errors):
            holds.release(session, now, self.connector_id, SERVICE)
        elif failed := next((error for error in errors if error is not None), None):
            holds.hold(session, now, self.connector_id, failed, probed=True)
        else:
            holds.probe_again(session, now, self.connector_id, SERVICE)

    def _keep_question(self, session: Session, now: datetime, ours: Sequence[Outcome]) -> None:
        """Keep whose answers were lost, and say in the logs of their runs what a look has found."""
        people = [one.group.person_key for one in self.planned]
        self.question.write(session, now, self.connector_id, self.token, people)
        look = self.question.look
        if look is None:
            return
        log.info("%s", look.sentence)
        for run_id in sorted({outcome.run_id for outcome in ours if outcome.run_id is not None}):
            run_lifecycle.add_line(session, now, run_id, look.sentence, "warning")

    def _too_long(self) -> Iterator[str]:
        """Yield the addresses that Mautic refused for their length."""
        for receipt in self.receipts.values():
            if receipt.error is not None and receipt.error.code == "email_too_long" and receipt.sent:
                yield str(receipt.sent.get("email") or "")

    def _tried(self, now: datetime) -> list[dict[str, Any]]:
        batch = attempts.Batch(self.connector_id, now, self.seconds, self.correlation_id)
        if not self.planned:
            return list(attempts.untried(batch, self.outcomes))
        return list(attempts.rows(batch, self.planned, self.receipts, self.followed, self.outcomes))

    def _meter(self, session: Session, now: datetime, ours: Sequence[Outcome]) -> None:
        states = Counter(outcome.state for outcome in ours)
        usage.record(
            session,
            self.connector_id,
            now,
            pushed=states[DeliveryState.DELIVERED],
            skipped=states[DeliveryState.SKIPPED] + states[DeliveryState.CONFLICT],
            failed=states[DeliveryState.DEAD],
            mautic_calls=self.calls,
            single_calls=sum(entry.action != "skip" for entry in self.entries),
            proved=len(self.proofs),
            unproved=sum(not proof.proved for proof in self.proofs),
        )

    def _links(self, now: datetime) -> Iterator[dict[str, object]]:
        for planned in self.planned:
            contact_id = self._confirmed(planned)
            if contact_id is None:
                continue
            known = dict(planned.link.hashes) if planned.link and planned.link.contact_id == contact_id else {}
            held = {**known, **planned.hashes}
            yield {
                "person_key": planned.group.person_key,
                "contact_id": contact_id,
                "fields": {key: value for key, value in held.items() if key.partition(".")[2] not in planned.lost},
                "written_at": now,
            }

    def _confirmed(self, planned: PersonPlan) -> int | None:
        """Return the contact that has the line's values now; a kept conflict is settled until the store changes."""
        receipt = self.receipts.get(planned.group.person_key)
        if receipt is None:
            return planned.link.contact_id if planned.conflicts and planned.link else None
        return receipt.mautic_id if receipt.error is None and planned.write is not None else None

    def _unproved(self, now: datetime) -> Iterator[Entry]:
        """Yield an error for each contact that has not what Mautic confirmed."""
        deliveries = {one.group.person_key: one.group.deliveries[0] for one in self.planned}
        for proof in self.proofs:
            leased = deliveries.get(proof.key)
            if leased is not None and not proof.proved:
                yield Entry(
                    connector_id=self.connector_id,
                    at=now,
                    type=leased.kind,
                    object_id=leased.object_id,
                    action="verify",
                    status=sync_log_writing.ERROR,
                    message=proof.sentence,
                    contact_id=proof.contact_id,
                    source_id=leased.source_id,
                    person_key=leased.person_key,
                    delivery_id=leased.id,
                    run_id=leased.run_id,
                )
