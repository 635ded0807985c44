"""Attempts: what was tried for each delivery of a batch, what was sent and what came back (A5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from integration.masking import mask_text, mask_value
from integration.mautic.results import Receipt
from integration.models.attempt import Attempt
from integration.models.delivery import DeliveryState
from integration.models.sql import table_of
from integration.pipeline.delivery.acts import Followed
from integration.pipeline.delivery.batch_result import Sent
from integration.pipeline.delivery.groups import LeasedDelivery, Outcome
from integration.pipeline.delivery.planning import PersonPlan
from integration.plans import DeleteContact, FollowUp, Note, SegmentAdd, SegmentRemove

#: So many attempts of one record are kept; what lies between says no more than these.
FIRST_KEPT, NEWEST_KEPT = 5, 15
_LATER = "later"
_INSERT = insert(table_of(Attempt))
_TOLD = ("outcome", "sent", "answer")


@dataclass(frozen=True, slots=True)
class Batch:
    """What all attempts of one batch share; `seconds` is how long the batch took."""

    connector_id: int
    at: datetime
    seconds: float
    correlation_id: str


def rows(
    batch: Batch,
    batch_sent: Sent,
    outcomes: Sequence[Outcome],
) -> Iterator[dict[str, Any]]:
    """Yield a row for each delivery that was tried; what was skipped unsent is told by its delivery."""
    done = {outcome.delivery_id: _told(outcome, batch_sent) for outcome in outcomes}
    acts: dict[int, list[Followed]] = {}
    for result in batch_sent.followed:
        acts.setdefault(result.act.leased.id, []).append(result)
    for one in batch_sent.planned:
        receipt = batch_sent.receipts.get(one.group.person_key)
        sent = _row_sent(receipt)
        for leased in one.group.deliveries:
            outcome = done.get(leased.id)
            if outcome is not None and (receipt or leased.id in acts or outcome.state is not DeliveryState.SKIPPED):
                yield _row(batch, one, leased, outcome, receipt, sent, acts.get(leased.id, []))


def _told(outcome: Outcome, sent: Sent) -> Outcome:
    """Return the outcome with what is to be said of its payload, where that is not said yet."""
    note = sent.notes.get(outcome.delivery_id, "")
    return outcome if note in outcome.message else replace(outcome, message=f"{outcome.message} {note}".strip())


def untried(batch: Batch, outcomes: Sequence[Outcome]) -> Iterator[dict[str, Any]]:
    """Yield rows for deliveries that could not even be tried, since the connection was down."""
    for outcome in outcomes:
        yield _bare(batch, outcome) | {"sent": None, "answer": None, "http_status": None, "differs": None}


def record(session: Session, attempts: Sequence[dict[str, Any]], ours: Sequence[Outcome]) -> None:
    """Write the attempts of the deliveries that were still ours when they were settled; few rows each are kept."""
    kept = {outcome.delivery_id for outcome in ours}
    chosen = [row for row in attempts if row["delivery_id"] in kept]
    repeated = _repeat(session, [row for row in chosen if _is_untried(row)])
    if fresh := [row for row in chosen if row["delivery_id"] not in repeated]:
        session.connection().execute(_INSERT, fresh)
    _trim(session, [o.delivery_id for o in ours if o.state is None or o.state is DeliveryState.DEAD])


def _is_untried(row: Mapping[str, Any]) -> bool:
    return row["outcome"] == _LATER and row["sent"] is None and row["answer"] is None


def _repeat(session: Session, untried: Sequence[Mapping[str, Any]]) -> set[int]:
    """Count tries that could not be made on the last attempt of the same cause; return whose deliveries."""
    if not untried:
        return set()
    newest = select(func.max(Attempt.id)).where(Attempt.delivery_id.in_([row["delivery_id"] for row in untried]))
    found = session.scalars(select(Attempt).where(Attempt.id.in_(newest.group_by(Attempt.delivery_id))))
    known = {last.delivery_id: last for last in found if _is_untried({name: getattr(last, name) for name in _TOLD})}
    same = [row for row in untried if _cause(known.get(row["delivery_id"])) == row["error_code"]]
    for row in same:
        last = known[row["delivery_id"]]
        last.tries, last.last_at, last.message, last.seconds = last.tries + 1, row["at"], row["message"], row["seconds"]
    return {row["delivery_id"] for row in same}


def _cause(last: Attempt | None) -> str | None:
    return last.error_code if last is not None else None


def _trim(session: Session, delivery_ids: Sequence[int]) -> None:
    """Keep the first and the newest attempts of deliveries that have many."""
    if not delivery_ids:
        return
    counted = select(Attempt.delivery_id).where(Attempt.delivery_id.in_(delivery_ids)).group_by(Attempt.delivery_id)
    for delivery_id in session.scalars(counted.having(func.count() > FIRST_KEPT + NEWEST_KEPT)).all():
        ids = session.scalars(select(Attempt.id).where(Attempt.delivery_id == delivery_id).order_by(Attempt.id)).all()
        between = (ids[FIRST_KEPT - 1], ids[-NEWEST_KEPT])
        which = (Attempt.delivery_id == delivery_id, Attempt.id > between[0], Attempt.id < between[1])
        session.execute(delete(Attempt).where(*which).execution_options(synchronize_session=False))


def _bare(batch: Batch, outcome: Outcome) -> dict[str, Any]:
    return {
        "connector_id": batch.connector_id,
        "delivery_id": outcome.delivery_id,
        "at": batch.at,
        "seconds": round(batch.seconds, 3),
        "outcome": outcome.state or _LATER,
        "error_code": outcome.error_code,
        "message": mask_text(outcome.message)[:2000],
        "correlation_id": batch.correlation_id,
    }


def _row(
    batch: Batch,
    planned: PersonPlan,
    leased: LeasedDelivery,
    outcome: Outcome,
    receipt: Receipt | None,
    sent: dict[str, Any] | None,
    acts: Sequence[Followed],
) -> dict[str, Any]:
    plan = planned.plans.get(leased.id)
    wanted = [_shown(act) for act in plan.follow_ups] if plan else []
    whole = {**(sent or {}), **({"follow_ups": wanted} if wanted else {})}
    return _bare(batch, outcome) | {
        "sent": whole or None,
        "answer": _answer(receipt, acts),
        "http_status": _status(receipt, acts),
        "differs": mask_value(dict(planned.conflicts)) or None,
    }


def _row_sent(receipt: Receipt | None) -> dict[str, Any] | None:
    if receipt is None or receipt.sent is None:
        return None
    return {"request": receipt.request, "fields": mask_value(dict(receipt.sent))}


def _shown(act: FollowUp) -> dict[str, Any]:
    if isinstance(act, Note):
        return {"action": act.action, "text": mask_text(act.text)[:500]}
    if isinstance(act, SegmentAdd | SegmentRemove):
        return {"action": act.action, "segment": act.segment_id}
    if isinstance(act, DeleteContact):
        return {"action": act.action}
    return {"action": act.action, "email": act.email_id}


def _answer(receipt: Receipt | None, acts: Sequence[Followed]) -> dict[str, Any] | None:
    answer: dict[str, Any] = {}
    if receipt is not None:
        answer |= {"outcome": receipt.outcome, "contact_id": receipt.mautic_id, "calls": receipt.calls}
        error = receipt.error
        if error is not None:
            answer |= {"error": mask_text(str(error)), "excerpt": mask_text(error.excerpt)}
    if acts:
        answer["follow_ups"] = [_came(result) for result in acts]
    return answer or None


def _came(result: Followed) -> dict[str, Any]:
    said = "Done before." if result.repeated else result.message
    error = mask_text(str(result.error)) if result.error else ""
    return {"action": result.act.follow_up.action, "id": result.remote_id, "message": error or said}


def _status(receipt: Receipt | None, acts: Sequence[Followed]) -> int | None:
    if receipt is not None and receipt.status is not None:
        return receipt.status
    statuses = (getattr(result.error, "status", None) for result in acts)
    return next((status for status in statuses if status is not None), None)
