"""Two stores into one Mautic (X16): one contact has the values of both, and neither touches the other's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integration.clock import SetClock
from integration.mapping.fields import needs
from integration.models import Connector, Erasure
from integration.operations import erasure
from integration.pipeline.connectors import connectors, field_list
from integration.sandbox.store import StoreServer, demo_catalogue
from tests.bench.world import whereabouts
from tests.conftest import NOON
from tests.road.conftest import Road

pytestmark = pytest.mark.road
ADA, SKU = "ada@example.com", "SKU-002"
DATA = "woo_fr_order_data"
DATES = {"woo_de_first_order_date", "woo_de_last_order_date"}
SETTINGS = {"orders.general_tags": "bought", "contacts.default_tags": "customer", "orders.remove_completed_tag": True}

Pair = tuple[Road, Road]


@pytest.fixture
def other_store() -> Iterator[StoreServer]:
    with StoreServer() as server:
        yield server


@pytest.fixture
def pair(make_road: Callable[..., Road], other_store: StoreServer) -> Pair:
    """Two connectors, “de” and “fr”, with a store each and one Mautic."""
    first = make_road(SetClock(NOON))
    where = whereabouts(other_store, first.mautic)
    number = connectors.create(first.services, organisation_id=1, name="Boutique", **where)
    second = Road(first.services, number, other_store, first.mautic)
    configure(first, **{"naming.name_space": "de"}, **SETTINGS)
    configure(second, **{"naming.name_space": "fr"}, **SETTINGS)
    for road in (first, second):
        connector = connector_of(road)
        field_list.complete(road.services, connector, road.services.open_mautic(connector))
        demo_catalogue.stock(road.store.state)
    return first, second


def configure(road: Road, **changes: Any) -> None:
    connectors.configure(road.services, road.connector_id, changes)


def connector_of(road: Road) -> Connector:
    with road.services.db.read() as session:
        return session.get_one(Connector, road.connector_id)


def bought(pair: Pair) -> list[int]:
    """Let Ada buy once in the first store and twice in the second, sync both and return the orders' ids."""
    made = []
    first, second = pair
    for road, times in ((first, 1), (second, 2)):
        number = next(each["id"] for each in road.store.state.products.values() if each["sku"] == SKU)
        for _ in range(times):
            made.append(road.order(ADA, line_items=[{"product_id": number, "quantity": 1}])["id"])
    for road in pair:
        assert road.run("full").state == "COMPLETED"
    return made


def tags(road: Road) -> set[str]:
    return set(road.mautic.state.tag_names(road.contact(ADA)))


def counts(road: Road) -> dict[str, Any]:
    values = road.contact(ADA).values
    return {space: values.get(f"woo_{space}_order_count") for space in ("de", "fr")}


@pytest.mark.parametrize("mautic", ["5.2.1", "7.0.0"], indirect=True)
def test_one_contact_has_the_values_of_both_and_a_second_full_sync_writes_nothing(pair: Pair) -> None:
    [number, *_] = bought(pair)
    first, _ = pair
    assert counts(first) == {"de": 1, "fr": 2}
    known = set(first.mautic.state.by_alias)
    for road in pair:
        assert {need.alias for need in needs(road.services.modules(connector_of(road)))} <= known
    assert not any(alias.startswith("mautic_woo_") for alias in known)
    assert {tag.partition(".")[0] for tag in tags(first)} == {"de", "fr"}
    assert {"de.bought", "fr.bought", "de.sku-002_completed", "fr.sku-002_completed"} <= tags(first)
    before, values, written = tags(first), dict(first.contact(ADA).values), first.writes()
    for road in pair:
        assert road.run("full").state == "COMPLETED"
    assert first.writes() == written
    assert (tags(first), dict(first.contact(ADA).values)) == (before, values)
    # A refund in one store takes that store's tag, and nothing of the other's.
    first.arrive(first.store.shop.change_status(number, "refunded"))
    first.work()
    assert before - tags(first) == {"de.sku-002_completed"}
    assert counts(first)["fr"] == 2 and first.contact(ADA).values[DATA] == values[DATA]


@pytest.mark.parametrize("chosen", [erasure.DELETE, erasure.STRIP])
def test_an_erasure_in_one_connector_leaves_what_the_other_store_has_of_the_person(pair: Pair, chosen: str) -> None:
    bought(pair)
    first, second = pair
    values = dict(first.contact(ADA).values)
    number = erasure.ask(
        first.services, 1, erasure.checked(ADA, first.connector_id, chosen, False), "admin@shop.example"
    )
    assert erasure.work(first.services, number)
    assert {tag.partition(".")[0] for tag in tags(first)} == {"fr"}
    kept = dict(first.contact(ADA).values)
    # Mautic empties no date (mautic:465).
    assert {alias for alias in kept if alias.startswith("woo_de_") and kept[alias]} <= DATES
    assert {alias for alias in kept if kept[alias] != values[alias] and not alias.startswith("woo_de_")} == set()
    with first.services.db.read() as session:
        [said] = session.get_one(Erasure, number).remains
    assert "another connector" in said
    # The last one to keep the person deletes the contact.
    whole = erasure.checked(ADA, second.connector_id, erasure.DELETE, False)
    assert erasure.work(first.services, erasure.ask(first.services, 1, whole, "admin@shop.example"))
    assert not [each for each in first.mautic.state.contacts.values() if each.values.get("email") == ADA]
