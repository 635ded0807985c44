"""People whose every order is gone from the store: what is still said of their orders in Mautic is to be emptied."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.events import Origin
from integration.models.ledger import LedgerEntry
from integration.operations.reconciliation.people import Person
from integration.pipeline.ingest import order_ledger
from integration.pipeline.runs import gone_orders


def people(
    session: Session, now: datetime, connector_id: int, person_keys: Collection[str], origin: Origin = Origin.FULL
) -> list[Person]:
    """Return those of these people who have no order left, each with the removal of the newest one that is gone."""
    mine = (LedgerEntry.connector_id == connector_id, LedgerEntry.person_key.in_(sorted(person_keys)))
    left = func.count().filter(LedgerEntry.status != order_ledger.GONE)
    newest = func.max(LedgerEntry.order_id)
    query = select(LedgerEntry.person_key, newest).where(*mine).group_by(LedgerEntry.person_key)
    rows = session.execute(query.having(left == 0, newest > 0)).tuples()
    return [Person(key, [replace(gone_orders.removal(number, origin, now), person_key=key)]) for key, number in rows]
