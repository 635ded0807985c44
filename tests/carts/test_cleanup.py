"""What leaves of carts: their coupons in the store, two calls a hundred, and old carts themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from integration.carts.cleanup import delete_coupons
from integration.clock import SetClock
from integration.config import Deployment
from integration.engines import cart_cleanup
from integration.models import Cart, CartEvent, Connector
from integration.models.database import Database
from integration.operations import retention
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from integration.sandbox.store import StoreServer
from integration.settings import CartModule
from tests import cart_rows

OLD = timedelta(days=91)


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


@pytest.fixture
def shop(db: Database, clock: SetClock, deployment: Deployment) -> Iterator[Shop]:
    services = open_services(deployment, database=db, clock=clock)
    with StoreServer() as store:
        key = store.credentials
        number = connectors.create(
            services, organisation_id=1, name="Shop", store_url=store.url, store_key=key.key, store_secret=key.secret
        )
        yield Shop(services, number, store)


def test_coupons_that_nobody_can_or_need_use_are_deleted_in_two_calls(shop: Shop) -> None:
    yesterday = shop.services.clock.now() - timedelta(days=1)
    expired, bought, withdrawn, old, valid, used, lost = (shop.coupon() for _ in range(7))
    shop.store.state.coupons[used]["usage_count"] = 1
    del shop.store.state.coupons[lost]
    numbers = {
        "expired": shop.cart(expired, coupon_until=yesterday),
        "bought": shop.cart(bought, state="bought"),
        "withdrawn": shop.cart(withdrawn, state="no_consent"),
        "old": shop.cart(old, OLD),
        "valid": shop.cart(valid),
        "used": shop.cart(used, state="recovered"),
        "lost": shop.cart(lost, coupon_until=yesterday),
    }
    shop.cart()
    shop.store.calls.reset()
    assert delete_coupons(shop.services, shop.connector) == 6
    assert shop.calls() == [("GET", "coupons"), ("POST", "coupons/batch")]
    assert set(shop.store.state.coupons) == {valid, used}
    kept = shop.carts()
    left = {name: (kept[number].coupon_id, kept[number].coupon_code) for name, number in numbers.items()}
    assert left == {
        "expired": (None, ""),
        "bought": (None, "code-2"),
        "withdrawn": (None, ""),
        "old": (None, ""),
        "valid": (valid, "code-5"),
        "used": (None, "code-6"),
        "lost": (None, ""),
    }
    shop.store.calls.reset()
    assert delete_coupons(shop.services, shop.connector) == 0
    assert shop.calls() == []


def test_a_hundred_coupons_cost_two_calls(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integration.carts.cleanup.BATCH_MAX", 3)
    for _ in range(7):
        shop.cart(shop.coupon(), state="bought")
    shop.store.calls.reset()
    assert delete_coupons(shop.services, shop.connector) == 7
    assert len(shop.calls()) == 6


def test_a_store_that_is_down_is_asked_again_the_next_day_and_only_then(shop: Shop, clock: SetClock) -> None:
    coupon = shop.coupon()
    number = shop.cart(coupon, state="bought")
    down = shop.store.faults.status(503)
    assert cart_cleanup.tick(shop.services) == 0
    assert shop.carts()[number].coupon_id == coupon
    shop.store.faults.remove(down)
    assert cart_cleanup.tick(shop.services) == 0
    clock.advance(days=1)
    assert cart_cleanup.tick(shop.services) == 1
    assert shop.store.state.coupons == {}


def test_a_coupon_that_the_store_cannot_give_stays_in_the_books(shop: Shop) -> None:
    number = shop.cart(coupon := shop.coupon(), state="bought")
    sick = shop.store.faults.status(500, method="GET", path=r".*/coupons$")
    assert delete_coupons(shop.services, shop.connector) == 0
    assert shop.carts()[number].coupon_id == coupon
    shop.store.faults.remove(sick)
    assert delete_coupons(shop.services, shop.connector) == 1
    assert shop.store.state.coupons == {}


def test_what_the_store_keeps_is_tried_again(shop: Shop) -> None:
    coupon = shop.coupon()
    number = shop.cart(coupon, state="bought")
    key = shop.store.credentials.read_only
    connectors.connect(shop.services, shop.connector_id, store_key=key.key, store_secret=key.secret)
    assert cart_cleanup.tick(shop.services) == 0
    assert shop.carts()[number].coupon_id == coupon


def test_carts_older_than_they_are_kept_go_with_their_story(shop: Shop) -> None:
    now = shop.services.clock.now()
    kept = {
        shop.cart(age=timedelta(days=90)),
        shop.cart(age=OLD, prepared_at=now - timedelta(days=2)),
        shop.cart(shop.coupon(), age=OLD),
    }
    shop.cart(age=OLD)
    shop.cart(age=OLD, prepared_at=now - OLD)
    shop.cart(shop.coupon(), age=OLD + timedelta(days=7))
    assert retention.prune(shop.services, now, batch=2, pause=lambda: None)["carts"] == 3
    assert set(shop.carts()) == kept
    with shop.services.db.read() as session:
        assert set(session.scalars(select(CartEvent.cart_id))) == kept


def test_carts_are_not_deleted_before_they_can_be_abandoned() -> None:
    fields = [error.name for error in CartModule(timeout=1440, keep_days=1).contradictions()]
    assert fields == ["carts.keep_days"]
    assert CartModule(timeout=1439, keep_days=1).contradictions() == []
