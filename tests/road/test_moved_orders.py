"""Orders that change hands or are gone: their former person's sums are put right, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from integration.events import Origin
from integration.pipeline.ingest import records
from tests.road.conftest import Road
from tests.road.lifetimes import MODIFIED, priced, spent, values, with_fields


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return with_fields(make_road)


def test_an_order_given_to_another_address_is_taken_off_its_former_person(road: Road) -> None:
    one, two = priced(road, "ada@example.com", "30.00"), priced(road, "ada@example.com", "50.00")
    road.arrive(one, two)
    road.work()
    before = spent(road, "ada@example.com")
    road.store.shop.edit_order(two["id"], billing={**two["billing"], "email": "bob@example.com"})
    moved = road.store.shop.shown(two["id"])
    road.arrive(moved)
    road.work()
    assert spent(road, "bob@example.com") == Decimal(moved["total"])
    assert spent(road, "ada@example.com") == before - Decimal(moved["total"])
    assert values(road, "ada@example.com")["email"] == "ada@example.com"
    assert [row.state for row in road.deliveries() if row.event == "moved"] == ["delivered"]


def test_a_full_sync_finds_what_changed_hands_unheard(road: Road) -> None:
    one, two = priced(road, "ada@example.com", "30.00"), priced(road, "ada@example.com", "50.00")
    road.arrive(one, two)
    road.work()
    road.store.shop.edit_order(two["id"], billing={**two["billing"], "email": "bob@example.com"})
    road.run("full")
    assert spent(road, "ada@example.com") == Decimal(one["total"])
    assert spent(road, "bob@example.com") == Decimal(two["total"])
    road.mautic.calls.reset()
    road.run("full")
    assert road.writes() == 0


def test_a_former_person_who_was_never_in_mautic_is_skipped(road: Road) -> None:
    order = road.order("ada@example.com", status="on-hold")
    road.arrive(order)
    road.work()
    road.arrive({**order, "billing": {**order["billing"], "email": "bob@example.com"}, MODIFIED: "2099-01-01T00:00:00"})
    road.work()
    [moved] = [row for row in road.deliveries() if row.event == "moved"]
    assert (moved.state, moved.error_code) == ("skipped", "moved")


def test_a_former_contact_that_mautic_no_longer_has_is_left_alone(road: Road) -> None:
    order = priced(road, "ada@example.com", "30.00")
    road.arrive(order, priced(road, "ada@example.com", "50.00"))
    road.work()
    gone = road.mautic.state.contact("ada@example.com")
    assert gone is not None
    road.mautic.state.delete(gone)
    road.arrive({**order, "billing": {**order["billing"], "email": "bob@example.com"}, MODIFIED: "2099-01-01T00:00:00"})
    road.work()
    [moved] = [row for row in road.deliveries() if row.event == "moved"]
    assert (moved.state, moved.error_code) == ("skipped", "contact_gone")
    assert road.mautic.state.contact("ada@example.com") is None


def test_an_order_deleted_for_good_is_taken_off_its_person(road: Road) -> None:
    one, two = priced(road, "ada@example.com", "30.00"), priced(road, "ada@example.com", "50.00")
    road.arrive(one, two)
    road.work()
    before = spent(road, "ada@example.com")
    road.store.shop.delete_force(two["id"])
    gone = records.trashed({"id": two["id"]}, Origin.WEBHOOK, road.services.clock.now())
    with road.services.db.write() as session:
        records.accept(session, road.services.clock.now(), road.connector_id, [gone])
    road.work()
    assert spent(road, "ada@example.com") == before - Decimal(two["total"])
