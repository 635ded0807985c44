"""Records as unruly as real ones: each ends as it should, and none disturbs its neighbours."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from integration.events import Origin
from integration.mapping.fields import needs
from integration.mautic.fields import Fields
from integration.models import Connector
from integration.pipeline import outbox
from integration.pipeline.leases.tokens import new_token
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.store.demo_shop import seed
from tests.road.conftest import Road


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    road = make_road(orders__notes=True)
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    Fields(road.services.open_mautic(connector)).create_all(needs(road.services.modules(connector)))
    return road


def contact(road: Road, email: str) -> Contact:
    found = road.mautic.state.contact(email)
    assert found is not None
    return found


def messages(road: Road, order: dict[str, object]) -> str:
    return " ".join(entry.message for entry in road.log() if entry.source_id == str(order["id"]))


def test_unruly_orders_in_one_batch_each_end_as_they_should(road: Road) -> None:
    good = [road.order(f"good{n}@example.com") for n in range(3)]
    refused = road.order("some^one@example.com")
    absurd = {**road.order("absurd@example.com"), "total": "1e400"}
    long = road.order("long@example.com", billing={"address_1": "Long Street " * 25})
    unknown = road.order("nowhere@example.com", billing={"country": "XX"})
    emoji = road.order("emoji@example.com", billing={"first_name": "Zoë 🎉"})
    nobody = road.order("")
    road.arrive(good[0], refused, absurd, long, good[1], unknown, emoji, nobody, good[2])
    road.work()
    states = {int(d.source_id): d.state for d in road.deliveries()}
    assert (states[refused["id"]], states[absurd["id"]]) == ("dead", "dead")
    assert states[nobody["id"]] == "skipped"
    assert {states[o["id"]] for o in (*good, long, unknown, emoji)} == {"delivered"}
    assert "characters that Mautic would refuse" in messages(road, refused)
    assert "was shortened" in messages(road, long)
    assert len(contact(road, "long@example.com").values["address1"]) <= 64
    assert "country" in messages(road, unknown)
    assert contact(road, "nowhere@example.com").values.get("country") in (None, "")
    assert contact(road, "emoji@example.com").values["firstname"] == "Zoë 🎉"
    assert "no billing e-mail" in messages(road, nobody)


def test_a_deleted_product_and_sixty_items_reach_note_and_data(road: Road) -> None:
    items = [{"product_id": 0, "name": f"Item {n} " + "x" * 60, "quantity": 1, "total": "1.00"} for n in range(60)]
    order = road.order("many@example.com", line_items=items)
    road.arrive(order)
    road.work()
    data = json.loads(contact(road, "many@example.com").values["mautic_woo_order_data"])
    assert data["order_id"] in (order["id"], str(order["id"]))
    [note] = road.mautic.state.notes_of(contact(road, "many@example.com").id)
    assert "Item 59" in note["text"]
    assert f"[order {order['id']} completed]" in note["text"]


def test_refunds_lower_the_lifetime_values(road: Road) -> None:
    one = road.order("ada@example.com", line_items=[{"name": "A", "quantity": 1, "total": "30.00"}])
    two = road.order("ADA@example.com", line_items=[{"name": "B", "quantity": 1, "total": "50.00"}])
    road.arrive(one, two)
    road.work()
    before = Decimal(str(contact(road, "ada@example.com").values["mautic_woo_total_spent"]))
    road.store.shop.refund(two["id"], "10.00")
    road.arrive(road.store.shop.shown(two["id"]))
    road.work()
    after = Decimal(str(contact(road, "ada@example.com").values["mautic_woo_total_spent"]))
    assert before - after == Decimal("10.00")
    assert (
        len([c for c in road.mautic.state.contacts.values() if c.values.get("email", "").lower() == "ada@example.com"])
        == 1
    )


def test_a_trashed_order_counts_no_more(road: Road) -> None:
    one, two = road.order("ada@example.com"), road.order("ada@example.com")
    road.arrive(one, two)
    road.work()
    assert float(contact(road, "ada@example.com").values["mautic_woo_order_count"]) == 2
    road.store.shop.trash(two["id"])
    road.run("incremental")
    assert float(contact(road, "ada@example.com").values["mautic_woo_order_count"]) == 1


def test_the_newest_values_win_whatever_arrives_first(road: Road) -> None:
    old = road.order("ada@example.com", billing={"city": "Old Town"}, date_created="2026-01-01T10:00:00")
    new = road.order("ada@example.com", billing={"city": "New Town"}, date_created="2026-06-01T10:00:00")
    road.arrive(new)
    road.work()
    road.arrive(old)
    road.work()
    assert contact(road, "ada@example.com").values["city"] == "New Town"


def test_the_same_record_again_is_skipped_without_a_call(road: Road) -> None:
    order = road.order("ada@example.com")
    road.arrive(order)
    road.work()
    road.mautic.calls.reset()
    road.arrive(order)
    road.work()
    assert road.mautic.calls.total == 0
    assert road.log()[-1].message == "Nothing has changed since the last sync."


def test_history_sends_no_e_mail_and_a_live_order_one_for_each_status(make_road: Callable[..., Road]) -> None:
    road = make_road(orders__emails={"completed": 1}, orders__statuses="completed,processing")
    from integration.sandbox.mautic.seed import seed as seed_mautic

    seed_mautic(road.mautic.state)
    road.order("old@example.com")
    road.run("initial")
    assert road.mautic.state.sent == []
    live = road.order("new@example.com", status="processing")
    road.arrive(live)
    road.work()
    road.store.shop.change_status(live["id"], "completed")
    road.arrive(road.store.shop.shown(live["id"]))
    road.arrive(road.store.shop.shown(live["id"]))
    road.work()
    assert len(road.mautic.state.sent) == 1
    assert "send_email" in {entry.action for entry in road.log()}


def test_an_import_of_the_whole_shop_agrees_with_the_shop(road: Road) -> None:
    seed(road.store.state, customers=60, orders=150)
    run = road.run("initial")
    assert run.state == "COMPLETED"
    sums: dict[str, Decimal] = {}
    for row in road.store.state.orders:
        order = road.store.shop.shown(row.id)
        email = order["billing"]["email"].strip().casefold()
        net = Decimal(order["total"]) + sum(Decimal(refund["total"]) for refund in order["refunds"])
        fully_refunded = order["refunds"] and net <= 0
        if order["status"] in ("processing", "completed") and order["currency"] == "EUR" and not fully_refunded:
            sums[email] = sums.get(email, Decimal(0)) + net
    checked = 0
    for one in road.mautic.state.contacts.values():
        spent = one.values.get("mautic_woo_total_spent")
        if spent is not None:
            assert Decimal(str(spent)) == sums[str(one.values["email"]).casefold()]
            checked += 1
    assert checked > 20
    road.mautic.calls.reset()
    again = road.run("full")
    assert (again.state, again.pushed, road.writes()) == ("COMPLETED", 0, 0)


def test_a_dry_run_foretells_and_sends_nothing(road: Road) -> None:
    for number in range(5):
        road.order(f"p{number}@example.com")
    road.mautic.calls.reset()
    run = road.run("full", dry_run=True)
    assert (run.state, run.pushed, road.writes(), road.deliveries()) == ("COMPLETED", 5, 0, [])


def test_live_goes_before_history(road: Road) -> None:
    old = [road.order(f"old{n}@example.com") for n in range(120)]
    road.arrive(*old, origin=Origin.INITIAL)
    live = road.order("live@example.com")
    road.arrive(live)
    with road.services.db.write() as session:
        [first, *_] = outbox.claim(session, road.services.clock.now(), road.connector_id, 50, new_token())
        session.rollback()
    assert first.deliveries[0].source_id == str(live["id"])
    road.work()
    assert road.states() == {"delivered"}
