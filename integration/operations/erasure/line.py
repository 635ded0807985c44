"""What of a person waits for Mautic or is on its way there: the one is taken out of the line, the other waited for."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from integration.models.database import lock_connector
from integration.models.delivery import Delivery, DeliveryState
from integration.models.unanswered import UnansweredCall, UnansweredPerson
from integration.operations.erasure import rows
from integration.operations.erasure.traces import Traces
from integration.pipeline import outbox
from integration.pipeline.leases.tokens import is_lost

#: A call that got no answer is waited for so long; Mautic is done with it by then, one way or the other.
UNANSWERED_MAX = timedelta(hours=1)
_FORGOTTEN = "The person was erased."


def is_under_way(session: Session, now: datetime, one: Traces) -> bool:
    """Tell whether something of the person is on its way; what a killed process has left there waits again.

    The connector is locked: while the caller's transaction lasts, nothing sets out.
    """
    lock_connector(session, one.connector_id)
    _free_lost(session, now, one)
    asked = (
        UnansweredPerson.connector_id == one.connector_id,
        UnansweredPerson.person_key.in_(one.keys),
        UnansweredCall.id == UnansweredPerson.call_id,
        UnansweredCall.sent_at > now - UNANSWERED_MAX,
    )
    return bool(session.scalar(select(or_(exists().where(_leased(one)), exists().where(*asked)))))


def empty(session: Session, now: datetime, one: Traces) -> None:
    """Take what waits of the person out of the line."""
    open_ = select(Delivery.id).where(rows.waiting(one.connector_id, one))
    outbox.bury(session, now, one.connector_id, session.scalars(open_).all(), _FORGOTTEN)


def _free_lost(session: Session, now: datetime, one: Traces) -> None:
    """Put back what a killed process has left leased, so that it can be taken out of the line."""
    for row in session.scalars(select(Delivery).where(_leased(one))):
        if is_lost(row.lease_token or "", row.leased_until, now):
            row.state, row.lease_token, row.leased_until = DeliveryState.WAITING, None, None
    session.flush()


def _leased(one: Traces) -> ColumnElement[bool]:
    return rows.waiting(one.connector_id, one) & (Delivery.state == DeliveryState.LEASED)
