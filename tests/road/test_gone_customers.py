"""Customers who were deleted in a store whose webhooks do not come: polling notices them by the list it reads."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from integration.clock import SetClock
from integration.models import Connector, CustomerMark, RunLine
from integration.pipeline.runs import gone_customers
from tests.conftest import NOON
from tests.road.conftest import Road

MakeRoad = Callable[..., Road]
CUSTOMERS = "/wp-json/wc/v3/customers"


def registered(road: Road, *names: str) -> list[int]:
    """Register customers, sync them and return their ids."""
    made = [road.store.shop.register_customer(email=f"{name}@example.com", first_name=name)["id"] for name in names]
    road.run("initial")
    return made


def endings(road: Road) -> list[tuple[str, str, str]]:
    found = (each for each in road.deliveries() if each.event == "deleted")
    return [(each.source_id, each.state, each.result) for each in found]


def marks(road: Road) -> set[int]:
    with road.services.db.read() as session:
        return set(session.scalars(select(CustomerMark.customer_id)))


def test_polling_handles_whoever_is_gone_once_as_the_setting_says(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON), contacts__on_delete="delete")
    ada, bob, cleo = registered(road, "ada", "bob", "cleo")
    for number in (ada, cleo):
        road.store.shop.delete_customer(number)
    run = road.run("incremental")
    assert endings(road) == [(str(ada), "delivered", "deleted"), (str(cleo), "delivered", "deleted")]
    assert [contact.values["email"] for contact in road.mautic.state.contacts.values()] == ["bob@example.com"]
    assert marks(road) == {bob}
    with road.services.db.read() as session:
        said = session.scalars(select(RunLine.text).where(RunLine.run_id == run.id)).all()
    assert "2 customers are no longer in the store; their contacts are handled as Contact Sync says." in said
    assert road.run("incremental").state == "COMPLETED"
    assert len(endings(road)) == 2


def test_a_full_sync_notices_them_too(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON), contacts__on_delete="tag", contacts__deleted_tag="gone")
    ada, _ = registered(road, "ada", "bob")
    road.store.shop.delete_customer(ada)
    road.run("full")
    assert endings(road) == [(str(ada), "delivered", "updated")]
    assert "gone" in road.mautic.state.tag_names(road.contact("ada@example.com"))


def test_a_list_that_hides_a_customer_takes_nobody_for_gone_and_is_not_asked_for_them_all_day(
    make_road: MakeRoad,
) -> None:
    clock = SetClock(NOON)
    road = make_road(clock, contacts__on_delete="delete")
    ada, bob = registered(road, "ada", "bob")
    with road.services.db.write() as session:
        # Somebody whom the list hides is one whom we know and it does not give.
        session.add(CustomerMark(connector_id=road.connector_id, customer_id=bob + 1, version="1"))
    road.store.faults.command({"kind": "status", "value": 503, "path": f"{CUSTOMERS}/{bob + 1}"})
    road.run("incremental")
    assert (endings(road), marks(road)) == ([], {ada, bob, bob + 1})
    road.store.faults.clear()
    road.run("incremental")
    assert endings(road) == []
    clock.advance(days=1, minutes=1)
    road.run("incremental")
    assert [each[0] for each in endings(road)] == [str(bob + 1)]


def test_a_list_that_came_short_or_empty_takes_nobody_for_gone(make_road: MakeRoad) -> None:
    road = make_road(SetClock(NOON), contacts__on_delete="delete")
    ada, bob = registered(road, "ada", "bob")
    with road.services.db.read() as session:
        short = {"to": bob, "ids": [ada], "whole": False}
        empty = {"to": 0, "ids": [], "whole": True}
        found = [gone_customers.suspects(session, road.connector_id, place) for place in (short, empty, None)]
        whole = gone_customers.suspects(session, road.connector_id, {"to": ada, "ids": [], "whole": True})
        assert gone_customers.due(session.get_one(Connector, road.connector_id), NOON)
    assert (found, whole) == ([[], [], []], [bob])
