"""What a person does with one cart: send it again, or forget it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from integration.models.cart import OPEN, Cart, CartState
from integration.pipeline import outbox
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.ingest import cart_succession
from integration.pipeline.ingest.cart_keeping import tell
from integration.pipeline.ingest.cart_leftovers import leave_coupon
from integration.streams.carts import ANNOUNCE_WITHIN, KIND

_SENDABLE = (*OPEN, CartState.EXPIRED)
_FORGOTTEN = "The cart was forgotten."


def why_not_sendable(session: Session, cart: Cart) -> str:
    """Return why a cart cannot be sent now, "" when it can."""
    if not cart.email:
        return "No e-mail address is known of this cart, so nobody can be reminded."
    if cart.consent is None:
        return "Nobody agreed to be reminded of this cart."
    if cart.state not in _SENDABLE:
        return "The cart was bought, so nobody is reminded of it."
    if newer := cart_succession.newer_of(session, cart):
        return f"The person has left a newer cart, cart {newer.id}, and is reminded of that one."
    return ""


def send_again(session: Session, now: datetime, cart_id: int, audit: Audit[Cart] = unaudited) -> str:
    """Have a cart's prices, coupon and link made ready anew and sent; return why not, "" when it is on its way."""
    cart = session.get_one(Cart, cart_id)
    if reason := why_not_sendable(session, cart):
        return reason
    cart.state, cart.abandoned_at, cart.ended_at = CartState.ABANDONED, cart.abandoned_at or now, None
    cart.announce_until = now + ANNOUNCE_WITHIN
    cart.prepared_at, cart.due_at, cart.tries, cart.reason, cart.problem = None, now, 0, "", ""
    tell(session, now, cart, "A person had it sent again.")
    audit(session, cart)
    return ""


def forget(session: Session, now: datetime, cart_id: int, audit: Audit[Cart] = unaudited) -> None:
    """Delete a cart with its story, and what its deliveries hold of the person; what waits is not sent.

    Its coupon is booked to leave the store (carts.leftovers).
    """
    cart = session.get_one(Cart, cart_id)
    leave_coupon(session, now, cart)
    outbox.forget(session, now, cart.connector_id, KIND, [str(cart.id)], _FORGOTTEN)
    audit(session, cart)
    session.delete(cart)
