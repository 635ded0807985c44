"""A shop with coupons of carts, and the acts of a test in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from integration.models import Cart, CartEvent, Connector
from integration.pipeline.services import Services
from integration.sandbox.store import StoreServer
from tests import cart_rows


@dataclass
class Shop:
    """A shop with its connector."""

    services: Services
    connector_id: int
    store: StoreServer

    @property
    def connector(self) -> Connector:
        with self.services.db.read() as session:
            return session.get_one(Connector, self.connector_id)

    def coupon(self, **values: Any) -> int:
        code = f"recover-{len(self.store.state.coupons)}"
        made, _ = self.services.open_store(self.connector).post("coupons", {"code": code, "amount": "5"})
        self.store.state.coupons[made["id"]].update(values)
        return int(made["id"])

    def cart(self, coupon: int | None = None, age: timedelta = timedelta(), **values: Any) -> int:
        now = self.services.clock.now()
        given = {"coupon_id": coupon, "coupon_until": now + timedelta(days=1), "seen_at": now} | values
        with self.services.db.write() as session:
            cart = cart_rows.keep(session, self.connector_id, now - age, **given)
            cart.coupon_code = f"code-{cart.id}" if coupon else ""
            session.add(CartEvent(cart_id=cart.id, at=now, text="Seen."))
            return cart.id

    def carts(self) -> dict[int, Cart]:
        with self.services.db.read() as session:
            return {cart.id: cart for cart in session.scalars(select(Cart))}

    def calls(self) -> list[tuple[str, str]]:
        return [(call.method, call.path.partition("wc/v3/")[2]) for call in self.store.calls]
