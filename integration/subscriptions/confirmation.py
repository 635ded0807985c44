"""The link of the e-mail: found by its hash, good for seven days, confirmed by a button and not by being opened."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.digests import digest
from integration.models.subscription import Subscription, SubscriptionState
from integration.pipeline.ingest import records
from integration.pipeline.services import Services
from integration.records import Subscriber
from integration.streams.subscriptions import SUBSCRIBED, change_of
from integration.subscriptions import evidence

#: So long a link is good, and who has not followed it is kept.
GOOD_FOR = timedelta(days=7)


def find(session: Session, now: datetime, token: str) -> Subscription | None:
    """Return the subscription of a link; None for an unknown link and for one that was not followed in time."""
    row = session.scalar(select(Subscription).where(Subscription.token_digest == digest(token)))
    late = row is not None and row.state == SubscriptionState.PENDING and row.created_at < now - GOOD_FOR
    return None if late else row


def confirm(services: Services, token: str, ip: str) -> bool:
    """Confirm a subscription and owe it to Mautic, once; return whether the link is good."""
    now = services.clock.now()
    with services.db.write() as session:
        row = find(session, now, token)
        if row is None or row.state != SubscriptionState.PENDING:
            return row is not None
        row.state, row.confirmed_at, row.confirmed_ip, row.problem = SubscriptionState.CONFIRMED, now, ip, ""
        evidence.keep(session, now, row)
        subscriber = Subscriber(row.id, row.email, row.first_name, row.last_name, confirmed=True)
        records.accept(session, now, row.connector_id, [change_of(subscriber, SUBSCRIBED, now)])
        services.on_accept(session, row.connector_id)
        connector_id = row.connector_id
    services.wakeup.ring(connector_id)
    return True
