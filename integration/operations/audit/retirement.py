"""Retention of the audit log: the oldest entries of a chain leave, and its anchor moves with them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, select
from sqlalchemy.orm import Session

from integration.models.audit import AuditAnchor, AuditEntry
from integration.models.database import Database
from integration.operations.audit import chain


def retire_chain(
    db: Database, organisation_id: int | None, before: datetime, now: datetime, *, batch: int, pause: Callable[[], None]
) -> int:
    """Delete a chain's entries from before a moment, `batch` in a transaction, and return their number."""
    gone = 0
    while True:
        with db.write() as session:
            chain.lock(session, organisation_id)
            rows = _taken(session, organisation_id, before, batch)
            _move_anchor(session, organisation_id, rows, now)
        gone += len(rows)
        if len(rows) < batch:
            return gone
        pause()


def _taken(session: Session, organisation_id: int | None, before: datetime, batch: int) -> Sequence[Row[Any]]:
    mine = chain.of(organisation_id)
    # Only from the beginning: a clock that was wrong once must not tear a hole into the chain.
    kept = session.scalar(select(func.min(AuditEntry.id)).where(mine, AuditEntry.at >= before))
    old = select(AuditEntry.id).where(mine, AuditEntry.at < before).order_by(AuditEntry.id).limit(batch)
    if kept is not None:
        old = old.where(AuditEntry.id < kept)
    statement = delete(AuditEntry).where(AuditEntry.id.in_(old)).returning(AuditEntry.id, AuditEntry.hash)
    return session.execute(statement, execution_options={"synchronize_session": False}).all()


def _move_anchor(session: Session, organisation_id: int | None, rows: Sequence[Row[Any]], now: datetime) -> None:
    if not rows:
        return
    newest = max(rows, key=lambda row: int(row.id))
    anchor = session.get(AuditAnchor, organisation_id or chain.NOBODY)
    if anchor is None:
        anchor = AuditAnchor(organisation_id=organisation_id or chain.NOBODY, entries=0)
        session.add(anchor)
    anchor.hash = newest.hash
    anchor.entries += len(rows)
    anchor.moved_at = now
