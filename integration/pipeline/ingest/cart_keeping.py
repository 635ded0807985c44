"""Keeps carts, whoever tells of them: one row a cart, as it last was, and nothing of a person without consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_
from sqlalchemy.orm import Session

from integration.events import content_hash
from integration.identity import person_key_of
from integration.models.cart import OPEN, Cart, CartEvent, CartState
from integration.pipeline.ingest.blocked import is_blocked

SCRIPT, ORDER = "script", "order"
#: How a consent was given: none was asked for, the script's box, the shop's own field at the checkout.
SILENT, BOX, FIELD = "silent", "box", "store_field"
#: What the keys of carts begin with that an order has told of, not the script.
ORDER_KEY = "order:{}"
#: A cart in one of these states takes further changes; in another one it has ended, and the next is a new cart.
LIVE = (*OPEN, CartState.NO_CONSENT)
#: So many lines are kept of a cart; a cart of more is kept without the rest.
ITEMS_MAX = 200
#: Longest address that a mail server takes (RFC 5321).
EMAIL_MAX_CHARS = 254


def begin(
    session: Session, now: datetime, connector_id: int, key: str, source: str, since: datetime | None = None
) -> Cart:
    """Return a new cart without address and items, that began now or at `since`."""
    cart = Cart(
        connector_id=connector_id,
        key=key,
        source=source,
        state=CartState.ACTIVE,
        created_at=since or now,
        changed_at=now,
        seen_at=now,
        email="",
        person_key="",
        sequence=0,
        fingerprint="",
    )
    session.add(cart)
    session.flush()
    return cart


def keep(
    session: Session,
    now: datetime,
    cart: Cart,
    email: str,
    items: list[Any] | None,
    at: datetime | None = None,
) -> bool:
    """Keep address and items of a cart and tell whether they changed; a cart that changes is active again.

    Items that are not known now (None) stay as they are. `at` is when it changed, where that was before now. Of
    somebody who is blocked nothing is kept.
    """
    cart.seen_at = now
    if is_blocked(session, cart.connector_id, email):
        forget_person(cart, now)
        return False
    items = cart.items if items is None else items
    seen = fingerprint(email, items)
    if seen == cart.fingerprint:
        return False
    if cart.state != CartState.ACTIVE:
        tell(session, now, cart, "The shopper came back and changed the cart.")
    cart.email, cart.person_key = email, person_key_of(email) if email else ""
    cart.items, cart.fingerprint, cart.changed_at = items, seen, at or now
    cart.state, cart.prepared_at, cart.lines = CartState.ACTIVE, None, None
    return True


def fingerprint(email: str, items: Sequence[Mapping[str, Any]] | None) -> str:
    """Return what tells two states of a cart apart: whose it is, and which pieces of what lie in it.

    The page and the order write the same choices of a variation with other names and in another order.
    """
    return content_hash([person_key_of(email) if email else "", None if items is None else sorted(map(_goods, items))])


def _goods(item: Mapping[str, Any]) -> list[Any]:
    chosen = sorted(str(value).casefold() for _, value in item.get("variation") or ())
    return [int(item["id"]), float(item["qty"]), chosen]


def give_key_away(session: Session, cart: Cart) -> None:
    """Let the next cart have the key of one that has ended."""
    cart.key = f"{cart.key}#{cart.id}"
    session.flush()


def drop_twin(session: Session, connector_id: int, order_id: int) -> None:
    """Delete what an order alone has told of a cart that the script tells of as well, unless it was announced."""
    own = (Cart.connector_id == connector_id, Cart.key == ORDER_KEY.format(order_id))
    unannounced = or_(Cart.state == CartState.NO_CONSENT, (Cart.state == CartState.ACTIVE) & Cart.synced_at.is_(None))
    session.execute(delete(Cart).where(*own, unannounced).execution_options(synchronize_session=False))


def forget_person(cart: Cart, now: datetime) -> None:
    """Keep of a cart that it was there, and nothing of who left what in it."""
    cart.state, cart.seen_at, cart.changed_at = CartState.NO_CONSENT, now, now
    cart.email = cart.person_key = cart.fingerprint = ""
    cart.consent = cart.customer_id = cart.lines = cart.items = None


def tell(session: Session, now: datetime, cart: Cart, text: str) -> None:
    """Add a sentence to the cart's story."""
    session.add(CartEvent(cart_id=cart.id, at=now, text=text))
