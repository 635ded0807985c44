"""Attempts: what was tried for each delivery of a batch, what was sent and what came back (A5)."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from integration.masking import mask_text
from integration.masking import mask_value
from integration.mautic.results import Receipt
from integration.models.attempt import Attempt
from integration.models.delivery import DeliveryState
from integration.pipeline.follow_ups import Followed
from integration.pipeline.lines import Item
from integration.pipeline.lines import Outcome
from integration.pipeline.planning import Drawn
from integration.plans import FollowUp
from integration.plans import Note
from integration.plans import SegmentAdd

_LATER = "later"


@dataclass(frozen=True, slots=True)
class Batch:
    """What all attempts of one batch share; `seconds` is how long the batch took."""

    connector_id: int
    at: datetime
    seconds: float
    correlation_id: str


def rows(
    batch: Batch,
    drawn: Sequence[Drawn],
    receipts: Mapping[str, Receipt],
    followed: Sequence[Followed],
    outcomes: Sequence[Outcome],
) -> Iterator[dict[str, Any]]:
    """Yield a row for each delivery that was tried; what was skipped unsent is told by its delivery."""
    done = {outcome.delivery_id: outcome for outcome in outcomes}
    acts: dict[int, list[Followed]] = {}
    for result in followed:
        acts.setdefault(result.act.item.id, []).append(result)
    for one in drawn:
        receipt = receipts.get(one.line.subject)
        sent = _row_sent(receipt)
        for item in one.line.items:
            outcome = done.get(item.id)
            if outcome is not None and (receipt or item.id in acts or outcome.state is not DeliveryState.SKIPPED):
                yield _row(batch, one, item, outcome, receipt, sent, acts.get(item.id, []))


def untried(batch: Batch, outcomes: Sequence[Outcome]) -> Iterator[dict[str, Any]]:
    """Yield rows for deliveries that could not even be tried, since the connection was down."""
    for outcome in outcomes:
        yield _bare(batch, outcome) | {"sent": None, "answer": None, "http_status": None, "differs": None}


def record(session: Session, attempts: Sequence[dict[str, Any]], ours: Sequence[Outcome]) -> None:
    """Write the attempts of the deliveries that were still ours when they were settled."""
    kept = {outcome.delivery_id for outcome in ours}
    chosen = [row for row in attempts if row["delivery_id"] in kept]
    if chosen:
        session.execute(insert(Attempt), chosen)


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
    drawn: Drawn,
    item: Item,
    outcome: Outcome,
    receipt: Receipt | None,
    sent: dict[str, Any] | None,
    acts: Sequence[Followed],
) -> dict[str, Any]:
    plan = drawn.plans.get(item.id)
    wanted = [_shown(act) for act in plan.follow_ups] if plan else []
    whole = {**(sent or {}), **({"follow_ups": wanted} if wanted else {})}
    return _bare(batch, outcome) | {
        "sent": whole or None,
        "answer": _answer(receipt, acts),
        "http_status": _status(receipt, acts),
        "differs": mask_value(dict(drawn.conflicts)) or None,
    }


def _row_sent(receipt: Receipt | None) -> dict[str, Any] | None:
    if receipt is None or receipt.sent is None:
        return None
    return {"request": receipt.request, "fields": mask_value(dict(receipt.sent))}


def _shown(act: FollowUp) -> dict[str, Any]:
    if isinstance(act, Note):
        return {"action": act.action, "text": mask_text(act.text)[:500]}
    if isinstance(act, SegmentAdd):
        return {"action": act.action, "segment": act.segment_id}
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
    return {"action": result.act.what.action, "id": result.remote_id, "message": error or said}


def _status(receipt: Receipt | None, acts: Sequence[Followed]) -> int | None:
    if receipt is not None and receipt.status is not None:
        return receipt.status
    statuses = (getattr(result.error, "status", None) for result in acts)
    return next((status for status in statuses if status is not None), None)
