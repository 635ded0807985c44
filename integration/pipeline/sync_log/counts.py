"""How many entries a connector's log has, without counting its rows."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from integration.models.sync_log import SyncLogCount

_TOTAL = select(func.coalesce(func.sum(SyncLogCount.entries), 0)).where(
    SyncLogCount.connector_id == bindparam("connector_id")
)


def total(session: Session, connector_id: int) -> int:
    """Return how many entries a connector's log has, from the hourly counts."""
    return int(session.scalar(_TOTAL, {"connector_id": connector_id}) or 0)
