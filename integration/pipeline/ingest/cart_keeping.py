"""Keeps carts, whoever tells of them: one row a cart, as it last was, and nothing of a person without consent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from integration.events import content_hash
from integration.identity import person_key_of
from integration.models.cart import OPEN, Cart, CartEvent, CartState
from integration.pipeline.ingest.blocked import is_blocked
from integration.pipeline.ingest.cart_leftovers import leave_contact, leave_coupon

SCRIPT, ORDER, API = "script", "order", "api"
#: How a consent was given: none was asked for, the script's box, the shop's own field at the checkout, a program's.
SILENT, BOX, FIELD, TOLD = "silent", "box", "store_field", "api"
#: What the keys of carts begin with that an order has told of, not the script.
ORDER_KEY = "order:{}"
#: A cart in one of these states takes further changes; in another one it has ended, and the next is a new cart.
LIVE = (*OPEN, CartState.NO_CONSENT)
#: So many lines are kept of a cart; a cart of more is kept without the rest.
ITEMS_MAX = 200


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

    Items that are not known now (None) stay as they are. `at` is when it changed, where that was before now. Who has
    the cart in Mautic and is its person no more is to lose it there. Of somebody who is blocked nothing is kept.
    """
    cart.seen_at = now
    if is_blocked(session, cart.connector_id, email):
        forget_person(session, now, cart)
        return False
    items = cart.items if items is None else items
    seen = fingerprint(email, items)
    if seen == cart.fingerprint:
        return False
    if cart.state != CartState.ACTIVE:
        tell(session, now, cart, "The shopper came back and changed the cart.")
    _be_of(session, now, cart, email)
    cart.items, cart.fingerprint, cart.changed_at = items, seen, at or now
    cart.state, cart.prepared_at, cart.lines = CartState.ACTIVE, None, None
    return True


def _be_of(session: Session, now: datetime, cart: Cart, email: str) -> None:
    """Let the cart be of another address, or of none: a coupon for nobody leaves the store, too.

    Where another address follows, its announcement gives the coupon up (carts.coupons).
    """
    person_key = person_key_of(email) if email else ""
    if person_key != cart.person_key:
        if said := leave_contact(session, now, cart):
            tell(session, now, cart, f"The address was {'changed' if email else 'taken out'}. {said}")
        if not email:
            leave_coupon(session, now, cart)
    cart.email, cart.person_key = email, person_key


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


def drop_twin(session: Session, now: datetime, connector_id: int, order_id: int) -> None:
    """Delete what an order alone has told of a cart that the script tells of as well, unless it was announced."""
    own = (Cart.connector_id == connector_id, Cart.key == ORDER_KEY.format(order_id))
    unannounced = or_(Cart.state == CartState.NO_CONSENT, (Cart.state == CartState.ACTIVE) & Cart.synced_at.is_(None))
    twin = session.scalar(select(Cart).where(*own, unannounced).with_for_update())
    if twin is not None:
        leave_coupon(session, now, twin)
        session.delete(twin)
        session.flush()


def forget_person(session: Session, now: datetime, cart: Cart) -> None:
    """Keep of a cart that it was there, and nothing of who left what in it, neither in Mautic nor in the store."""
    if said := leave_contact(session, now, cart):
        tell(session, now, cart, said)
    leave_coupon(session, now, cart)
    cart.state, cart.seen_at, cart.changed_at = CartState.NO_CONSENT, now, now
    cart.email = cart.person_key = cart.fingerprint = ""
    cart.consent = cart.customer_id = cart.lines = cart.items = None


def tell(session: Session, now: datetime, cart: Cart, text: str) -> None:
    """Add a sentence to the cart's story."""
    session.add(CartEvent(cart_id=cart.id, at=now, text=text))
