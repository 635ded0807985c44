"""What a recovery link stands for: the cart it brings back, whether it still does, and that it was opened (P59)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.digests import digest
from integration.models.cart import OPEN, Cart, CartEvent
from integration.models.connector import Connector
from integration.pipeline.ingest import cart_succession
from integration.pipeline.ingest.cart_keeping import tell
from integration.settings import CartModule
from integration.streams.carts import NEWER

_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


def find(session: Session, token: str) -> tuple[Cart, Connector] | None:
    """Return the cart of a link with its connector, None for a link that nobody has, or no more.

    The link of a cart that gave way to a newer one of the person, in an earlier reminder, leads to that.
    """
    if not _TOKEN.fullmatch(token):
        return None
    query = select(Cart, Connector).join(Connector, Connector.id == Cart.connector_id)
    row = session.execute(query.where(Cart.token_digest == digest(token))).first()
    if row is None:
        return None
    cart, connector = row._tuple()
    newer = cart_succession.newer_of(session, cart) if cart.reason == NEWER.code else None
    return newer or cart, connector


def is_open(cart: Cart, module: CartModule, now: datetime) -> bool:
    """Tell whether a cart is still to be brought back: not bought, expired, or older than carts are kept.

    One whose order waits for its payment would be bought a second time.
    """
    return goes_on(cart, module, now) and cart.bought_order_id is None


def goes_on(cart: Cart, module: CartModule, now: datetime) -> bool:
    """Tell whether a cart has not ended: it is to be brought back, or its order waits for the payment."""
    return cart.state in OPEN and cart.touched_at >= kept_since(module, now)


def kept_since(module: CartModule, now: datetime) -> datetime:
    """Return the moment before which a cart that is deleted was last touched."""
    return now - timedelta(days=module.keep_days)


def note_opened(session: Session, now: datetime, cart_id: int) -> None:
    """Count that somebody has opened a cart's link; the first time stands in its story."""
    cart = session.get(Cart, cart_id, with_for_update=True)
    if cart is None:
        return
    if not cart.opens:
        tell(session, now, cart, "The link was opened.")
    cart.opens, cart.opened_at = cart.opens + 1, now


def note_missed(session: Session, now: datetime, cart_id: int, cause: str) -> None:
    """Tell in a cart's story why its link led to the next best page; the same again is told once."""
    cart = session.get(Cart, cart_id)
    text = f"The link led to the next best page, for the store did not help: {cause}"
    told = session.scalar(select(CartEvent.id).where(CartEvent.cart_id == cart_id, CartEvent.text == text).limit(1))
    if cart is not None and told is None:
        tell(session, now, cart, text)
