"""One person is reminded of one cart, the newest that holds something: the older ones give way to it.

A cart that waits to be sent gives way when the newer one is made ready, one that Mautic has when the newer one has
arrived there: until then an order recovers it. One whose order waits for its payment stays for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Text, and_, cast, exists, or_, select
from sqlalchemy.orm import Session, aliased

from integration.models.cart import OPEN, Cart, CartState
from integration.pipeline.ingest.cart_keeping import tell
from integration.streams.carts import NEWER


def waits() -> ColumnElement[bool]:
    """Return the condition of carts whose person has a newer one that is still to be made ready."""
    newer = aliased(Cart)
    is_newer = or_(newer.changed_at > Cart.changed_at, and_(newer.changed_at == Cart.changed_at, newer.id > Cart.id))
    theirs = (newer.connector_id == Cart.connector_id, newer.person_key == Cart.person_key, Cart.person_key != "")
    unready = (newer.state.in_((CartState.ACTIVE, CartState.ABANDONED)), newer.prepared_at.is_(None))
    return exists().where(*theirs, is_newer, *unready, _holds_something(newer))


def newer_of(session: Session, cart: Cart) -> Cart | None:
    """Return the newest open cart of the person that holds something, where that is newer; None without one."""
    found = _others(session, cart, _holds_something(Cart))
    newer = [each for each in found if _age(each) > _age(cart)]
    return max(newer, key=_age, default=None)


def make_way(session: Session, now: datetime, cart: Cart) -> None:
    """End the person's older carts that were never sent; those in Mautic are announced no more beside this one."""
    for older in _older(session, cart):
        if older.synced_at is None:
            _end(session, now, older)
        elif older.state == CartState.ABANDONED:
            older.state, older.due_at = CartState.SYNCED, None
            tell(
                session, now, older, f"The person has left a newer cart, cart {cart.id}, so this one is not sent again."
            )


def succeed(session: Session, now: datetime, cart: Cart) -> None:
    """End the person's older carts: Mautic has this one now."""
    for older in _older(session, cart):
        _end(session, now, older)


def _older(session: Session, cart: Cart) -> list[Cart]:
    found = _others(session, cart, Cart.bought_order_id.is_(None))
    return [each for each in found if _age(each) < _age(cart)]


def _others(session: Session, cart: Cart, condition: ColumnElement[bool]) -> Sequence[Cart]:
    if not cart.person_key:
        return ()
    theirs = (Cart.connector_id == cart.connector_id, Cart.person_key == cart.person_key, Cart.id != cart.id)
    return session.scalars(select(Cart).where(*theirs, Cart.state.in_(OPEN), condition).order_by(Cart.id)).all()


def _holds_something(cart: type[Cart]) -> ColumnElement[bool]:
    """Return the condition of an open cart that is not empty; of one that the page could not read nobody knows."""
    return and_(cart.state.in_(OPEN), or_(cart.items.is_(None), cast(cart.items, Text) != "[]"))


def _age(cart: Cart) -> tuple[datetime, int]:
    return cart.changed_at, cart.id


def _end(session: Session, now: datetime, cart: Cart) -> None:
    cart.state, cart.reason, cart.ended_at, cart.due_at = CartState.EXPIRED, NEWER.code, now, None
    tell(session, now, cart, NEWER.sentence)
