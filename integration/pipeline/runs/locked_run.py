"""A run as it is while nothing of its connector is settled."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.database import lock_connector
from integration.models.run import Run


def locked(session: Session, run_id: int) -> Run | None:
    """Return a run with its connector locked, and then its row, as settle does it; None for an unknown one."""
    connector_id = session.scalar(select(Run.connector_id).where(Run.id == run_id))
    if connector_id is None:
        return None
    lock_connector(session, connector_id)
    return session.get(Run, run_id, with_for_update=True, populate_existing=True)
