"""Coupons that carts leave in the store: deleted at once, or kept in the books until the store can be asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from integration.carts import acts, leftovers
from integration.carts.cleanup import delete_coupons
from integration.clock import SetClock
from integration.engines.clock_steps import MOMENTS
from integration.models import Cart, CartLeftover
from integration.pipeline.ingest.cart_keeping import ORDER_KEY, drop_twin
from integration.pipeline.ingest.cart_leftovers import MADE_WITHIN
from tests.carts.coupon_shop import Shop


def forget(shop: Shop, number: int) -> bool:
    """Forget a cart as its page does, and tell whether the coupon is gone."""
    with shop.services.db.write() as session:
        acts.forget(session, shop.services.clock.now(), number)
    return leftovers.delete_coupons(shop.services, shop.connector, number)


def booked(shop: Shop) -> list[CartLeftover]:
    with shop.services.db.read() as session:
        return list(session.scalars(select(CartLeftover)))


def test_a_forgotten_cart_leaves_no_coupon(shop: Shop) -> None:
    coupon, other = shop.coupon(), shop.coupon()
    number = shop.cart(coupon)
    shop.cart(other)
    assert forget(shop, number)
    assert (list(shop.store.state.coupons), booked(shop)) == ([other], [])


def test_a_cart_without_a_coupon_costs_the_store_no_call(shop: Shop) -> None:
    number = shop.cart()
    shop.store.calls.reset()
    assert forget(shop, number)
    assert shop.calls() == []


def test_a_store_that_is_down_is_asked_again_the_next_day(shop: Shop, clock: SetClock) -> None:
    number = shop.cart(shop.coupon())
    down = shop.store.faults.status(503)
    assert not forget(shop, number)
    assert (shop.carts(), len(booked(shop))) == ({}, 1)
    shop.store.faults.remove(down)
    assert leftovers.tick(shop.services) == 0
    clock.advance(days=1)
    assert leftovers.tick(shop.services) == 1
    assert (shop.store.state.coupons, booked(shop)) == ({}, [])


def test_what_the_store_keeps_stays_in_the_books_and_is_let_go_of_in_the_end(shop: Shop, clock: SetClock) -> None:
    number = shop.cart(shop.coupon())
    shop.store.faults.status(500, method="GET", path=r".*/coupons$")
    assert not forget(shop, number)
    clock.advance(days=29)
    leftovers.tick(shop.services)
    assert len(booked(shop)) == 1
    clock.advance(days=2)
    leftovers.tick(shop.services)
    assert booked(shop) == []


def test_a_coupon_that_an_order_has_used_is_the_order_s(shop: Shop) -> None:
    coupon = shop.coupon(usage_count=1)
    assert forget(shop, shop.cart(coupon))
    assert list(shop.store.state.coupons) == [coupon]


@pytest.mark.parametrize("was_made", [True, False])
def test_one_that_was_being_made_is_looked_for_by_its_code(shop: Shop, clock: SetClock, was_made: bool) -> None:
    number = shop.cart()
    if was_made:
        shop.coupon()
    with shop.services.db.write() as session:
        session.get_one(Cart, number).coupon_code = "RECOVER-0"
    assert not forget(shop, number)
    clock.advance(seconds=MADE_WITHIN.total_seconds())
    assert leftovers.tick(shop.services) == 1
    assert (shop.store.state.coupons, booked(shop)) == ({}, [])


def test_the_twin_of_a_cart_leaves_no_coupon(shop: Shop) -> None:
    number = shop.cart(shop.coupon(), state="active", synced_at=None, key=ORDER_KEY.format(7))
    with shop.services.db.write() as session:
        drop_twin(session, shop.services.clock.now(), shop.connector_id, 7)
    assert (number in shop.carts(), leftovers.tick(shop.services), shop.store.state.coupons) == (False, 1, {})


def test_a_cart_that_gave_way_leaves_no_coupon(shop: Shop) -> None:
    shop.cart(shop.coupon(), state="expired", reason="superseded")
    shop.cart(kept := shop.coupon(), state="expired", reason="too_late")
    assert delete_coupons(shop.services, shop.connector) == 1
    assert list(shop.store.state.coupons) == [kept]


def test_a_clock_that_is_set_back_does_not_keep_a_coupon(shop: Shop) -> None:
    (moment,) = [each for each in MOMENTS if each.column is CartLeftover.due_at]
    assert leftovers.AGAIN <= moment.most < leftovers.AGAIN + timedelta(hours=2)
