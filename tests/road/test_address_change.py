"""A customer who changes the e-mail address of the account stays one contact, on both versions of Mautic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from integration.events import Origin
from integration.mapping import aliases
from integration.models import Connector, RunState
from integration.pipeline.ingest import records
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import accounts
from integration.store import parse
from tests.operations.reconciliation.conftest import Bench
from tests.road.conftest import Road

OLD, NEW = "old@example.com", "new@example.com"


@pytest.fixture(params=["5.2.1", "7.0.0"])
def mautic(request: pytest.FixtureRequest) -> Iterator[MauticServer]:
    with MauticServer(version=request.param) as server:
        yield server


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road(orders__create_fields=True)


def register(road: Road, email: str = OLD) -> int:
    return accounts.register(road.store.state, {"email": email, "first_name": "Ada"}).id


def rename(road: Road, number: int, email: str) -> None:
    # The store dates changes to the second: one within the second of the last reading is seen by nobody.
    time.sleep(1.1)
    state = road.store.state
    accounts.edit(state, state.people[number], {"email": email})


def people(road: Road) -> dict[str, int]:
    return {str(contact.values.get("email")): contact.id for contact in road.mautic.state.contacts.values()}


def bring(road: Road, number: int, way: str) -> None:
    """Let the change of the account arrive by a run, or by its webhook."""
    if way != "webhook":
        road.run(way)
        return
    now = road.services.clock.now()
    [row] = [each for each in road.store.shop.customers if each["id"] == number]
    with road.services.db.write() as session:
        change = parse.customer_change(row, Origin.WEBHOOK, now, created=False)
        records.accept(session, now, road.connector_id, [change])
    road.work()


@pytest.mark.parametrize("way", ["full", "incremental", "webhook"])
def test_the_contact_follows_and_keeps_its_orders(road: Road, way: str) -> None:
    number = register(road)
    road.order(OLD, customer_id=number, line_items=[{"product_id": 12, "quantity": 1}])
    road.run("initial")
    [before] = people(road).values()
    rename(road, number, NEW)
    bring(road, number, way)
    assert people(road) == {NEW: before}
    road.run("full")
    assert people(road) == {NEW: before}
    written = road.writes()
    road.run("full")
    assert (people(road), road.writes()) == ({NEW: before}, written)
    contact = road.mautic.state.contact(NEW)
    assert contact is not None and contact.values[aliases.cut(aliases.ORDER_COUNT)] == 1


def test_an_address_that_is_another_contact_is_said(road: Road) -> None:
    number = register(road)
    road.order(NEW)
    road.run("initial")
    before = people(road)
    rename(road, number, NEW)
    road.run("full")
    assert people(road) == before
    said = [entry.message for entry in road.log() if f"contact {before[NEW]} has that one already" in entry.message]
    assert len(said) == 1 and f"Contact {before[OLD]} keeps the former address" in said[0]
    road.run("full")
    assert len(people(road)) == 2


def test_a_contact_of_mautic_with_the_new_address_is_written_and_said(road: Road) -> None:
    number = register(road)
    road.run("initial")
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    road.services.open_mautic(connector).post("contacts/new", {"email": NEW})
    before = people(road)
    rename(road, number, NEW)
    road.run("full")
    assert people(road) == before
    said = road.log()[-1].message
    assert f"Contact {before[NEW]} has this e-mail address already" in said
    assert f"contact {before[OLD]} was left as it is" in said


def test_there_and_back_again(road: Road) -> None:
    number = register(road)
    road.order(OLD, customer_id=number)
    road.run("initial")
    [before] = people(road).values()
    for address in (NEW, "third@example.com", OLD):
        rename(road, number, address)
        road.run("full")
        assert people(road) == {address: before}


def test_an_address_that_another_account_takes_is_that_accounts(road: Road) -> None:
    first = register(road)
    road.run("initial")
    [before] = people(road).values()
    rename(road, first, NEW)
    road.run("full")
    register(road, OLD)
    road.run("full")
    assert people(road)[NEW] == before and len(people(road)) == 2


def test_the_reconciliation_finds_nothing(road: Road) -> None:
    number = register(road)
    road.order(OLD, customer_id=number)
    road.run("initial")
    rename(road, number, NEW)
    road.run("full")
    bench = Bench(road)
    assert bench.reconcile().state == RunState.COMPLETED
    assert bench.drift() == []
