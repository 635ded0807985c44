"""What unfinished orders tell of carts: idleness by address and lines, and nothing without consent (P51, P52)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.carts.capture import capture
from integration.carts.captured import Captured
from integration.models import Cart, CartState, Connector
from integration.pipeline.ingest import order_carts
from integration.pipeline.ingest.cart_keeping import ITEMS_MAX
from integration.settings import CartModule
from tests.carts.conftest import dates
from tests.conftest import NOON

BOX, SILENT = CartModule(enabled=True), CartModule(enabled=True, silent=True)
TICKED = {"meta_data": [{"key": "_wc_other/woo-mautic/cart-reminder", "value": "1"}]}
LINE = {
    "product_id": 13,
    "variation_id": 0,
    "quantity": 2,
    "name": "Tea &amp; more",
    "total": "9.00",
    "total_tax": "1.98",
}


def order(minutes: float = 0, email: str = "Anna@shop.example", **fields: Any) -> dict[str, Any]:
    """An order that was begun at noon and changed so many minutes later."""
    head = {"id": 7, "status": "checkout-draft", "currency": "EUR", "customer_id": 0, "prices_include_tax": False}
    return {**head, **dates(minutes), "billing": {"email": email}, "line_items": [LINE], "meta_data": [], **fields}


def take(session: Session, *orders: dict[str, Any], module: CartModule = SILENT, minutes: float = 0) -> None:
    connector = session.get_one(Connector, 1)
    order_carts.take(session, NOON + timedelta(minutes=minutes), connector, module, orders)


def carts(session: Session) -> list[Cart]:
    return list(session.scalars(select(Cart).order_by(Cart.id)))


def script(session: Session, minutes: float = 0, module: CartModule = BOX, **values: Any) -> None:
    given = {"cart": "k" * 20, "n": int(minutes) + 1, "email": "anna@shop.example", "items": [{"id": 13, "qty": 2}]}
    ticked = {"ticked": True, "text": "Remind me."}
    state = Captured.model_validate(given | {"consent": ticked} | values)
    capture(session, NOON + timedelta(minutes=minutes), 1, module, state)


def moment(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_draft_is_a_cart_and_a_reload_of_the_checkout_is_no_change(session: Session) -> None:
    take(session, order(1), minutes=3)
    take(session, order(30), minutes=31)
    (cart,) = carts(session)
    assert (cart.key, cart.source, cart.email, cart.order_id) == ("order:7", "order", "Anna@shop.example", 7)
    assert cart.items == [{"id": 13, "qty": 2.0, "variation": []}]
    assert (cart.created_at, cart.changed_at, cart.seen_at) == (NOON, moment(1), moment(31))


def test_another_address_or_other_lines_are_a_change_and_an_older_sighting_is_none(session: Session) -> None:
    take(session, order(1), minutes=1)
    take(session, order(5, "anna@shop.example", line_items=[{**LINE, "quantity": 3}]), minutes=6)
    take(session, order(1), minutes=7)
    (cart,) = carts(session)
    assert (cart.changed_at, cart.items and cart.items[0]["qty"]) == (moment(5), 3)
    take(session, order(8, "otto@shop.example"), minutes=8)
    assert (carts(session)[0].email, carts(session)[0].changed_at) == ("otto@shop.example", moment(8))
    take(session, order(9, "", line_items=[]), minutes=9)
    assert (carts(session)[0].email, carts(session)[0].items) == ("", [])


@pytest.mark.parametrize("status", ["checkout-draft", "pending", "failed"])
@pytest.mark.parametrize(
    ("module", "meta", "kept"),
    [
        (SILENT, {}, "silent"),
        (BOX, TICKED, "store_field"),
        (BOX, {}, ""),
        (BOX, {"meta_data": [{**TICKED["meta_data"][0], "value": ""}]}, ""),
        (CartModule(enabled=True, box=False), TICKED, None),
        (CartModule(enabled=False, silent=True), TICKED, None),
        (CartModule(enabled=True, silent=True, from_orders=False), TICKED, None),
    ],
)
def test_the_matrix_of_consent(session: Session, status: str, module: CartModule, meta: Any, kept: str | None) -> None:
    take(session, order(status=status, **meta), module=module)
    found = carts(session)
    assert len(found) == (kept is not None)
    for cart in found:
        assert (cart.consent or {}).get("source", "") == kept
        assert (cart.consent or {}).get("draft_id", 7) == 7
        private = (cart.email, cart.person_key != "", cart.items is not None, cart.customer_id)
        assert private == (("Anna@shop.example", True, True, None) if kept else ("", False, False, None))
        assert cart.state == (CartState.ACTIVE if kept else CartState.NO_CONSENT)


def test_a_tick_that_is_taken_back_leaves_nothing_and_one_that_comes_later_counts(session: Session) -> None:
    take(session, order(1, **TICKED), module=BOX, minutes=1)
    take(session, order(2), module=BOX, minutes=2)
    assert [(cart.state, cart.email, cart.consent) for cart in carts(session)] == [("no_consent", "", None)]
    take(session, order(3, **TICKED), module=BOX, minutes=3)
    assert [(cart.state, cart.email) for cart in carts(session)] == [("active", "Anna@shop.example")]


@pytest.mark.parametrize("email", ["", "anna@localhost", "anna@", "a" * 250 + "@b.example", "[email\u00a0protected]"])
def test_a_draft_without_a_usable_address_is_no_cart(session: Session, email: str) -> None:
    take(session, order(email=email), order(email=email, id=8, **TICKED), module=BOX)
    take(session, order(email=email), module=SILENT)
    assert carts(session) == []


@pytest.mark.parametrize("status", ["processing", "on-hold", "completed", "cancelled", "trash", "auto-draft"])
def test_an_order_that_was_placed_or_came_to_nothing_is_no_cart(session: Session, status: str) -> None:
    take(session, order(status=status), {"id": "x"}, order(date_modified_gmt="never"), {})
    assert carts(session) == []


def test_a_variation_has_its_choices_and_a_cart_only_so_many_lines(session: Session) -> None:
    rows = [
        {"key": "pa_farbe", "value": "rot", "display_key": "Farbe", "display_value": "Rot &amp; Gold"},
        {"key": "_bundle", "value": "x", "display_key": "_bundle", "display_value": "x"},
    ]
    shirt = {**LINE, "product_id": 48, "variation_id": 49, "meta_data": rows}
    gone, many = {**LINE, "product_id": 0}, [{**LINE, "product_id": number} for number in range(100, 10_100)]
    take(session, order(line_items=[shirt, gone, *many]))
    items = carts(session)[0].items or []
    assert items[0] == {"id": 49, "qty": 2.0, "variation": [["Farbe", "Rot & Gold"]]}
    assert (items[1]["id"], len(items)) == (100, ITEMS_MAX)


@pytest.mark.parametrize(("with_tax", "total"), [(False, "9.00"), (True, "10.98")])
def test_an_order_that_waits_for_its_payment_has_agreed_prices(session: Session, with_tax: bool, total: str) -> None:
    take(session, order(status="pending", prices_include_tax=with_tax))
    ((item,),) = [cart.items or [] for cart in carts(session)]
    assert (item["line"]["name"], item["line"]["total"]) == ("Tea & more", total)
    assert carts(session)[0].currency == "EUR"


def test_a_draft_catches_up_with_what_the_script_could_not_tell(session: Session) -> None:
    script(session, draft=7)
    take(session, order(0.5), module=BOX, minutes=1)
    assert carts(session)[0].changed_at == NOON
    take(session, order(20, "otto@shop.example", line_items=[{**LINE, "quantity": 5}]), module=BOX, minutes=25)
    (cart,) = carts(session)
    assert (cart.source, cart.email, cart.changed_at) == ("script", "otto@shop.example", moment(20))
    assert cart.items == [{"id": 13, "qty": 5.0, "variation": []}]


def test_a_draft_brings_no_address_back_that_the_page_has_emptied(session: Session) -> None:
    script(session, draft=7)
    script(session, 2, draft=7, email="")
    take(session, order(5), module=BOX, minutes=5)
    assert [cart.email for cart in carts(session)] == [""]


def test_a_consent_for_another_draft_is_none_for_this_one(session: Session) -> None:
    script(session, draft=6)
    take(session, order(5), module=BOX, minutes=5)
    assert [(cart.source, cart.state, cart.email) for cart in carts(session)] == [
        ("script", "active", "anna@shop.example"),
        ("order", "no_consent", ""),
    ]


def test_one_visit_is_one_cart_whoever_tells_of_it_first(session: Session) -> None:
    take(session, order(1), minutes=1)
    script(session, 2, SILENT, draft=7)
    take(session, order(3), minutes=3)
    assert [(cart.source, cart.order_id) for cart in carts(session)] == [("script", 7)]


def test_the_script_s_cart_becomes_that_of_the_unpaid_order_of_the_same_visit(session: Session) -> None:
    script(session)
    take(session, order(4, status="pending"), module=BOX, minutes=5)
    assert [(cart.source, cart.order_id, cart.state) for cart in carts(session)] == [("script", 7, "active")]


def test_a_twin_that_was_made_before_the_script_knew_its_draft_goes(session: Session) -> None:
    script(session, 0, SILENT, email="")
    take(session, order(1), minutes=1)
    assert len(carts(session)) == 2
    script(session, 2, SILENT, draft=7)
    assert [(cart.source, cart.email) for cart in carts(session)] == [("script", "anna@shop.example")]


def test_a_cart_that_has_ended_stays_ended_until_it_changes(session: Session) -> None:
    take(session, order(1), minutes=1)
    carts(session)[0].state = CartState.EXPIRED
    take(session, order(5), minutes=5)
    assert [cart.state for cart in carts(session)] == ["expired"]
    take(session, order(6, line_items=[{**LINE, "quantity": 1}]), minutes=6)
    assert [cart.state for cart in carts(session)] == ["expired", "active"]
