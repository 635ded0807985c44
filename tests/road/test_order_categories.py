"""Category tags of orders (P35): the store is asked for products a hundred at a time, and rarely."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integration.clock import SetClock
from integration.models import Connector
from integration.pipeline.delivery import order_categories
from integration.sandbox.store import demo_catalogue
from integration.store.categories import read_categories
from tests.conftest import NOON
from tests.road.conftest import Road

pytestmark = pytest.mark.road
PRODUCTS = "/wp-json/wc/v3/products"


def asked(road: Road) -> int:
    return sum(call.path == PRODUCTS for call in road.store.calls)


def product(road: Road, *slugs: str, **more: object) -> int:
    """Put a product into the shop that is in categories of these slugs."""
    state = road.store.state
    number = state.next_id("post")
    listed = [{"id": place, "name": slug, "slug": slug} for place, slug in enumerate(slugs, 1)]
    any_one = next(entry for entry in state.products.values() if entry["type"] == "simple")
    state.products[number] = {**any_one, "id": number, "sku": f"S{number}", "categories": listed, **more}
    return number


def tags(road: Road, email: str = "ada@example.com") -> set[str]:
    return set(road.mautic.state.tag_names(road.contact(email)))


def buys(road: Road, *numbers: int, email: str = "ada@example.com", status: str = "completed") -> None:
    lines = [{"product_id": number, "quantity": 1} for number in numbers]
    road.arrive(road.order(email, status, line_items=lines))
    road.work()


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOON)


@pytest.fixture
def road(make_road: Callable[..., Road], clock: SetClock) -> Road:
    made = make_road(clock, orders__category_tags=True, orders__product_tags=False)
    demo_catalogue.stock(made.store.state)
    return made


def test_an_order_is_tagged_with_its_products_categories_and_asks_for_a_product_once_a_day(
    road: Road, clock: SetClock
) -> None:
    tea, wine = product(road, "te-e-caffe", "%e6%97%a5"), product(road, "vino-rosso")
    buys(road, tea)
    assert tags(road) == {"te-e-caffe", "ri"}
    assert asked(road) == 1
    buys(road, tea, wine)
    assert "vino-rosso" in tags(road)
    assert asked(road) == 2
    buys(road, tea, wine, email="bob@example.com")
    assert asked(road) == 2
    clock.advance(days=1, seconds=1)
    buys(road, tea, email="eve@example.com")
    assert asked(road) == 3


def test_a_variation_is_in_its_products_categories_and_a_product_that_is_gone_in_none(road: Road) -> None:
    parent = next(entry for entry in road.store.state.products.values() if entry["type"] == "variable")
    gone = product(road, "vino-rosso")
    order = road.order(
        "ada@example.com",
        line_items=[
            {"product_id": parent["id"], "variation_id": parent["variations"][0], "quantity": 1},
            {"product_id": gone, "quantity": 1},
        ],
    )
    del road.store.state.products[gone]
    road.arrive(order)
    road.work()
    assert tags(road) == {each["slug"] for each in parent["categories"]}


def test_a_refund_takes_no_category_tag(road: Road) -> None:
    wine = product(road, "vino-rosso")
    order = road.order("ada@example.com", line_items=[{"product_id": wine, "quantity": 1}])
    road.arrive(order)
    road.work()
    road.arrive(road.store.shop.change_status(order["id"], "refunded"))
    road.work()
    assert tags(road) == {"vino-rosso"}


def test_a_store_that_refuses_products_is_said_once_and_holds_no_order_back(road: Road, clock: SetClock) -> None:
    wine = product(road, "vino-rosso")
    rule = road.store.faults.status(403, path=PRODUCTS, body='{"code":"woocommerce_rest_cannot_view","message":"No."}')
    buys(road, wine)
    buys(road, wine, email="bob@example.com")
    assert road.states() == {"delivered"}
    assert [entry.action for entry in road.log() if entry.status == "error"] == [order_categories.ACTION]
    assert asked(road) == 1
    with road.services.db.read() as session:
        assert order_categories.why_refused(session.get_one(Connector, road.connector_id))
    road.store.faults.remove(rule)
    clock.advance(seconds=order_categories.PAUSE.total_seconds() + 1)
    buys(road, wine, email="eve@example.com")
    assert tags(road, "eve@example.com") == {"vino-rosso"}
    with road.services.db.read() as session:
        assert not order_categories.why_refused(session.get_one(Connector, road.connector_id))


def test_products_are_read_a_hundred_a_call(road: Road) -> None:
    numbers = [product(road, f"c{place}") for place in range(150)]
    with road.services.db.read() as session:
        client = road.services.open_store(session.get_one(Connector, road.connector_id))
    found = read_categories(client, [*numbers, 999_999])
    assert (client.calls, len(found)) == (2, 151)
    assert (found[numbers[149]], found[999_999]) == (("c149",), ())
