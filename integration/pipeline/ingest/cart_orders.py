"""What an order means for its buyer's carts: bought before they were sent, waiting for payment, or recovered (P60).

Of the proofs that an order is a cart's the strongest counts (mapping.cart_orders.PROOFS); an order recovers one cart,
and the buyer's others end with it. Only the newest sighting of an order counts, which the ledger knows.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, or_, select
from sqlalchemy.orm import Session

from integration import money
from integration.events import Change
from integration.identity import person_key_of, visible
from integration.mapping.cart_orders import CAMPAIGN, PROOFS, is_later, is_placed
from integration.models.cart import OPEN, Cart, CartState
from integration.models.connector import Connector
from integration.models.ledger import LedgerEntry
from integration.pipeline.ingest import store_clock
from integration.pipeline.ingest.cart_keeping import tell
from integration.pipeline.ingest.order_ledger import GONE
from integration.records import Cart as CartRecord, Order
from integration.settings import Modules
from integration.store.parse import CAMPAIGN_KEY
from integration.store.sanitizing import INTEGER_MAX
from integration.streams.carts import BOUGHT, RECOVERED, change_of

#: States in which a cart follows what becomes of its order.
FOLLOWING = (*OPEN, CartState.BOUGHT, CartState.RECOVERED)
_CAMPAIGN = re.compile(re.escape(CAMPAIGN).replace(r"\{\}", r"([1-9]\d{0,18})"))
_STRENGTH = list(PROOFS)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


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
    """Note placed and paid orders on their carts and return what Mautic is to be told of; the caller queues it.

    To be called when the ledger has the orders. One query where none of them has to do with a cart.
    """
    carts = session.scalars(*candidates(connector_id, orders)).all() if orders else ()
    if not carts:
        return []
    paid = Modules.from_json(session.get_one(Connector, connector_id).settings).orders.paid_statuses
    found: list[Change] = []
    for order in _newest(session, now, connector_id, orders):
        _follow(session, now, carts, order)
        mine = sorted(_matches(carts, order), key=lambda match: match.rank)
        if mine and is_placed(order.status, own=mine[0].cart.order_id == order.id):
            found += _bought(session, now, mine, paid)
    return found


def candidates(connector_id: int, orders: Sequence[Order]) -> tuple[Select[tuple[Cart]], dict[str, Any]]:
    """Return the query for the carts that one of the orders may be about, and its values."""
    people = {person_key_of(order.email) for order in orders if visible(order.email)}
    # As we made them, and as WooCommerce 10 gives them back (storefront:110).
    codes = {form for order in orders for code in order.coupons for form in (code.upper(), code.lower())}
    campaigns = {number for order in orders if (number := _campaign(order))}
    values = {"connector_id": connector_id, "ids": [order.id for order in orders]}
    ways = {"people": list(people), "codes": list(codes), "campaigns": list(campaigns)}
    return _candidates(people=bool(people), codes=bool(codes), campaigns=bool(campaigns)), {**values, **ways}


@functools.cache
def _candidates(*, people: bool, codes: bool, campaigns: bool) -> Select[tuple[Cart]]:
    """Return the query for carts by what the orders tell; each proof has an index of its own."""
    ids: BindParameter[list[int]] = bindparam("ids")
    ways: list[ColumnElement[bool]] = [Cart.order_id.in_(ids), Cart.bought_order_id.in_(ids)]
    ways += [Cart.person_key.in_(bindparam("people"))] if people else []
    ways += [Cart.coupon_code.in_(bindparam("codes"))] if codes else []
    ways += [Cart.id.in_(bindparam("campaigns"))] if campaigns else []
    mine = (Cart.connector_id == bindparam("connector_id"), Cart.state.in_(FOLLOWING), or_(*ways))
    return select(Cart).where(*mine).order_by(Cart.id).with_for_update()


def names_cart(order: Order) -> bool:
    """Tell whether an order says by itself which cart it may be: by a coupon, or by what brought the buyer."""
    return bool(order.coupons) or _campaign(order) != 0


def _newest(session: Session, now: datetime, connector_id: int, orders: Sequence[Order]) -> list[Order]:
    """Return the orders without those that the ledger knows a newer sighting of, or that are gone from the store."""
    columns = (LedgerEntry.order_id, LedgerEntry.modified_at, LedgerEntry.status)
    mine = (LedgerEntry.connector_id == connector_id, LedgerEntry.order_id.in_([order.id for order in orders]))
    known = {number: (at, status) for number, at, status in session.execute(select(*columns).where(*mine)).tuples()}
    future = store_clock.future(session, now, connector_id)
    seen = [(order, *known.get(order.id, (None, ""))) for order in orders if order.status]
    return [
        order
        for order, at, status in seen
        if status != GONE and not store_clock.is_older(order.modified_at, at, future)
    ]


def _campaign(order: Order) -> int:
    """Return the cart that the buyer came by, 0 where the order names none."""
    named = _CAMPAIGN.fullmatch(str(order.meta.get(CAMPAIGN_KEY) or ""))
    return int(named[1]) if named and int(named[1]) <= INTEGER_MAX else 0


def _matches(carts: Iterable[Cart], order: Order) -> list[_Match]:
    found = ((cart, _proof(cart, order)) for cart in carts if cart.state in OPEN)
    return [_Match(cart, order, proof) for cart, proof in found if proof]


def _proof(cart: Cart, order: Order) -> str:
    """Return the strongest proof that an order is a cart's, "" where there is none."""
    if cart.order_id == order.id:
        return "order"
    if cart.coupon_code and cart.coupon_code.casefold() in {code.casefold() for code in order.coupons}:
        return "coupon"
    if _campaign(order) == cart.id:
        return "campaign"
    same = bool(cart.person_key) and visible(order.email) != "" and cart.person_key == person_key_of(order.email)
    return "email" if same and is_later(order.created_at, cart.created_at) else ""


def _bought(session: Session, now: datetime, matches: Sequence[_Match], paid: Collection[str]) -> list[Change]:
    """End the carts of an order: the one it is known by best is recovered when it is paid, the others are bought.

    While it is not paid, a cart that Mautic has stays there: nothing more is announced of it, and it waits.
    """
    best, order = matches[0], matches[0].order
    others = [match.cart for match in matches[1:]]
    others += _of_the_same_person(session, best, {match.cart.id for match in matches})
    is_paid = order.status in paid
    ended = [best.cart] if _best(session, now, best, is_paid=is_paid) else []
    for cart in others:
        if cart.synced_at is not None and not is_paid:
            _wait(cart)
            continue
        cart.reason = BOUGHT.code
        _end(session, now, cart, CartState.BOUGHT, f"{BOUGHT.sentence} Order {order.number}.")
        ended += [cart] if cart.synced_at is not None else []
    return _owed(session, now, ended)


def _of_the_same_person(session: Session, best: _Match, known: Collection[int]) -> list[Cart]:
    """Return further carts of whoever left the cart, where they have ordered by another address."""
    cart, order = best.cart, best.order
    if not cart.person_key or (visible(order.email) and cart.person_key == person_key_of(order.email)):
        return []
    mine = (Cart.connector_id == cart.connector_id, Cart.person_key == cart.person_key)
    rows = session.scalars(select(Cart).where(*mine, Cart.state.in_(OPEN), Cart.id.not_in(known)).order_by(Cart.id))
    return [row for row in rows if is_later(order.created_at, row.created_at)]


def _best(session: Session, now: datetime, match: _Match, *, is_paid: bool) -> bool:
    """Note the order on the cart that it is known by best and tell whether the cart is recovered by it."""
    cart, order = match.cart, match.order
    first = cart.bought_order_id != order.id
    cart.proof, cart.bought_order_id = match.proof, order.id
    if cart.synced_at is None:
        cart.reason = BOUGHT.code
        _end(session, now, cart, CartState.BOUGHT, f"Bought before it was sent, by order {order.number}.")
        return False
    if not is_paid:
        _wait(cart)
        if first:
            tell(session, now, cart, f"Order {order.number} was placed and waits for its payment.")
        return False
    cart.revenue, cart.revenue_currency = _revenue(order), order.currency or cart.currency
    _end(session, now, cart, CartState.RECOVERED, f"Recovered by order {order.number}: {PROOFS[match.proof]}.")
    return True


def _wait(cart: Cart) -> None:
    """Let a cart that was changed after it was sent not be announced again: it has been ordered."""
    cart.state, cart.due_at = CartState.SYNCED, None


def _owed(session: Session, now: datetime, ended: Sequence[Cart]) -> list[Change]:
    """Return what Mautic is told of carts that ended there, once a person; the first of a person's stands for them.

    Mautic has one cart of a person, the one that was announced last: when that is none of these, it stays.
    """
    people: dict[str, list[Cart]] = {}
    for cart in ended:
        people.setdefault(cart.person_key, []).append(cart)
    newest = _newest_announced(session, ended) if ended else {}
    found: list[Change] = []
    for person_key, carts in people.items():
        if newest.get(person_key, _NEVER) > max(map(_announced_at, carts)):
            text = "Mautic has a newer cart of this person by now, so its fields stay as they are."
            tell(session, now, carts[0], text)
        else:
            found.append(change_of(record_of(carts[0]), RECOVERED, now))
    return found


def _newest_announced(session: Session, ended: Sequence[Cart]) -> dict[str, datetime]:
    """Return when a cart of these people was announced last that goes on, by person key."""
    people = {cart.person_key for cart in ended}
    mine = (Cart.connector_id == ended[0].connector_id, Cart.person_key.in_(people), Cart.state.in_(OPEN))
    newest: dict[str, datetime] = {}
    for cart in session.scalars(select(Cart).where(*mine, Cart.synced_at.is_not(None))):
        newest[cart.person_key] = max(newest.get(cart.person_key, _NEVER), _announced_at(cart))
    return newest


def _announced_at(cart: Cart) -> datetime:
    """Return when a cart was last made ready for Mautic; `synced_at` is the first time that it arrived."""
    return max(cart.synced_at or _NEVER, cart.prepared_at or _NEVER)


def _follow(session: Session, now: datetime, carts: Iterable[Cart], order: Order) -> None:
    """Let carts follow what has become of their order: what it brings in, or that it came to nothing."""
    for cart in carts:
        if cart.bought_order_id != order.id:
            continue
        if cart.state == CartState.RECOVERED:
            cart.revenue = _revenue(order)
        elif is_placed(order.status, own=False):
            continue
        elif cart.state in OPEN:
            cart.bought_order_id, cart.proof = None, ""
            tell(session, now, cart, f"Order {order.number} is {order.status}, so the cart is not recovered by it.")
        elif order.status == "failed" and cart.synced_at is None and not _goes_on(carts, cart):
            _open_again(session, now, cart, order)


def _goes_on(carts: Iterable[Cart], ended: Cart) -> bool:
    """Tell whether another cart of the same person is open, with which they went on."""
    return any(cart.state in OPEN and cart.person_key == ended.person_key for cart in carts)


def _open_again(session: Session, now: datetime, cart: Cart, order: Order) -> None:
    """Let a cart that was not sent go on where the payment failed: the order is its own from now on.

    Who has cancelled, on the other hand, has made up their mind and is not reminded.
    """
    cart.bought_order_id, cart.proof, cart.order_id = None, "", order.id
    cart.state, cart.reason, cart.ended_at, cart.prepared_at = CartState.ACTIVE, "", None, None
    cart.changed_at = max(cart.changed_at, min(order.modified_at or cart.changed_at, now))
    tell(session, now, cart, f"The payment of order {order.number} failed, so the cart is open again.")


def _revenue(order: Order) -> str:
    """Return what an order brings in: its total less refunds, nothing when it was cancelled or its payment failed."""
    return money.text(order.net_total if is_placed(order.status, own=False) else Decimal(0), order.currency)


def _end(session: Session, now: datetime, cart: Cart, state: CartState, text: str) -> None:
    cart.state, cart.ended_at, cart.due_at = state, now, None
    tell(session, now, cart, text)


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
