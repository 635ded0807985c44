"""Silence: for a time nobody is told of a cause, or of every cause of a connector (X18)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from integration.models.alert import AlertSilence

#: Hours -> what they are called.
SPANS = {1: "1 hour", 8: "8 hours", 24: "1 day", 168: "1 week"}
#: The cause that stands for all.
EVERY = ""


def begin(session: Session, now: datetime, connector_id: int, cause: str, hours: int, by: str) -> AlertSilence:
    """Be silent about a cause from now on, and forget silences that are over; return the one that holds now."""
    session.execute(delete(AlertSilence).where(AlertSilence.until <= now))
    row = AlertSilence(connector_id=connector_id, cause=cause, until=now + timedelta(hours=hours), by=by[:254])
    return session.merge(row)


def end(session: Session, connector_id: int, cause: str) -> AlertSilence | None:
    """Speak again, and return the silence that was ended, None when there was none."""
    row = session.get(AlertSilence, (connector_id, cause))
    if row is not None:
        session.delete(row)
        session.flush()
    return row


def silences(session: Session, now: datetime, connector_ids: Collection[int]) -> Sequence[AlertSilence]:
    """Return the silences of these connectors that hold now, the one that ends first at the beginning."""
    query = select(AlertSilence).where(AlertSilence.connector_id.in_(connector_ids), AlertSilence.until > now)
    return session.scalars(query.order_by(AlertSilence.until, AlertSilence.connector_id)).all()


def silent(session: Session, now: datetime, connector_id: int) -> frozenset[str]:
    """Return the causes of a connector that nobody is told of now; EVERY among them stands for all."""
    return frozenset(row.cause for row in silences(session, now, [connector_id]))
