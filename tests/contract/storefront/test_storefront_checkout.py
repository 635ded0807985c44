"""A block checkout from the first piece to the order: drafts, their webhooks, placing and the clean-up, as recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest
from storefront_keys import Keys
from storefront_recordings import comparable, differences, recording
from storefront_shop import fill_up
from storefront_shopper import API, Shopper

from integration.clock import SetClock
from integration.sandbox.store import StoreServer
from integration.sandbox.store.storefront.checkout_routes import REMINDER, REMINDER_META

HELD = (*range(52, 74), 79, 99, 125, 126, 127, 134, 141, 142, 143, 144)
DELIVERIES = {55: "order.updated", 59: "order.updated", 65: "order.updated", 66: "order.created"}
BUYING = json.loads(recording(64).request["body"])
NOBODY = "http://127.0.0.1:1/"


@pytest.fixture
def hooked(shop: StoreServer, keys: Keys) -> StoreServer:
    """Return the shop with webhooks whose deliveries are kept instead of sent, and wait until they are asked for.

    A real shop's wait for its cron: what happens twice in one request is delivered once.
    """
    for topic in ("order.updated", "order.created", "order.deleted"):
        fields = {"topic": topic, "delivery_url": NOBODY, "secret": "s"}
        assert keys.ask("POST", "/wp-json/wc/v3/webhooks", fields).status == 201
    shop.webhook_queue.drop = 1_000_000
    shop.webhook_queue.hold()
    return shop


def _delivered(shop: StoreServer) -> list[tuple[str, Any]]:
    """Return the topics and bodies delivered since this was asked last."""
    shop.webhook_queue.release()
    assert shop.webhook_queue.settle()
    shop.webhook_queue.hold()
    found = [(sent.topic, json.loads(sent.body)) for sent in shop.webhook_queue.sent]
    shop.webhook_queue.sent.clear()
    return found


def _check_delivered(shop: StoreServer, *numbers: int) -> None:
    found = _delivered(shop)
    assert [topic for topic, _ in found] == [DELIVERIES[number] for number in numbers]
    for number, (_, body) in zip(numbers, found, strict=True):
        recorded = json.loads(recording(number).request["body"])
        assert not (wrong := differences(comparable(body, shop.url), comparable(recorded, shop.url))), wrong


def _later(shop: StoreServer, **much: int) -> None:
    clock = shop.state.clock
    assert isinstance(clock, SetClock)
    clock.advance(**much)


def test_one_block_checkout_step_by_step(hooked: StoreServer, keys: Keys, shopper: Shopper) -> None:
    shopper.replay(1)
    shopper.follow(52)
    Shopper(hooked).follow(53)
    assert _delivered(hooked) == []
    hooked.state.counters["post"] = 2207
    shopper.follow(54)
    _check_delivered(hooked, 55)
    keys.follow(56)
    _later(hooked, seconds=1)
    shopper.follow(57)
    keys.follow(58)
    _check_delivered(hooked, 59)
    shopper.follow(60)
    keys.follow(61)
    shopper.follow(62)
    shopper.call("DELETE", "/cart/items")
    keys.follow(63)
    shopper.call("POST", "/cart/add-item", {"id": 14})
    _delivered(hooked)
    shopper.follow(64)
    _check_delivered(hooked, 65, 66)
    # The order's date is that of the draft, not of the purchase.
    order = keys.follow(67).json
    assert order["date_created_gmt"] == "2026-11-27T23:24:16"
    assert order["date_modified_gmt"] == "2026-11-27T23:24:17"
    keys.follow(68)
    shopper.follow(69)


def test_buying_without_a_draft_before(shop: StoreServer, shopper: Shopper) -> None:
    shopper.call("POST", "/cart/add-item", {"id": 14})
    shop.state.counters["post"] = 2208
    shopper.follow(70)


def test_a_try_that_fails_leaves_the_draft_with_what_was_sent(shop: StoreServer, keys: Keys, shopper: Shopper) -> None:
    fill_up(shop.state, 2188, 2207)
    shop.state.counters["post"] = 2207
    for method in ("cod", "bacs"):
        other = Shopper(shop)
        other.call("POST", "/cart/add-item", {"id": 14})
        other.call("POST", "/checkout", BUYING | {"payment_method": method})
    shopper.call("POST", "/cart/add-item", {"id": 13})
    shopper.follow(71)
    assert keys.ask("GET", "/wp-json/wc/v3/orders?status=checkout-draft").json == []
    shopper.follow(72)
    keys.follow(73)
    keys.follow(79)


def test_a_draft_can_be_paid_and_says_so(shop: StoreServer, keys: Keys, shopper: Shopper) -> None:
    shop.state.counters["post"] = 2220
    shopper.call("POST", "/cart/add-item", {"id": 13})
    shopper.call("POST", "/cart/update-customer", {"billing_address": {"email": "anna@example.com"}})
    shopper.call("GET", "/checkout", **{"User-Agent": "recorder/1.0"})
    keys.follow(99)


def test_drafts_on_ten(shop_ten: StoreServer) -> None:
    keys, shopper = Keys(shop_ten), Shopper(shop_ten)
    fill_up(shop_ten.state, 2188)
    for number in range(2199, 2209):
        _other_draft(shop_ten, keys, number)
    shopper.call("POST", "/cart/add-item", {"id": 13})
    shopper.follow(125)
    _later(shop_ten, seconds=1)
    shopper.call("POST", "/cart/update-customer", {"billing_address": {"email": "anna@example.com"}})
    wanted, found = recording(126).body, keys.ask("GET", "/wp-json/wc/v3/orders?status=checkout-draft")
    assert found.header("X-WP-Total") == "11"
    # The others are of visits by links, whose carts are not in the recording.
    for ours, theirs in zip(found.json[:2], wanted[:2], strict=True):
        assert not (wrong := differences(comparable(ours, shop_ten.url), comparable(theirs, shop_ten.url))), wrong
    keys.follow(127)


def _other_draft(shop: StoreServer, keys: Keys, number: int) -> None:
    """Leave a draft behind; the last is the one whose cart came back by a link."""
    other = Shopper(shop)
    if number < 2208:
        other.call("POST", "/cart/add-item", {"id": 13})
    else:
        shop.state.counters["post"] = 2195
        fields = {"code": "RECOVER-OPEN01", "discount_type": "percent", "amount": "10"}
        keys.ask("POST", "/wp-json/wc/v3/coupons", fields)
        blue = [{"attribute": "Colore", "value": "blu"}]
        other.call("POST", "/cart/add-item", {"id": 16, "quantity": 3})
        other.call("POST", "/cart/add-item", {"id": 51, "variation": blue})
        other.call("POST", "/cart/apply-coupon", {"code": "RECOVER-OPEN01"})
    shop.state.counters["post"] = number - 1
    other.call("GET", "/checkout", **{"User-Agent": "Mozilla/5.0 recorder"})


def test_old_drafts_are_cleaned_up_at_midnight_without_a_webhook(
    hooked: StoreServer, keys: Keys, shopper: Shopper
) -> None:
    hooked.state.counters["post"] = 2224
    shopper.call("POST", "/cart/add-item", {"id": 13})
    shopper.call("GET", "/checkout")
    _delivered(hooked)
    _later(hooked, hours=1)
    assert keys.ask("GET", "/wp-json/wc/v3/orders/2225").status == 200
    _later(hooked, days=1)
    keys.follow(134)
    assert _delivered(hooked) == []


def test_what_the_block_sends_in_a_browser(shop: StoreServer, keys: Keys, shopper: Shopper) -> None:
    shop.state.counters["post"] = 2228
    shopper.replay(1)
    headers = {"Nonce": shopper.nonce, "Content-Type": "application/json", "User-Agent": "Mozilla/5.0 recorder"}
    shopper.send("POST", f"{API}/cart/add-item", {"id": 13}, headers)
    shopper.send("GET", f"{API}/checkout", headers=headers | {"Cookie": shopper.cookie})
    for number in (141, 142, 143):
        shopper.follow(number)
    keys.follow(144)


@pytest.mark.parametrize(("ticks", "kept"), [([True], "1"), ([True, False], "0"), ([], None)])
def test_the_checkbox_of_the_snippet_is_in_the_draft(
    shop: StoreServer, keys: Keys, shopper: Shopper, ticks: list[bool], kept: str | None
) -> None:
    shop.storefront.has_reminder_field = True
    shopper.call("POST", "/cart/add-item", {"id": 13})
    number = shopper.call("GET", "/checkout").json["order_id"]
    for tick in ticks:
        shopper.call("PUT", "/checkout", {"additional_fields": {REMINDER: tick}})
    meta = keys.ask("GET", f"/wp-json/wc/v3/orders/{number}").json["meta_data"]
    assert {each["key"]: each["value"] for each in meta}.get(REMINDER_META) == kept
    shown = shopper.call("GET", "/checkout").json["additional_fields"]
    assert shown == {REMINDER: bool(ticks and ticks[-1])}
