"""Keeps what the script in the shop's pages sends: one row a cart, as it last was, and only with consent (P51, P52)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.carts.captured import Captured, CapturedItem
from integration.models.cart import Cart
from integration.pipeline.ingest.cart_keeping import (
    BOX,
    LIVE,
    ORDER_KEY,
    SCRIPT,
    SILENT,
    begin,
    drop_twin,
    forget_person,
    give_key_away,
    keep,
    tell,
)
from integration.settings import CartModule


class Taken(StrEnum):
    """What became of a capture."""

    KEPT = "kept"
    SAME = "same"
    OVERTAKEN = "overtaken"
    NO_CONSENT = "no_consent"
    OFF = "off"


def capture(session: Session, now: datetime, connector_id: int, module: CartModule, state: Captured) -> Taken:
    """Keep one state of a cart in the caller's transaction; what is older than what is known changes nothing."""
    if not module.captures:
        return Taken.OFF
    cart = _find(session, now, connector_id, state)
    if cart is not None and state.n <= cart.sequence:
        return Taken.OVERTAKEN
    consent = consent_of(now, module, state)
    if consent is None:
        return _without_consent(session, now, cart, state)
    if cart is None and state.email is None:
        # A page without the field goes on with a cart that is known; it begins none.
        return Taken.SAME
    if cart is None:
        cart = begin(session, now, connector_id, state.cart, SCRIPT)
    email = cart.email if state.email is None else state.email
    cart.sequence, cart.consent, cart.page = state.n, consent, state.page or cart.page
    cart.order_id, cart.customer_id = state.draft or cart.order_id, state.customer or cart.customer_id
    return Taken.KEPT if keep(session, now, cart, email, items_json(state.items)) else Taken.SAME


def consent_of(now: datetime, module: CartModule, state: Captured) -> dict[str, Any] | None:
    """Return the consent under which a state may be kept, None without one (the matrix of P52)."""
    if module.silent:
        return {"source": SILENT, "wording": "", "at": now.isoformat(), "draft_id": state.draft}
    given = state.consent
    if given is None or not given.ticked:
        return None
    return {
        "source": BOX,
        "wording": given.text or module.box_text,
        "at": now.isoformat(),
        "draft_id": state.draft,
    }


def items_json(items: Sequence[CapturedItem] | None) -> list[dict[str, Any]] | None:
    """Return captured lines as they are kept with a cart, None where they are not known."""
    if items is None:
        return None
    return [{"id": one.id, "qty": one.qty, "variation": [list(pair) for pair in one.variation]} for one in items]


def _find(session: Session, now: datetime, connector_id: int, state: Captured) -> Cart | None:
    """Return the cart that goes on, by its key or by its draft; the key of one that has ended is given away."""
    mine = Cart.connector_id == connector_id
    cart = session.scalar(select(Cart).where(mine, Cart.key == state.cart).with_for_update())
    if cart is None and state.draft is not None:
        drafted = Cart.key == ORDER_KEY.format(state.draft)
        cart = session.scalar(select(Cart).where(mine, drafted, Cart.state.in_(LIVE)).with_for_update())
        if cart is not None:
            cart.key, cart.source, cart.sequence = state.cart, SCRIPT, 0
    if cart is not None and cart.state not in LIVE:
        if state.n <= cart.sequence:
            return cart
        give_key_away(session, cart)
        return None
    if cart is not None and state.draft is not None:
        drop_twin(session, now, connector_id, state.draft)
    return cart


def _without_consent(session: Session, now: datetime, cart: Cart | None, state: Captured) -> Taken:
    """Forget whose cart it is: a consent that is taken back leaves nothing of the person."""
    if cart is not None:
        cart.sequence = state.n
        forget_person(session, now, cart)
        tell(session, now, cart, "The consent was taken back; the address was deleted.")
    return Taken.NO_CONSENT
