"""Coupons of left carts: one for each, whatever fails on the way, and none where it would not help."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import update

from integration.carts import announcing
from integration.models import Cart
from tests.road.carts import Ahead, MakeRoad, carts_on, coupons, leave, only, product, rows, story, tick

#: One kind of database is enough here; tests/road/test_carts.py and tests/carts use both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_coupon_that_the_shop_changed_is_deleted_and_said(make_road: MakeRoad) -> None:
    road = carts_on(make_road, carts__coupon="percent")
    leave(road, "anna@shop.example", "otto@shop.example")
    with road.services.db.write() as session:
        session.execute(update(Cart).where(Cart.email.like("anna%")).values(email="änna@shop.example"))
    tick(road)
    changed, good = rows(road)
    assert (changed.coupon_id, changed.coupon_code) == (None, "")
    assert "changed the address" in changed.problem
    assert [coupon["id"] for coupon in coupons(road)] == [good.coupon_id]
    assert [(e.action, e.status) for e in road.log()] == [("create_coupon", "error"), ("create_coupon", "success")]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_shop_that_refuses_coupons_gets_its_carts_announced_without(make_road: MakeRoad, status: int) -> None:
    road = carts_on(make_road, carts__coupon="percent")
    body = json.dumps({"code": "woocommerce_rest_cannot_batch", "message": "No.", "data": {"status": status}})
    road.store.faults.status(status, path="/wp-json/wc/v3/coupons", body=body)
    leave(road, "anna@shop.example", "otto@shop.example")
    tick(road)
    assert [(cart.state, cart.prepared_at is not None) for cart in rows(road)] == [("abandoned", True)] * 2
    assert all("It has no coupon" in cart.problem for cart in rows(road))
    assert [(entry.action, entry.status) for entry in road.log()] == [("create_coupon", "error")]


@pytest.mark.parametrize("version", ["9.9.5", "10.5.0"])
def test_a_lost_answer_makes_no_second_coupon(make_road: MakeRoad, version: str) -> None:
    clock = Ahead()
    road = carts_on(make_road, clock, carts__coupon="fixed_cart")
    road.store.state.version = version
    road.store.faults.lose_answer(path="/wp-json/wc/v3/coupons/batch", times=1)
    leave(road)
    tick(road)
    assert (only(road).prepared_at, len(coupons(road))) == (None, 1)
    clock.advance(minutes=2)
    tick(road)
    assert (only(road).coupon_id, only(road).problem) == (coupons(road)[0]["id"], "")
    assert len(coupons(road)) == 1


def test_a_kill_between_coupon_and_commit_makes_no_second_coupon(
    make_road: MakeRoad, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Ahead()
    road = carts_on(make_road, clock, carts__coupon="percent")
    leave(road)

    def killed(*_: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(announcing, "write", killed)
        with pytest.raises(SystemExit):
            tick(road)
    tick(road)
    assert (only(road).prepared_at, len(coupons(road))) == (None, 1)
    clock.advance(minutes=11)
    tick(road)
    assert (only(road).coupon_id, only(road).coupon_code) == (coupons(road)[0]["id"], coupons(road)[0]["code"])
    assert len(coupons(road)) == 1


def test_a_later_announcement_has_the_same_link_and_coupon_and_another_address_another_coupon(
    make_road: MakeRoad,
) -> None:
    road = carts_on(make_road, carts__coupon="percent")
    leave(road)
    tick(road)
    first = only(road)
    leave(road, n=2, items=[{"id": product(road)["id"], "qty": 9}])
    tick(road)
    second = only(road)
    assert second.lines != first.lines
    assert (second.token_digest, second.coupon_id) == (first.token_digest, first.coupon_id)
    leave(road, n=3, email="anna.maria@shop.example")
    tick(road)
    (coupon,) = coupons(road)
    assert (coupon["email_restrictions"], coupon["id"]) == (["anna.maria@shop.example"], only(road).coupon_id)
    assert only(road).coupon_code != first.coupon_code


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"carts__coupon": "percent", "carts__coupon_minimum": "50"},
            "worth 47.90 EUR, and it takes 50.00 EUR",
        ),
        ({"carts__coupon": "free_shipping"}, "no shipping zone"),
    ],
)
def test_a_cart_that_a_coupon_would_not_help_gets_none(make_road: MakeRoad, settings: Any, said: str) -> None:
    road = carts_on(make_road, **settings)
    leave(road)
    tick(road)
    assert (coupons(road), only(road).coupon_code, only(road).prepared_at is not None) == ([], "", True)
    assert any(said in text for text in story(road))
