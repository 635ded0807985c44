"""Records change hands: a run, a replay or a person sends again, or sends now, what another run has brought."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import case, or_, select, update
from sqlalchemy.orm import Session

from integration.models.delivery import Delivery
from integration.models.run import FormerRecord, Run, among_going
from integration.models.sql import upsert
from integration.pipeline.outbox.states import OPEN
from integration.pipeline.outbox.unanswered import nothing_in_question


def leave(session: Session, rows: Iterable[Any], new_run_id: int | None) -> None:
    """Keep in the list of their run how these records stood; each has id, run_id, kind, state and result."""
    leaving = [row for row in rows if row.run_id is not None and row.run_id != new_run_id]
    kept = set(session.scalars(select(Run.id).where(Run.id.in_({row.run_id for row in leaving})))) if leaving else set()
    left = [
        {"run_id": row.run_id, "delivery_id": row.id, "kind": row.kind, "state": row.state, "result": row.result}
        for row in leaving
        if row.run_id in kept
    ]
    upsert(session, FormerRecord, left, ("state", "result"))


def adopt(session: Session, now: datetime, connector_id: int, ids: Collection[int], run_id: int) -> int:
    """Let a run send now what waits for its records, and return how many; what is out or of a going run is left."""
    going = among_going(select(Run.id).where(Run.connector_id == connector_id))
    columns = (Delivery.id, Delivery.run_id, Delivery.kind, Delivery.state, Delivery.result)
    free = (Delivery.id.in_(sorted(ids)), OPEN, Delivery.lease_token.is_(None))
    rows = session.execute(select(*columns).where(*free, or_(Delivery.run_id.is_(None), Delivery.run_id.not_in(going))))
    found = rows.all()
    leave(session, found, run_id)
    due_at = case((nothing_in_question(), now), else_=Delivery.due_at)
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_([row.id for row in found]))
        .values(run_id=run_id, due_at=due_at)
        .execution_options(synchronize_session=False)
    )
    return len(found)
