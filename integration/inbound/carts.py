"""Keeps the carts that programs tell of as those of the shop's script: under a consent, one row a cart (P51, P52)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.inbound.bodies import CartLine, InboundCart
from integration.inbound.values import moment_of
from integration.models.cart import Cart
from integration.pipeline.ingest.cart_keeping import (
    API,
    LIVE,
    TOLD,
    begin,
    forget_person,
    give_key_away,
    keep,
    tell,
)
from integration.records import CartLine as Line
from integration.streams.cart_payload import line_json


def take(session: Session, now: datetime, connector_id: int, state: InboundCart) -> Cart:
    """Keep one state of a cart in the caller's transaction and return the cart; an older state changes nothing.

    Where the person has not agreed, only that there was a cart is kept.
    """
    at = min(moment_of(state.date_modified_gmt), now) if state.date_modified_gmt else now
    cart = _live(session, connector_id, state.source_id, at)
    if cart is None:
        since = min(moment_of(state.date_created_gmt), at) if state.date_created_gmt else at
        cart = begin(session, now, connector_id, state.source_id, API, since)
    elif cart.state not in LIVE or _second(at) < cart.sequence:
        return cart
    cart.sequence = _second(at)
    if not state.consent.given:
        _forget(session, now, cart)
        return cart
    cart.consent = {
        "source": TOLD,
        "wording": state.consent.text,
        "at": moment_of(state.consent.at).isoformat() if state.consent.at else now.isoformat(),
        "draft_id": None,
    }
    if keep(session, now, cart, state.email, [_item(line) for line in state.line_items], at):
        cart.currency = state.currency.upper() if state.currency else cart.currency
    return cart


def _live(session: Session, connector_id: int, key: str, at: datetime) -> Cart | None:
    """Return the cart that goes on under a key; that of one which has ended is given away to what came after it."""
    mine = (Cart.connector_id == connector_id, Cart.key == key)
    cart = session.scalar(select(Cart).where(*mine).with_for_update())
    if cart is None or cart.state in LIVE or _second(at) <= cart.sequence:
        return cart
    give_key_away(session, cart)
    return None


def _second(at: datetime) -> int:
    return int(at.timestamp())


def _forget(session: Session, now: datetime, cart: Cart) -> None:
    if cart.email:
        tell(session, now, cart, "The consent was taken back; the address was deleted.")
    forget_person(session, now, cart)


def _item(line: CartLine) -> dict[str, Any]:
    """Return a line as it is kept; name and price are agreed where a program gives both, else the shop tells them."""
    kept = {"id": line.variation_id or line.product_id, "qty": line.quantity, "variation": []}
    if not (line.name and line.price is not None):
        return kept
    quantity = Decimal(int(line.quantity)) if line.quantity.is_integer() else Decimal(str(line.quantity))
    price = Decimal(line.price)
    agreed = Line(line.name, line.product_id, line.variation_id, quantity, price, price * quantity)
    return kept | {"line": line_json(agreed)}
