"""The segment of a status is added to once for an order and a status."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.clock import SetClock
from integration.engines import field_lists
from integration.models import Connector
from integration.pipeline.connectors import connectors, segment_names
from integration.sandbox.mautic.seed import seed as seed_mautic
from tests.road.conftest import Road

ADDING = ("/api/segments/", "/contacts/add")


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    road = make_road(
        SetClock(datetime.now(UTC)), orders__segments={"completed": 1, "refunded": 2}, orders__create_fields=True
    )
    seed_mautic(road.mautic.state)
    return road


def edited(order: dict[str, Any], seconds: int, **fields: Any) -> dict[str, Any]:
    at = datetime.fromisoformat(order["date_modified_gmt"]) + timedelta(seconds=seconds)
    return {**order, "date_modified_gmt": at.isoformat(), **fields}


def deliver(road: Road, *orders: dict[str, Any], origin: str = "webhook") -> None:
    road.arrive(*orders, origin=origin)
    road.work()


def added(road: Road) -> tuple[int, int]:
    """Return how many calls added to segments, and how many entries of the log say so."""
    calls = sum(all(part in call.path for part in ADDING) for call in road.mautic.calls if call.method == "POST")
    return calls, sum((entry.action, entry.status) == ("add_to_segment", "success") for entry in road.log())


def test_the_log_names_the_segment(road: Road) -> None:
    first, second, third = (road.order(f"{name}@example.com") for name in ("ada", "bob", "cyd"))
    deliver(road, first)
    assert told(road) == ["Added to segment Customers."]
    connectors.configure(road.services, road.connector_id, {"orders.segments": {"completed": 3, "refunded": 9}})
    road.mautic.state.segments[3] = {**road.mautic.state.segments[2], "id": 3, "name": "VIP", "alias": "vip"}
    # The clock reads what Mautic calls a segment that was chosen since; until then its id is said.
    deliver(road, second)
    assert isinstance(road.services.clock, SetClock)
    road.services.clock.advance(minutes=2)
    assert field_lists.tick(road.services) == 1
    deliver(road, third)
    assert told(road)[1:] == ["Added to segment 3.", "Added to segment VIP."]
    with road.services.db.read() as session:
        assert segment_names.called(segment_names.known(session.get_one(Connector, road.connector_id)), 9) == "9"


def told(road: Road) -> list[str]:
    return [entry.message for entry in road.log() if entry.action == "add_to_segment"]


def test_later_changes_of_an_order_add_nothing_again(road: Road) -> None:
    order = road.order("ada@example.com")
    deliver(road, order)
    assert added(road) == (1, 1)
    deliver(road, edited(order, 5))
    deliver(road, edited(order, 9, payment_method_title="Cash"), origin="full")
    assert added(road) == (1, 1)
    assert [each.result for each in road.deliveries()][1] == "skipped"


def test_changes_that_come_together_are_one_addition(road: Road) -> None:
    order = road.order("ada@example.com")
    deliver(road, order, edited(order, 5), edited(order, 9))
    assert added(road) == (1, 1)


def test_each_order_and_each_status_adds_once(road: Road) -> None:
    order, other = road.order("ada@example.com"), road.order("ada@example.com")
    deliver(road, order, other)
    deliver(road, edited(order, 5, status="refunded"))
    deliver(road, edited(order, 9, status="refunded"))
    assert added(road) == (2, 3)


def test_another_segment_of_a_status_is_added_to_by_the_next_import(road: Road) -> None:
    order = road.order("ada@example.com")
    deliver(road, order)
    connectors.configure(road.services, road.connector_id, {"orders.segments": "completed:2"})
    road.run("full")
    road.run("full")
    assert added(road) == (2, 2)


def test_a_contact_that_was_deleted_and_made_again_is_added_again(road: Road) -> None:
    deliver(road, road.order("new@example.com"))
    contact = road.mautic.state.contact("new@example.com")
    assert contact is not None
    road.mautic.state.delete(contact)
    road.run("full", resend=True)
    assert added(road) == (2, 2)


def test_an_addition_that_mautic_refused_is_tried_again(road: Road) -> None:
    rule = road.mautic.faults.status(503, path="/api/segments")
    deliver(road, road.order("ada@example.com"))
    assert added(road)[1] == 0
    road.mautic.faults.remove(rule)
    connectors.connect(road.services, road.connector_id)
    road.services.clock.advance(minutes=1)  # type: ignore[attr-defined]  # a SetClock
    road.work()
    assert added(road)[1] == 1
    assert road.states() == {"delivered"}
