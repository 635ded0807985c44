"""Carts that follow an order: a newer sighting of the order, or another one of the buyer's, may end or open them."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import bindparam, or_, select
from sqlalchemy.orm import Session

from integration.models.cart import Cart
from integration.models.membership import among
from integration.pipeline.ingest.cart_orders import FOLLOWING

_CONCERNED = select(Cart.person_key, Cart.order_id, Cart.bought_order_id).where(
    Cart.connector_id == bindparam("of_connector"),
    Cart.state.in_(FOLLOWING),
    or_(
        among(Cart.person_key, bindparam("people")),
        among(Cart.order_id, bindparam("orders")),
        among(Cart.bought_order_id, bindparam("orders")),
    ),
)


def concerned(
    session: Session, connector_id: int, people: Collection[str], order_ids: Collection[int]
) -> tuple[set[str], set[int]]:
    """Return which of these people have a cart that follows an order, and which of these orders are one's.

    Of coupons and campaigns it tells nothing: the list of orders has neither (`reading.LEDGER_FIELDS`), and whoever
    reads orders whole asks `names_cart`.
    """
    values = {"of_connector": connector_id, "people": sorted(people), "orders": sorted(order_ids)}
    rows = session.execute(_CONCERNED, values).tuples().all()
    return {person_key for person_key, _, _ in rows}, {number for _, *ids in rows for number in ids if number}
