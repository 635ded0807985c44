"""The demo shop, the bulk shop, the shopper, and a shop that is kept on disk."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from store_client import Client
from store_recordings import recording

from integration.clock import SetClock
from integration.sandbox.store import Shop, Shopper, StoreServer, order_json, seed_bulk
from integration.sandbox.store.demo_shop import seed
from integration.sandbox.store.order_store import Row
from integration.sandbox.store.state import State

NOW = datetime(2026, 11, 20, 20, 0, tzinfo=UTC)


def shop() -> State:
    return State(SetClock(NOW))


def test_the_same_seed_makes_the_same_shop() -> None:
    first, second, other = shop(), shop(), shop()
    seed(first, 40, 80, rng_seed=5)
    seed(second, 40, 80, rng_seed=5)
    seed(other, 40, 80, rng_seed=6)

    assert first.dump() == second.dump()
    assert first.dump()["orders"] != other.dump()["orders"]


@pytest.fixture(scope="module")
def seeded() -> list[dict[str, object]]:
    state = shop()
    seed(state)
    return [order_json.show(state, row, state.root) for row in state.orders]


def test_seeded_orders_have_the_fields_of_recorded_ones(seeded: list[dict[str, object]]) -> None:
    wanted = recording(58).body.keys()

    assert len(seeded) == 500
    assert all(order.keys() == wanted for order in seeded)


UNRULY = {
    "guests": lambda order: order["customer_id"] == 0,
    "no e-mail": lambda order: order["billing"]["email"] == "",
    "capitals": lambda order: order["billing"]["email"].isupper(),
    "a deleted product": lambda order: any(line["product_id"] == 0 for line in order["line_items"]),
    "sixty things": lambda order: len(order["line_items"]) == 60,
    "nothing": lambda order: order["line_items"] == [],
    "zero": lambda order: order["total"] == "0.00",
    "yen": lambda order: order["currency"] == "JPY" and order["total"][-3] == ".",
    "dinars": lambda order: order["currency"] == "KWD",
    "dollars": lambda order: order["currency"] == "USD",
    "refunds": lambda order: order["refunds"] and order["refunds"][0]["total"].startswith("-"),
    "a status of a plugin": lambda order: order["status"] == "shipped",
    "drafts": lambda order: order["status"] == "checkout-draft",
    "the trash": lambda order: order["status"] == "trash",
    "an endless address": lambda order: len(order["billing"]["address_1"]) >= 300,
    "no known country": lambda order: order["billing"]["country"] == "XX",
    "a forbidden e-mail": lambda order: "%&*" in order["billing"]["email"],
    "tags": lambda order: "<b>" in order["billing"]["first_name"],
    "an emoji": lambda order: "🦄" in order["billing"]["first_name"],
    "meta of any kind": lambda order: {dict, int, list, str} <= {type(each["value"]) for each in order["meta_data"]},
}


@pytest.mark.parametrize("what", UNRULY)
def test_the_demo_shop_is_as_unruly_as_the_recorded_one(what: str, seeded: list[dict[str, object]]) -> None:
    assert any(UNRULY[what](order) for order in seeded)


def test_seeded_accounts_lose_what_wordpress_loses() -> None:
    state = shop()
    seed(state)
    people = Shop(state).customers

    assert any(person["email"] == "" and "&" in person["billing"]["email"] for person in people)
    assert any("&amp;" in person["last_name"] for person in people)
    assert any(person["date_modified_gmt"] is None for person in people)
    assert {person["role"] for person in people} > {"customer", "administrator"}


def test_a_bulk_is_paged_without_losing_any() -> None:
    with StoreServer(clock=SetClock(NOW)) as server:
        seed_bulk(server.state, customers=50, orders=3000)
        client = Client(server)
        query = "/orders?per_page=100&orderby=id&order=asc&_fields=id,date_modified_gmt"
        rows = [row["id"] for page in range(1, 31) for row in client.ask("GET", f"{query}&page={page}").json]
        first, again = (client.ask("GET", "/orders?per_page=2").json for _ in range(2))

    assert len(set(rows)) == 3000
    assert first == again
    assert first[0].keys() == recording(41).body.keys()


def test_a_bulk_order_that_is_changed_keeps_the_rest_of_it() -> None:
    state = shop()
    seed_bulk(state, customers=5, orders=20)
    row = next(iter(state.orders))
    before = Shop(state).shown(row.id)

    Shop(state).change_status(row.id, "refunded" if row.status != "refunded" else "completed")
    after = Shop(state).shown(row.id)

    assert before["line_items"] == after["line_items"]
    assert before["billing"] == after["billing"]
    assert before["status"] != after["status"]


def test_the_shopper_buys_and_every_so_often_in_a_faulty_way() -> None:
    state = shop()
    seed(state, 5, 5)
    shopper = Shopper(Shop(state), faulty_every=2)

    orders = [shopper.step() for _ in range(12)]
    billing = [order["billing"] for order in orders]

    assert len(shopper.bought) == len(set(shopper.bought)) == 12
    assert "^" in billing[1]["email"]
    assert len(billing[3]["address_1"]) == 300
    assert billing[5]["country"] == "XX"
    assert {Shop(state).shown(number)["status"] for number in shopper.bought} & {"completed", "refunded"}


def test_the_shopper_shops_by_itself_until_stopped() -> None:
    state = shop()
    seed(state, 5, 5)
    with Shopper(Shop(state), interval=0.001) as shopper:
        while len(shopper.bought) < 3:
            time.sleep(0.001)
    bought = len(shopper.bought)

    assert bought == len(shopper.bought) >= 3


def test_a_shop_is_kept_on_disk(tmp_path: Path) -> None:
    kept = tmp_path / "shop.json"
    with StoreServer(save_to=kept, clock=SetClock(NOW)) as server:
        seed(server.state, 5, 10)
        seed_bulk(server.state, 5, 10)
        server.state.webhooks[1] = {"id": 1, "status": "active", "topic": "order.created"}
        before = server.state.dump()

    with StoreServer(save_to=kept, clock=SetClock(NOW)) as again:
        after = again.state.dump()
        made = again.shop.place_order()["id"]

    assert after == before
    assert made == max(row[before_id(before)] for row in before["orders"]) + 1


def before_id(dumped: dict[str, object]) -> int:
    """Return where an order's number stands in its dumped row."""
    return Row.__slots__.index("id")
