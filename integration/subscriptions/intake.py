"""Takes a filled-in form: keeps it as evidence and owes it to Mautic, or an e-mail with the link first."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.digests import digest
from integration.identity import person_key_of
from integration.models.connector import Connector
from integration.models.subscription import Subscription, SubscriptionState
from integration.pipeline.ingest import records
from integration.pipeline.ingest.blocked import is_blocked
from integration.pipeline.services import Services
from integration.records import Subscriber
from integration.settings import SubscribeModule
from integration.streams.subscriptions import ASKED, SUBSCRIBED, change_of
from integration.subscriptions import evidence
from integration.subscriptions.filled import Filled

#: So often an address is taken within a day: more would be somebody filling another's mailbox.
TAKEN_A_DAY = 3
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sender:
    """Where a form came from: `source` is page or script, `wording` what stood beside the box.

    `confirm_url` has a place for the token of the link.
    """

    source: str
    wording: str
    ip: str
    confirm_url: str


def take(services: Services, connector: Connector, module: SubscribeModule, filled: Filled, sender: Sender) -> bool:
    """Keep a form without mistakes and return whether it was taken: an address is, three times a day.

    Nothing is looked up in Mautic or in the store, so that the answer cannot tell who is known there.
    """
    now = services.clock.now()
    token = secrets.token_urlsafe(32) if module.double_opt_in else ""
    with services.db.write() as session:
        if _is_flooded(session, now, connector.id, filled.email):
            return False
        if is_blocked(session, connector.id, filled.email):
            # As if it was taken: the answer tells nobody who was erased.
            return True
        row = _kept(session, now, connector.id, filled, sender, token)
        url = sender.confirm_url.format(token=token) if token else ""
        subscriber = Subscriber(row.id, row.email, row.first_name, row.last_name, url)
        change = change_of(subscriber, ASKED if token else SUBSCRIBED, now)
        if not token:
            evidence.keep(session, now, row)
        records.accept(session, now, connector.id, [change])
        services.on_accept(session, connector.id)
    services.wakeup.ring(connector.id)
    return True


def _is_flooded(session: Session, now: datetime, connector_id: int, email: str) -> bool:
    mine = (Subscription.connector_id == connector_id, Subscription.person_key == person_key_of(email))
    count = select(func.count()).select_from(Subscription).where(*mine, Subscription.created_at > now - _DAY)
    return (session.scalar(count) or 0) >= TAKEN_A_DAY


def _kept(
    session: Session, now: datetime, connector_id: int, filled: Filled, sender: Sender, token: str
) -> Subscription:
    row = Subscription(
        connector_id=connector_id,
        state=SubscriptionState.PENDING if token else SubscriptionState.CONFIRMED,
        email=filled.email,
        person_key=person_key_of(filled.email),
        first_name=filled.first_name,
        last_name=filled.last_name,
        consent_text=sender.wording,
        source=sender.source,
        page=filled.page,
        ip=sender.ip,
        created_at=now,
        token_digest=digest(token) if token else None,
    )
    session.add(row)
    session.flush()
    return row
