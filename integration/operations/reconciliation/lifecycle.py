"""Reconciliations as runs of their own kind: asked for, found, cancelled. The rest of their life is that of any run."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import NotNow
from integration.models.drift import Reconciliation
from integration.models.run import GOING, Run
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle
from integration.pipeline.services import Services


class ReconciliationGoing(NotNow):
    """A reconciliation of the connector is going already."""

    def __init__(self) -> None:
        super().__init__(
            "reconciliation_going",
            "A reconciliation of this connector is going already.",
            "Wait until it has ended, or cancel it first.",
        )


def start(services: Services, connector_id: int, trigger: str, *, audit: Audit[Run] = unaudited) -> int:
    """Ask for a reconciliation and return the id of its run; raises ReconciliationGoing when one is going."""
    try:
        return run_lifecycle.begin(services, Reconciliation(connector_id=connector_id), trigger=trigger, audit=audit)
    except run_lifecycle.RunGoing:
        raise ReconciliationGoing from None


def cancel(services: Services, connector_id: int, reconciliation_id: int, *, audit: Audit[Run] = unaudited) -> bool:
    """Ask a reconciliation to stop after its page; what it found stays. Return whether it was going."""
    with services.db.read() as session:
        row = session.get(Reconciliation, reconciliation_id)
    if row is None or row.connector_id != connector_id:
        return False
    return cancelling.cancel(services, reconciliation_id, audit=audit)


def going(session: Session, connector_id: int) -> Reconciliation | None:
    """Return the connector's reconciliation that has not ended, None when there is none."""
    query = select(Reconciliation).where(Reconciliation.connector_id == connector_id)
    return session.scalar(query.where(Reconciliation.state.in_(GOING)))
