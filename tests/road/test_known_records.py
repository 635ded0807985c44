"""What nothing had to be sent of is known again by the next full sync: it is written settled, unread and unplanned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from integration.mapping.fields import needs
from integration.mautic.fields import Fields
from integration.models import Connector, Delivery, LedgerEntry, RecordStamp, SyncLogEntry
from integration.pipeline.connectors import connectors
from integration.pipeline.delivery import batch, door
from integration.sandbox.store.bulk import seed_bulk
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


# -- the first sync after an import -----------------------------------------------------------------------------------


@pytest.fixture
def imported(make_road: Callable[..., Road]) -> Road:
    """A road whose shop was just imported; its records are old, so that no event of them waits."""
    road = make_road(orders__notes=True, orders__general_tags="buyer", contacts__default_tags="customer")
    connector = _connector(road)
    Fields(road.services.open_mautic(connector)).create_all(needs(road.services.modules(connector)))
    seed_bulk(road.store.state, 20, 40, rng_seed=4, ending=road.store.state.now() - 30 * 86_400)
    assert road.run("initial").state == "COMPLETED"
    return road


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose records are planned from here on."""
    found: list[str] = []
    for module in (door, batch):
        monkeypatch.setattr(module, "plan_group", noting(module.plan_group, found))
    return found


def noting(plan: Callable[..., Any], found: list[str]) -> Callable[..., Any]:
    def noted(group: Any, *rest: Any) -> Any:
        found.append(group.person_key)
        return plan(group, *rest)

    return noted


def test_the_first_sync_after_an_import_plans_nobody_and_writes_nothing(imported: Road, planned: list[str]) -> None:
    found = {(each.kind, each.source_id, each.number, each.modified_at) for each in imported.deliveries()}
    calls, writes = len(imported.mautic.calls), imported.writes()
    run = imported.run("full")
    assert (run.state, run.pushed, run.failed, run.skipped) == ("COMPLETED", 0, 0, len(found))
    assert planned == []
    # Before anything is called unchanged the list of fields is read, once a run.
    read = [call.path for call in list(imported.mautic.calls)[calls:]]
    assert (imported.writes(), read) == (writes, ["/api/fields/contact"])
    of_run = [each for each in imported.deliveries() if each.run_id == run.id]
    assert {(each.kind, each.source_id, each.number, each.modified_at) for each in of_run} == found
    assert {(each.state, each.error_code) for each in of_run} == {("skipped", "unchanged")}


def test_what_the_first_sync_says_is_what_it_says_without_stamps(imported: Road) -> None:
    imported.run("full")
    known = said(imported)
    with imported.services.db.write() as session:
        session.execute(delete(RecordStamp))
    imported.run("full")
    assert said(imported) == known


def said(road: Road) -> set[tuple[Any, ...]]:
    """Return what the log and the deliveries of the newest run say, without when and which run."""
    with road.services.db.read() as session:
        run_id = session.scalar(select(func.max(Delivery.run_id)))
        mine = select(SyncLogEntry, Delivery).join(Delivery, Delivery.id == SyncLogEntry.delivery_id)
        rows = session.execute(mine.where(Delivery.run_id == run_id)).tuples().all()
    assert rows
    of_log = ("type", "object_id", "action", "status", "message", "contact_id", "source_id", "person_key")
    of_delivery = ("event", "identity", "origin", "state", "result", "modified_at", "reached_at", "error_code", "error")
    return {(*(getattr(e, n) for n in of_log), *(getattr(d, n) for n in of_delivery)) for e, d in rows}


def test_an_order_that_changed_since_its_import_is_sent_and_nobody_else(imported: Road, planned: list[str]) -> None:
    number = next(each.source_id for each in imported.deliveries() if each.kind == "order")
    billing = imported.store.shop.shown(int(number))["billing"]
    imported.store.shop.edit_order(int(number), billing={**billing, "city": "Rome"})
    known = len(imported.deliveries()) - 1
    run = imported.run("full")
    assert (run.state, run.pushed, run.skipped) == ("COMPLETED", 1, known)
    assert len(set(planned)) == 1
    # What was sent has its stamp again at once.
    planned.clear()
    assert imported.run("full").pushed == 0
    assert planned == []


def test_whose_value_was_kept_in_mautic_gets_no_stamp_by_that(imported: Road) -> None:
    connectors.configure(imported.services, imported.connector_id, {"sync.policy": "mautic"})
    imported.run("full")
    for contact in imported.mautic.state.contacts.values():
        contact.values["city"] = "Theirs"
    for each in [each for each in imported.deliveries() if each.kind == "order"]:
        billing = imported.store.shop.shown(int(each.source_id))["billing"]
        imported.store.shop.edit_order(int(each.source_id), billing={**billing, "city": "Ours"})
    with imported.services.db.write() as session:
        session.execute(delete(RecordStamp))
    run = imported.run("full")
    kept = [each for each in imported.deliveries() if (each.run_id, each.state) == (run.id, "conflict")]
    assert kept
    assert not {f"{each.kind}:{each.source_id}" for each in kept} & _stamped(imported)
