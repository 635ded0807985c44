"""What leaves of carts: their coupons in the store, two calls a hundred, and old carts themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from integration.carts.cleanup import delete_coupons
from integration.clock import SetClock
from integration.engines import cart_cleanup
from integration.models import CartEvent
from integration.operations import retention
from integration.pipeline.connectors import connectors
from integration.settings import CartModule
from tests.carts.coupon_shop import Shop

OLD = timedelta(days=91)


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
