"""What nothing had to be sent of is known again by the next full sync: it is written settled, unread and unplanned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from integration.mapping.fields import needs
from integration.mautic.fields import Fields
from integration.models import Connector, Delivery, LedgerEntry, RecordStamp
from integration.pipeline.connectors import connectors
from integration.sandbox.store.demo_shop import seed
from integration.store import parse
from tests.road.conftest import Road


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    road = make_road(orders__notes=True, orders__general_tags="buyer", contacts__default_tags="customer")
    connector = _connector(road)
    Fields(road.services.open_mautic(connector)).create_all(needs(road.services.modules(connector)))
    seed(road.store.state)
    road.run("initial")
    road.run("full")
    return road


@pytest.fixture
def parsed(road: Road, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The records that are read from here on, by kind."""
    found: list[str] = []
    for name in ("order", "customer"):
        monkeypatch.setattr(parse, name, counting(getattr(parse, name), name, found))
    return found


def counting(read: Callable[[Any], Any], name: str, found: list[str]) -> Callable[[Any], Any]:
    def counted(raw: Any) -> Any:
        found.append(f"{name}:{raw['id']}")
        return read(raw)

    return counted


def figures(road: Road) -> tuple[int, int, int]:
    run = road.run("full")
    assert run.state == "COMPLETED", run.error
    with road.services.db.read() as session:
        mine = select(func.count()).where(Delivery.run_id == run.id)
        return run.pulled, run.skipped, session.scalar(mine) or 0


def test_a_third_sync_finds_all_records_and_hardly_reads_one(road: Road, parsed: list[str]) -> None:
    before = figures(road)
    # Who is no contact has no link that could have stayed, and what is planned anew is read once more.
    read = len(parsed)
    assert read < before[0] / 4
    assert figures(road) == before
    assert len(parsed) == 2 * read


def test_what_an_order_says_anew_is_read_and_sent(road: Road, parsed: list[str]) -> None:
    figures(road)
    order = max((row for row in road.store.state.orders if row.status == "completed"), key=lambda row: row.id)
    parsed.clear()
    # As a plugin writes it: without the order's date of its last change.
    order.document["billing"]["city"] = "Lovelace Town"
    run = road.run("full")
    assert f"order:{order.id}" in parsed
    assert (run.state, run.pushed > 0) == ("COMPLETED", True)
    cities = [contact.values.get("city") for contact in road.mautic.state.contacts.values()]
    assert cities.count("Lovelace Town") == 1


def test_what_the_settings_say_anew_is_planned_for_all(road: Road) -> None:
    assert road.run("full").pushed == 0
    connectors.configure(road.services, road.connector_id, {"orders.general_tags": ["buyer", "new"]})
    run = road.run("full")
    assert run.pushed > 100
    assert road.run("full").pushed == 0


def test_what_leaves_the_store_keeps_no_stamp(road: Road) -> None:
    stamped = _stamped(road)
    order = next(row for row in road.store.state.orders if f"order:{row.id}" in stamped)
    customer = next(person for person in road.store.state.people.values() if f"contact:{person.id}" in stamped)
    remove = road.services.open_store(_connector(road)).delete
    remove(f"orders/{order.id}", {"force": True})
    remove(f"customers/{customer.id}", {"force": True})
    assert road.run("full").state == "COMPLETED"
    assert stamped - _stamped(road) >= {f"order:{order.id}", f"contact:{customer.id}"}
    assert len(_stamped(road)) > len(stamped) / 2


def _connector(road: Road) -> Connector:
    with road.services.db.read() as session:
        return session.get_one(Connector, road.connector_id)


def _stamped(road: Road) -> set[str]:
    with road.services.db.read() as session:
        return {f"{row.kind}:{row.source_id}" for row in session.scalars(select(RecordStamp))}


def test_the_list_of_orders_is_noted_once(road: Road, parsed: list[str]) -> None:
    with road.services.db.read() as session:
        before = {row.order_id: row.listed for row in session.scalars(select(LedgerEntry))}
    assert all(before.values())
    figures(road)
    with road.services.db.read() as session:
        assert {row.order_id: row.listed for row in session.scalars(select(LedgerEntry))} == before
