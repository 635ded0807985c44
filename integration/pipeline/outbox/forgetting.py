"""Forgets what the outbox holds of somebody's records."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from integration.events import Kind
from integration.models.attempt import Attempt
from integration.models.delivery import Delivery
from integration.pipeline.outbox.reopening import bury
from integration.pipeline.outbox.states import OPEN


def forget(
    session: Session, now: datetime, connector_id: int, kind: Kind, source_ids: Collection[str], reason: str
) -> None:
    """Empty the deliveries of some records and delete their attempts; what waits, or is dead, is not sent any more."""
    mine = (Delivery.connector_id == connector_id, Delivery.kind == kind, Delivery.source_id.in_(source_ids))
    ids = session.scalars(select(Delivery.id).where(*mine)).all()
    bury(session, now, connector_id, ids, reason)
    session.execute(delete(Attempt).where(Attempt.delivery_id.in_(ids)))
    session.execute(update(Delivery).where(Delivery.id.in_(ids), ~OPEN).values(payload=None, corrections=None))
