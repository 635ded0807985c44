"""Writes what became of a batch: outcomes, links, marks, carts, log, attempts, counters, holds, all or nothing."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from integration.errors import Rejected
from integration.mautic.answers import SERVICE
from integration.models.delivery import DeliveryState
from integration.pipeline import outbox, usage
from integration.pipeline.connectors import field_list, holds
from integration.pipeline.delivery import (
    acts,
    attempts,
    batch_context,
    cart_marks,
    consent_marks,
    contact_deletion,
    follow_ups,
    held_records,
    sent_stamps,
    sentences,
    subscription_marks,
)
from integration.pipeline.delivery.batch_result import BatchResult
from integration.pipeline.delivery.groups import Outcome
from integration.pipeline.delivery.planning import PersonPlan
from integration.pipeline.outbox import run_figures
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.sync_log import writing as sync_log_writing
from integration.pipeline.sync_log.writing import Entry

log = logging.getLogger(__name__)


def write(session: Session, now: datetime, result: BatchResult) -> None:
    """Write a batch's result in the caller's transaction; rows that it has lost the lease of stay as they are."""
    ours = outbox.settle(session, now, result.connector_id, result.token, result.outcomes)
    if len(ours) < len(result.outcomes):
        log.warning("%d deliveries were no longer ours when they were settled.", len(result.outcomes) - len(ours))
    batch_context.save_links(session, result.connector_id, list(_links(now, result)))
    follow_ups.finish_marks(session, result.connector_id, now, result.sent.followed)
    contact_deletion.forget(session, result.connector_id, _deleted(result))
    cart_marks.mark(session, now, result.connector_id, result.sent.planned, ours)
    subscription_marks.mark(session, now, result.connector_id, result.sent, ours)
    consent_marks.mark(session, now, result.connector_id, result.sent)
    sync_log_writing.record(session, [*result.entries, *_unproved(now, result)])
    run_figures.count(session, ours, result.calls)
    sentences.tell_runs(session, now, ours, result.calls, result.seconds, result.broken)
    _keep_question(session, now, result, ours)
    limits = [receipt.limits for receipt in result.sent.receipts.values()]
    field_list.learn_limits(session, now, result.connector_id, limits)
    attempts.record(session, _tried(now, result), ours)
    sent_stamps.give(session, result, ours)
    _meter(session, now, result, ours)
    if result.broken is not None:
        holds.hold(session, now, result.connector_id, result.broken, probed=result.probing)
        held_records.tell(session, now, result.connector_id)
    elif result.probing:
        _probed(session, now, result)


def _deleted(result: BatchResult) -> list[int]:
    """Return the contacts that are gone from Mautic by a follow-up."""
    return [each.act.contact_id for each in result.sent.followed if acts.is_deletion(each)]


def _probed(session: Session, now: datetime, result: BatchResult) -> None:
    """End the hold when a write was answered, renew it when each failed, look again at once when there was none."""
    errors = [receipt.error for receipt in result.sent.receipts.values() if receipt.calls]
    if any(error is None or isinstance(error, Rejected) for error in errors):
        holds.release(session, now, result.connector_id, SERVICE)
    elif failed := next((error for error in errors if error is not None), None):
        holds.hold(session, now, result.connector_id, failed, probed=True)
    else:
        holds.probe_again(session, now, result.connector_id, SERVICE)


def _keep_question(session: Session, now: datetime, result: BatchResult, ours: Sequence[Outcome]) -> None:
    """Keep whose answers were lost, and say in the logs of their runs what a look has found."""
    people = [one.group.person_key for one in result.sent.planned]
    result.question.write(session, now, result.connector_id, result.token, people)
    look = result.question.look
    if look is None:
        return
    log.info("%s", look.sentence)
    for run_id in sorted({outcome.run_id for outcome in ours if outcome.run_id is not None}):
        run_lifecycle.add_line(session, now, run_id, look.sentence, "warning")


def _tried(now: datetime, result: BatchResult) -> list[dict[str, Any]]:
    batch = attempts.Batch(result.connector_id, now, result.seconds, result.correlation_id)
    if not result.sent.planned:
        return list(attempts.untried(batch, result.outcomes))
    waiting = {leased.id for leased, _ in result.sent.put_off}
    untried = attempts.untried(batch, [outcome for outcome in result.outcomes if outcome.delivery_id in waiting])
    return [*attempts.rows(batch, result.sent, result.outcomes), *untried]


def _meter(session: Session, now: datetime, result: BatchResult, ours: Sequence[Outcome]) -> None:
    states = Counter(outcome.state for outcome in ours)
    usage.record(
        session,
        result.connector_id,
        now,
        pushed=states[DeliveryState.DELIVERED],
        skipped=states[DeliveryState.SKIPPED] + states[DeliveryState.CONFLICT],
        failed=states[DeliveryState.DEAD],
        mautic_calls=result.calls,
        single_calls=sum(entry.action not in ("skip", sync_log_writing.REMOVE_TAG) for entry in result.entries),
        proved=len(result.sent.proofs),
        unproved=sum(not proof.proved for proof in result.sent.proofs),
    )


def _links(now: datetime, result: BatchResult) -> Iterator[dict[str, object]]:
    for planned in result.sent.planned:
        contact_id = _confirmed(result, planned)
        if contact_id is None:
            continue
        known = dict(planned.link.hashes) if planned.link and planned.link.contact_id == contact_id else {}
        held = {**known, **planned.hashes, **_as_shortened(planned, result)}
        yield {
            "person_key": planned.group.person_key,
            "contact_id": contact_id,
            "fields": {key: value for key, value in held.items() if key.partition(".")[2] not in planned.lost},
            "written_at": now,
        }


def _as_shortened(planned: PersonPlan, result: BatchResult) -> dict[str, str]:
    """Return the hashes of what fields hold by a limit just learned: the next plan is shortened by it beforehand."""
    receipt = result.sent.receipts.get(planned.group.person_key)
    if receipt is None or receipt.sent is None or planned.write is None:
        return {}
    fields, sent = planned.write.fields, receipt.sent
    cut = {alias for alias in receipt.limits if alias in sent and sent[alias] != fields.get(alias)}
    whole = {alias: batch_context.fingerprint(fields[alias]) for alias in cut if alias in fields}
    keys = [(key, key.partition(".")[2]) for key in planned.hashes]
    return {
        key: batch_context.fingerprint(sent[alias]) for key, alias in keys if planned.hashes[key] == whole.get(alias)
    }


def _confirmed(result: BatchResult, planned: PersonPlan) -> int | None:
    """Return the contact that has the person's values now; a kept conflict is settled until the store changes."""
    receipt = result.sent.receipts.get(planned.group.person_key)
    if receipt is None:
        remembered = planned.conflicts or planned.settled
        return planned.link.contact_id if remembered and planned.link else None
    return receipt.mautic_id if receipt.error is None and planned.write is not None else None


def _unproved(now: datetime, result: BatchResult) -> Iterator[Entry]:
    """Yield an error for each contact that has not what Mautic confirmed."""
    deliveries = {one.group.person_key: one.group.deliveries[0] for one in result.sent.planned}
    for proof in result.sent.proofs:
        leased = deliveries.get(proof.key)
        if leased is not None and not proof.proved:
            yield Entry(
                connector_id=result.connector_id,
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
