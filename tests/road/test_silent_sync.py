"""A full sync with nothing changed writes nothing: each value is told against what Mautic last confirmed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from integration.mapping.fields import needs
from integration.mautic.fields import Fields
from integration.models import Connector
from integration.sandbox.store import accounts
from integration.sandbox.store.demo_shop import seed
from tests.road.conftest import Road

MUG = [{"product_id": 12, "quantity": 1}]


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    road = make_road(
        orders__notes=True,
        orders__statuses="completed,processing,refunded,cancelled",
        orders__remove_completed_tag=True,
        orders__general_tags="buyer",
        contacts__default_tags="customer",
    )
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    Fields(road.services.open_mautic(connector)).create_all(needs(road.services.modules(connector)))
    return road


def writes(road: Road) -> int:
    """How many calls have written contacts until now."""
    return sum(call.method != "GET" and "/contacts" in call.path for call in road.mautic.calls)


def account(road: Road, email: str, **billing: str) -> int:
    """Register an account whose profile says what is given; the address may be spelled as no shop would take it."""
    number = len(road.store.state.people) + 1
    fields: dict[str, Any] = {"email": f"new{number}@store.test", "username": f"new{number}", "billing": billing}
    person = accounts.register(road.store.state, fields)
    person.email = email
    return person.id


def person(road: Road, email: str) -> dict[str, Any]:
    found = road.mautic.state.contact(email)
    assert found is not None
    return {**found.values, "tags": sorted(road.mautic.state.tags[tag]["tag"] for tag in found.tags)}


def seed_odd_people(road: Road) -> None:
    for number in range(5):
        for spelling in (f"Odd{number}@Example.com", f"odd{number}@example.com", f" ODD{number}@EXAMPLE.COM\u200b"):
            road.order(spelling, line_items=MUG)
    for spelling in ("max@bücher.example", "max@xn--bcher-kva.example", "m\u00adax@BÜCHER.example"):
        road.order(spelling, status="processing", line_items=MUG)
    account(road, "Grace@Example.com", city="Arlington")
    for spelling in ("grace@example.com", "\ufeffGRACE@example.com"):
        road.order(spelling, billing={"city": "New York"}, line_items=MUG)
    account(road, "two@bücher.example", city="Rome")
    account(road, "two@xn--bcher-kva.example", city="Milan")
    for status in ("completed", "refunded", "completed", "cancelled"):
        road.order("back.and.forth@example.com", status=status, line_items=MUG)
    for status in ("completed", "refunded"):
        road.order("gave.it.back@example.com", status=status, line_items=MUG)


def test_the_second_and_the_third_full_sync_of_a_whole_shop_write_nothing(road: Road) -> None:
    seed(road.store.state)
    seed_odd_people(road)
    assert road.run("initial").pushed > 470
    before = writes(road)
    assert before > 0
    second, third = road.run("full"), road.run("full")
    assert (second.state, second.pushed, third.state, third.pushed) == ("COMPLETED", 0, "COMPLETED", 0)
    assert writes(road) == before


def test_one_mailbox_is_one_contact_with_all_its_orders(road: Road) -> None:
    seed_odd_people(road)
    road.run()
    assert len(road.mautic.state.contacts) == 10
    assert person(road, "max@xn--bcher-kva.example")["mautic_woo_order_count"] == 3


def order_of(road: Road, status: str, email: str = "ada@example.com") -> dict[str, Any]:
    return road.order(email, status=status, line_items=[{"product_id": product(road), "quantity": 1}])


def product(road: Road) -> int:
    return next(key for key, entry in road.store.state.products.items() if entry["type"] == "simple")


@pytest.mark.parametrize("turn", range(3))
def test_the_same_records_end_in_the_same_state_in_any_order(road: Road, turn: int) -> None:
    seed(road.store.state, customers=0, orders=0)
    made = [order_of(road, status, f"{'ADA' if n % 2 else 'ada'}@example.com") for n, status in enumerate(STATUSES)]
    random.Random(turn).shuffle(made)
    for one in made:
        road.arrive(one, origin="full")
        road.work()
    before = writes(road)
    tags = person(road, "ada@example.com")["tags"]
    assert [tag for tag in tags if tag.endswith("_completed")]
    for one in random.Random(turn + 1).sample(made, len(made)):
        road.arrive(one, origin="full")
        road.work()
    assert writes(road) == before
    assert person(road, "ada@example.com")["tags"] == tags


STATUSES = ("completed", "refunded", "cancelled", "processing", "completed")


def test_a_tag_goes_with_the_last_order_that_holds_it(road: Road) -> None:
    seed(road.store.state, customers=0, orders=0)
    made = order_of(road, "completed")
    road.arrive(made)
    road.work()
    tag = next(tag for tag in person(road, "ada@example.com")["tags"] if tag.endswith("_completed"))
    road.store.shop.refund(made["id"], made["total"])
    road.arrive(road.store.shop.shown(made["id"]))
    road.work()
    assert tag not in person(road, "ada@example.com")["tags"]


def test_another_spelling_alone_is_no_change_and_another_address_is(road: Road) -> None:
    for spelling in ("ada@example.com", "Ada@Example.COM", "ada@example.com\u200b"):
        road.arrive(road.order(spelling, status="failed"))
        road.work()
    before = writes(road)
    again = road.order("ADA@example.com", status="failed")
    road.arrive(again)
    road.work()
    assert writes(road) == before
    road.arrive(road.order("adb@example.com"))
    road.work()
    assert writes(road) > before


def test_of_two_accounts_the_one_that_was_changed_last_gives_the_values(road: Road) -> None:
    early, late = account(road, "two@bücher.example", city="Rome"), account(road, "TWO@bücher.example", city="Milan")
    road.store.state.people[late].modified = road.store.state.now()
    road.run("full", only=["contacts"])
    assert person(road, "two@xn--bcher-kva.example")["city"] == "Milan"
    reasons = {delivery.error_code for delivery in road.deliveries() if delivery.source_id == str(early)}
    assert reasons == {"older_account"}
    before = writes(road)
    road.run("full", only=["contacts"])
    assert writes(road) == before
    road.store.state.people[early].modified = road.store.state.now() + 60
    road.run("full", only=["contacts"])
    assert person(road, "two@xn--bcher-kva.example")["city"] == "Rome"
