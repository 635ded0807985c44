"""Books what a cart leaves behind elsewhere, so that it is taken away whatever becomes of the cart.

The caller's transaction stands for it; what is booked goes within the minute where both ends can be reached
(carts.leftovers).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from integration.models.cart import Cart
from integration.models.cart_leftover import CartLeftover

#: By then whoever was making a coupon has made it, or never will.
MADE_WITHIN = timedelta(minutes=10)


def leave_contact(session: Session, now: datetime, cart: Cart) -> str:
    """Book that the contact who has the cart in Mautic is to lose it; return a sentence for the story, "" for none."""
    if cart.contact_id is None or not cart.person_key:
        return ""
    leave_person(session, now, cart, cart.person_key)
    said = f"Contact {cart.contact_id} loses the cart's tag and fields in Mautic."
    cart.contact_id = None
    return said


def leave_person(session: Session, now: datetime, cart: Cart, person_key: str) -> None:
    """Book that a person who is not the cart's has it in Mautic and is to lose it."""
    session.add(_of(cart, now, person_key=person_key))


def leave_coupon(session: Session, now: datetime, cart: Cart) -> None:
    """Book that the cart's coupon is to leave the store; the cart knows it no more."""
    if cart.coupon_code:
        session.add(_of(cart, now, coupon_id=cart.coupon_id, coupon_code=cart.coupon_code))
    cart.coupon_id = cart.coupon_until = None
    cart.coupon_code = ""


def _of(
    cart: Cart, now: datetime, person_key: str = "", coupon_id: int | None = None, coupon_code: str = ""
) -> CartLeftover:
    unsure = coupon_id is None and coupon_code != ""
    return CartLeftover(
        connector_id=cart.connector_id,
        cart_id=cart.id,
        person_key=person_key,
        coupon_id=coupon_id,
        coupon_code=coupon_code,
        noted_at=now,
        due_at=now + MADE_WITHIN if unsure else now,
    )
