"""What an order means for its buyer's carts: bought before they were sent, waiting for payment, or recovered (P60).

Of the proofs that an order is a cart's the strongest counts (mapping.cart_orders.PROOFS); an order recovers one cart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from integration import money
from integration.events import Change
from integration.identity import person_key_of, visible
from integration.mapping.cart_orders import CAMPAIGN, PROOFS, is_later, is_placed
from integration.models.cart import Cart, CartEvent, CartState
from integration.models.connector import Connector
from integration.records import Cart as CartRecord, Order
from integration.settings import Modules
from integration.store.parse import CAMPAIGN_KEY
from integration.streams.carts import BOUGHT, RECOVERED, change_of

#: States in which an order changes something about a cart.
_OPEN = (CartState.ACTIVE, CartState.ABANDONED, CartState.SYNCED)
_CAMPAIGN = re.compile(re.escape(CAMPAIGN).replace(r"\{\}", r"(\d{1,18})"))
_STRENGTH = list(PROOFS)


@dataclass(frozen=True, slots=True)
class _Match:
    """An order that is a cart's, and how that is known."""

    cart: Cart
    order: Order
    proof: str

    @property
    def rank(self) -> tuple[int, int]:
        """Return what the strongest proof has least of; of equal ones the newest cart comes first."""
        return _STRENGTH.index(self.proof), -self.cart.id


def note(session: Session, now: datetime, connector_id: int, orders: Sequence[Order]) -> list[Change]:
    """Note placed and paid orders on their carts and return what Mautic is to be told of; the caller queues it."""
    carts = _carts(session, connector_id, orders)
    if not carts:
        return []
    paid = Modules.from_json(session.get_one(Connector, connector_id).settings).orders.paid_statuses
    found: list[Change] = []
    for order in orders:
        _follow_refunds(carts, order)
        mine = sorted(_matches(carts, order), key=lambda match: match.rank)
        if mine and is_placed(order.status, own=mine[0].cart.order_id == order.id):
            found += _bought(session, now, mine, paid)
    return found


def _carts(session: Session, connector_id: int, orders: Sequence[Order]) -> list[Cart]:
    """Return the carts that one of the orders may be about, by any proof."""
    people = {person_key_of(order.email) for order in orders if visible(order.email)}
    codes = {code.lower() for order in orders for code in order.coupons}
    campaigns = {number for order in orders if (number := _campaign(order))}
    ways: list[ColumnElement[bool]] = [Cart.order_id.in_([order.id for order in orders])]
    ways += [Cart.person_key.in_(people)] if people else []
    ways += [Cart.id.in_(campaigns)] if campaigns else []
    ways += [func.lower(Cart.coupon_code).in_(codes) & Cart.state.in_(_OPEN)] if codes else []
    states = (*_OPEN, CartState.RECOVERED)
    query = select(Cart).where(Cart.connector_id == connector_id, Cart.state.in_(states), or_(*ways))
    return list(session.scalars(query))


def _campaign(order: Order) -> int:
    """Return the cart that the buyer came by, 0 where the order names none."""
    named = _CAMPAIGN.fullmatch(str(order.meta.get(CAMPAIGN_KEY) or ""))
    return int(named[1]) if named else 0


def _matches(carts: Sequence[Cart], order: Order) -> list[_Match]:
    found = ((cart, _proof(cart, order)) for cart in carts if cart.state in _OPEN)
    return [_Match(cart, order, proof) for cart, proof in found if proof]


def _proof(cart: Cart, order: Order) -> str:
    """Return the strongest proof that an order is a cart's, "" where there is none."""
    if cart.order_id == order.id:
        return "order"
    if cart.coupon_code and cart.coupon_code.lower() in {code.lower() for code in order.coupons}:
        return "coupon"
    if _campaign(order) == cart.id:
        return "campaign"
    same = bool(cart.person_key) and visible(order.email) != "" and cart.person_key == person_key_of(order.email)
    return "email" if same and is_later(order.created_at, cart.created_at) else ""


def _bought(session: Session, now: datetime, matches: Sequence[_Match], paid: Collection[str]) -> list[Change]:
    """End the carts of an order: the one it is known by best is recovered when it is paid, the others are bought."""
    best, *others = matches
    changes = [_best(session, now, best, paid)]
    for other in others:
        if other.cart.state != CartState.SYNCED or best.order.status in paid:
            _end(session, now, other.cart, CartState.BOUGHT, f"{BOUGHT.sentence} Order {best.order.number}.")
            other.cart.reason = BOUGHT.code
    return [change for change in changes if change is not None]


def _best(session: Session, now: datetime, match: _Match, paid: Collection[str]) -> Change | None:
    cart, order = match.cart, match.order
    first = cart.bought_order_id != order.id
    cart.proof, cart.bought_order_id = match.proof, order.id
    if cart.synced_at is None:
        cart.reason = BOUGHT.code
        _end(session, now, cart, CartState.BOUGHT, f"Bought before it was sent, by order {order.number}.")
        return None
    if order.status not in paid:
        if first:
            _tell(session, now, cart, f"Order {order.number} was placed and waits for its payment.")
        return None
    cart.revenue, cart.revenue_currency = _revenue(order), order.currency or cart.currency
    _end(session, now, cart, CartState.RECOVERED, f"Recovered by order {order.number}: {PROOFS[match.proof]}.")
    return change_of(record_of(cart), RECOVERED, now)


def _follow_refunds(carts: Sequence[Cart], order: Order) -> None:
    """Let the revenue of a recovered cart follow what its order is worth after refunds."""
    for cart in carts:
        if cart.state == CartState.RECOVERED and cart.bought_order_id == order.id:
            cart.revenue = _revenue(order)


def _revenue(order: Order) -> str:
    return money.text(order.net_total, order.currency)


def _end(session: Session, now: datetime, cart: Cart, state: CartState, text: str) -> None:
    cart.state, cart.ended_at = state, now
    _tell(session, now, cart, text)


def _tell(session: Session, now: datetime, cart: Cart, text: str) -> None:
    session.add(CartEvent(cart_id=cart.id, at=now, text=text))


def record_of(cart: Cart) -> CartRecord:
    """Return a cart as Mautic is told that it was bought: whose it is, and by which order."""
    return CartRecord(
        id=cart.id,
        email=cart.email,
        currency=cart.currency,
        total=Decimal(cart.total or "0"),
        draft_id=cart.order_id or 0,
        created_at=cart.created_at,
        changed_at=cart.changed_at,
        order_id=cart.bought_order_id or 0,
        proof=cart.proof,
    )
