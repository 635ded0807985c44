"""Forgets subscriptions: one at a person's wish, and those that nobody has confirmed in time."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.database import Database
from integration.models.subscription import Subscription, SubscriptionState
from integration.pipeline import outbox
from integration.pipeline.audited import Audit, unaudited
from integration.streams.subscriptions import KIND, names
from integration.subscriptions import evidence
from integration.subscriptions.confirmation import GOOD_FOR

#: So many are forgotten in one transaction.
AT_ONCE = 100


def forget(
    session: Session,
    now: datetime,
    subscription_id: int,
    audit: Audit[Subscription] = unaudited,
    reason: str = "The subscription was forgotten.",
) -> None:
    """Delete a subscription and what its deliveries hold of the person; what waits is not sent."""
    row = session.get_one(Subscription, subscription_id)
    outbox.forget(session, now, row.connector_id, KIND, names(row.id), reason)
    evidence.forget(session, row)
    audit(session, row)
    session.delete(row)


def forget_unconfirmed(db: Database, now: datetime, connector_id: int) -> int:
    """Forget who has not followed the link of the e-mail in time, and return how many."""
    mine = (Subscription.connector_id == connector_id, Subscription.state == SubscriptionState.PENDING)
    late = select(Subscription.id).where(*mine, Subscription.created_at < now - GOOD_FOR).limit(AT_ONCE)
    gone = 0
    while True:
        with db.write() as session:
            ids = session.scalars(late).all()
            for number in ids:
                forget(session, now, number, reason="Nobody has confirmed the subscription in time.")
        gone += len(ids)
        if len(ids) < AT_ONCE:
            return gone
