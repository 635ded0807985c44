"""Tells subscriptions what became of their deliveries, in the transaction that settles them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.models.delivery import DeliveryState
from integration.models.subscription import Subscription, SubscriptionState
from integration.pipeline.delivery.batch_result import Sent
from integration.pipeline.delivery.groups import LeasedDelivery, Outcome
from integration.plans import SendEmail
from integration.streams.subscriptions import ASKED, number_of

#: What a contact was written with; a value that somebody else has changed may have stayed.
_WRITTEN = (DeliveryState.DELIVERED, DeliveryState.CONFLICT)
_UNCHANGED = "unchanged"


def mark(session: Session, now: datetime, connector_id: int, sent: Sent, ours: Sequence[Outcome]) -> None:
    """Note on the subscriptions among the settled deliveries that the link went out, they are in Mautic, or failed."""
    every = (each for one in sent.planned for each in one.group.deliveries)
    leased = {each.id: each for each in every if number_of(each.source_id) is not None}
    settled = [outcome for outcome in ours if outcome.delivery_id in leased and outcome.state is not None]
    if not settled:
        return
    ids = {number_of(leased[outcome.delivery_id].source_id) for outcome in settled}
    mine = (Subscription.connector_id == connector_id) & Subscription.id.in_(ids)
    found = {row.id: row for row in session.scalars(select(Subscription).where(mine))}
    for outcome in settled:
        row = found.get(number_of(leased[outcome.delivery_id].source_id) or 0)
        if row is not None:
            _mark(now, row, leased[outcome.delivery_id], outcome, _kept_back(sent, outcome))


def _kept_back(sent: Sent, outcome: Outcome) -> str:
    """Return why the e-mail of a delivery was not sent, "" where it was, or none was to be."""
    emails = (each for each in sent.followed if isinstance(each.act.follow_up, SendEmail) and each.withheld)
    return next((each.message for each in emails if each.act.leased.id == outcome.delivery_id), "")


def _mark(now: datetime, row: Subscription, leased: LeasedDelivery, outcome: Outcome, kept_back: str) -> None:
    row.contact_id = outcome.contact_id or row.contact_id
    written = outcome.state in _WRITTEN or outcome.error_code == _UNCHANGED
    done = written and not outcome.partial and not kept_back
    row.problem = "" if done else kept_back or outcome.message
    if leased.event == ASKED:
        row.mailed_at = row.mailed_at or now if done else row.mailed_at
    elif written:
        row.state, row.sent_at = SubscriptionState.SENT, row.sent_at or now
