"""A cart that Mautic has and that is another person's by now, or gave way to a newer one of the same person."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from integration.carts import leftovers
from integration.models import Cart, CartLeftover, CartState, DeliveryState
from integration.pipeline.delivery import cart_marks
from integration.pipeline.delivery.groups import DeliveryGroup, Outcome, of_change
from integration.pipeline.delivery.planning import PersonPlan
from integration.pipeline.ingest import cart_orders, cart_succession
from integration.queries.carts import figures
from integration.sandbox.mautic.seed import seed
from integration.streams.carts import ABANDONED, MOVED, change_of
from tests import cart_rows
from tests.cart_rows import ANNA
from tests.road.carts import (
    Ahead,
    MakeRoad,
    carts_on,
    coupons,
    leave,
    one,
    only,
    rows,
    story,
    switched_on,
    tagged,
    tick,
)
from tests.road.conftest import Road

#: One kind of database is enough here; tests/road/test_carts.py and tests/carts use both.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OTTO = "otto@shop.example"
PHONE, LAPTOP = "phone-of-the-shopper", "laptop-of-the-shopper"
FIELDS = ("mautic_woo_cart_data", "mautic_woo_recovery_url", "mautic_woo_coupon_code", "mautic_woo_cart_html")


def sent(make_road: MakeRoad, **settings: Any) -> Road:
    """A road whose Anna has a cart in Mautic."""
    road = carts_on(make_road, Ahead(), carts__coupon="percent", **settings)
    seed(road.mautic.state)
    leave(road, ANNA, cart=PHONE)
    tick(road)
    road.work()
    return road


def held(road: Road, email: str) -> list[object]:
    return [road.contact(email).values.get(field) or "" for field in FIELDS]


def leftover(road: Road) -> list[CartLeftover]:
    with road.services.db.read() as session:
        return list(session.scalars(select(CartLeftover)))


def test_who_changes_the_address_after_the_cart_was_sent_takes_it_from_the_former_contact(make_road: MakeRoad) -> None:
    road = sent(make_road, carts__segment=1, carts__leave_segment=True)
    anna = road.contact(ANNA)
    anna.values["firstname"] = "Anna"
    assert (all(held(road, ANNA)), 1 in anna.segments) == (True, True)
    leave(road, OTTO, cart=PHONE, n=2)
    tick(road)
    road.work()
    assert (held(road, ANNA), anna.values["firstname"], 1 in anna.segments) == ([""] * 4, "Anna", False)
    assert (tagged(road), all(held(road, OTTO))) == ({OTTO}, True)
    assert [row.event for row in road.deliveries()] == ["abandoned", "abandoned", "moved"]
    assert [c["email_restrictions"] for c in coupons(road)] == [[OTTO]]
    log = [(entry.action, entry.contact_id) for entry in road.log() if entry.action != "create_coupon"]
    assert ("cart_removal", anna.id) in log
    assert ("remove_from_segment", anna.id) in log
    assert f"The address was changed. Contact {anna.id} loses the cart's tag and fields in Mautic." in story(road)
    assert f"Contact {anna.id} has the cart no more." in story(road)
    assert (only(road).state, only(road).contact_id) == (CartState.SYNCED, road.contact(OTTO).id)


def test_a_consent_that_is_taken_back_leaves_neither_cart_nor_coupon_anywhere(make_road: MakeRoad) -> None:
    road = carts_on(make_road, Ahead(), carts__coupon="percent", carts__silent=False)
    leave(road, ANNA, cart=PHONE, consent={"ticked": True})
    tick(road)
    road.work()
    assert (tagged(road), len(coupons(road))) == ({ANNA}, 1)
    leave(road, ANNA, cart=PHONE, n=2, consent={"ticked": False})
    tick(road)
    road.work()
    assert (held(road, ANNA), tagged(road), coupons(road), leftover(road)) == ([""] * 4, set(), [], [])
    (row,) = [each for each in road.deliveries() if each.event == MOVED]
    assert ANNA not in str(row.payload)


def test_an_address_that_is_taken_out_again_is_reminded_no_more(make_road: MakeRoad) -> None:
    road = sent(make_road)
    leave(road, "", cart=PHONE, n=2)
    tick(road)
    road.work()
    assert (held(road, ANNA), tagged(road), coupons(road)) == ([""] * 4, set(), [])


def test_a_former_contact_that_is_gone_is_not_made_again(make_road: MakeRoad) -> None:
    road = sent(make_road)
    del road.mautic.state.contacts[road.contact(ANNA).id]
    leave(road, OTTO, cart=PHONE, n=2)
    tick(road)
    road.work()
    assert tagged(road) == {OTTO}
    assert [(row.state, row.error_code) for row in road.deliveries() if row.event == MOVED] == [
        ("skipped", "contact_gone")
    ]
    assert any(text.startswith("At the former contact nothing was changed") for text in story(road))


def test_a_former_contact_with_another_cart_keeps_that_one(make_road: MakeRoad) -> None:
    road = switched_on(make_road)
    now = road.services.clock.now()
    with road.services.db.write() as session:
        first = cart_rows.keep(session, road.connector_id, now, email=OTTO)
        another = cart_rows.keep(session, road.connector_id, now, state="abandoned", prepared_at=now)
        whose = {"connector_id": road.connector_id, "cart_id": first.id, "person_key": another.person_key}
        session.add(CartLeftover(**whose, noted_at=now, due_at=now))
    leftovers.tick(road.services)
    assert len(leftover(road)) == 1, "the other cart is on its way and may never arrive"
    with road.services.db.write() as session:
        session.get_one(Cart, another.id).contact_id = 5
    leftovers.tick(road.services)
    assert (leftover(road), road.deliveries()) == ([], [])
    assert story(road) == ["The former contact has another cart in Mautic by now, which stays."]


def test_a_cart_that_was_on_its_way_when_the_address_changed_is_taken_back(make_road: MakeRoad) -> None:
    road = switched_on(make_road)
    now = road.services.clock.now()
    with road.services.db.write() as session:
        cart = cart_rows.keep(session, road.connector_id, now, state="abandoned")
        leased = of_change(1, change_of(cart_orders.record_of(cart), ABANDONED, now))
        former, cart.email, cart.person_key = cart.person_key, OTTO, "otto"
        plan = PersonPlan(DeliveryGroup(leased.person_key, (leased,)), None)
        cart_marks.mark(
            session, now, road.connector_id, [plan], [Outcome(1, DeliveryState.DELIVERED, "created", contact_id=5)]
        )
    assert [each.person_key for each in leftover(road)] == [former]
    assert (only(road).state, only(road).contact_id) == (CartState.ABANDONED, None)


def test_one_person_with_two_carts_is_reminded_of_the_newest(make_road: MakeRoad) -> None:
    road = carts_on(make_road, Ahead(), carts__coupon="percent")
    leave(road, ANNA, cart=PHONE, minutes=9)
    leave(road, ANNA, cart=LAPTOP, minutes=5)
    tick(road)
    road.work()
    assert [(cart.state, cart.reason, cart.coupon_id is None) for cart in rows(road)] == [
        ("expired", "superseded", True),
        ("synced", "", False),
    ]
    assert (len(coupons(road)), [row.source_id for row in road.deliveries()]) == (1, [str(rows(road)[1].id)])


def test_an_older_cart_waits_for_a_newer_one_that_the_shopper_is_at_unless_that_is_empty(make_road: MakeRoad) -> None:
    road = carts_on(make_road, Ahead())
    leave(road, ANNA, cart=PHONE, minutes=9)
    leave(road, ANNA, cart=LAPTOP, minutes=0)
    tick(road)
    assert road.deliveries() == []
    leave(road, ANNA, cart=LAPTOP, n=2, minutes=0, items=[])
    tick(road)
    road.work()
    assert [cart.state for cart in rows(road)] == ["synced", "active"]


def test_a_newer_cart_takes_the_place_of_one_in_mautic_and_counts_once(make_road: MakeRoad) -> None:
    road = sent(make_road)
    before = held(road, ANNA)
    leave(road, ANNA, cart=LAPTOP, minutes=1)
    tick(road)
    assert one(road, rows(road)[0].id).state == CartState.SYNCED, "an order may still recover it"
    road.work()
    older, newer = rows(road)
    assert (older.state, older.reason, newer.state) == ("expired", "superseded", "synced")
    assert (held(road, ANNA) == before, tagged(road)) == (False, {ANNA})
    begin, end = older.created_at, road.services.clock.now()
    with road.services.db.read() as session:
        counted = figures(session, road.connector_id, begin, end)
    assert (counted.left, counted.announced) == (1, 1)
    road.arrive(road.order(ANNA, "processing"))
    road.work()
    assert [cart.state for cart in rows(road)] == ["expired", "recovered"]
    assert tagged(road) == set()


def test_one_that_waits_for_mautic_as_it_gives_way_is_not_sent(make_road: MakeRoad) -> None:
    road = carts_on(make_road, Ahead())
    leave(road, ANNA, cart=PHONE, minutes=9)
    tick(road)
    leave(road, ANNA, cart=LAPTOP, minutes=5)
    tick(road)
    road.work()
    assert [(row.state, row.error_code) for row in road.deliveries()] == [("skipped", "superseded"), ("delivered", "")]
    assert [cart.synced_at is None for cart in rows(road)] == [True, False]


def test_one_that_was_on_its_way_as_it_gave_way_stands_until_the_newer_one_arrives(make_road: MakeRoad) -> None:
    road = carts_on(make_road, Ahead())
    leave(road, ANNA, cart=PHONE, minutes=9)
    tick(road)
    leave(road, ANNA, cart=LAPTOP, minutes=5)
    tick(road)
    (older, _), now = rows(road), road.services.clock.now()
    assert older.reason == "superseded"
    with road.services.db.write() as session:
        cart = session.get_one(Cart, older.id)
        leased = of_change(1, change_of(cart_orders.record_of(cart), ABANDONED, now))
        plan = PersonPlan(DeliveryGroup(leased.person_key, (leased,)), None)
        outcome = Outcome(1, DeliveryState.DELIVERED, "created", contact_id=5)
        cart_marks.mark(session, now, road.connector_id, [plan], [outcome])
        assert (cart.state, cart.reason) == (CartState.SYNCED, "")
        newer = session.scalars(select(Cart).where(Cart.id != older.id)).one()
        assert cart_succession.newer_of(session, cart) is newer
    road.work()
    assert [cart.state for cart in rows(road)] == ["expired", "synced"]
