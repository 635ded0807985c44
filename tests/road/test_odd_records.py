"""Records that no store should send, that come late, or that change hands: each is its own case and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from integration.events import Origin
from integration.mapping.fields import needs
from integration.mautic.fields import Fields
from integration.models import Connector, Database, Delivery
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest import records
from integration.pipeline.services import Services, open_services
from integration.queries import person_status, timeline
from integration.store import parse
from tests.conftest import NOON
from tests.road.conftest import Road

MODIFIED = "date_modified_gmt"


@pytest.fixture
def make(make_road: Callable[..., Road]) -> Callable[..., Road]:
    """Makes the road with the lifetime fields in Mautic."""

    def made(**settings: Any) -> Road:
        road = make_road(**settings)
        with road.services.db.read() as session:
            connector = session.get_one(Connector, road.connector_id)
        Fields(road.services.open_mautic(connector)).create_all(needs(road.services.modules(connector)))
        return road

    return made


@pytest.fixture
def road(make: Callable[..., Road]) -> Road:
    return make()


def values(road: Road, email: str) -> dict[str, Any]:
    found = road.mautic.state.contact(email)
    assert found is not None
    return dict(found.values)


def spent(road: Road, email: str) -> Decimal:
    return Decimal(str(values(road, email).get("mautic_woo_total_spent") or 0))


def priced(road: Road, email: str, total: str, **fields: Any) -> dict[str, Any]:
    return road.order(email, line_items=[{"name": "Mug", "quantity": 1, "total": total}], **fields)


ABSURD: list[dict[str, Any]] = [
    {"status": "x" * 300},
    {"status": "comp\x00leted"},
    {"refunds": "-5.00"},
    {"currency": "EUR" * 9},
    {"id": 2**70},
    {"total": float("inf")},
    {"date_created_gmt": "0001-01-01T00:00:00"},
    {"billing": {"email": "ada\x00@example.com"}},
    {"billing": {"email": "\udc00@example.com"}},
]


def test_an_absurd_record_is_its_own_dead_letter_and_its_page_goes_on(road: Road) -> None:
    good = [road.order(f"good{n}@example.com") for n in range(2)]
    odd = [{**road.order(f"odd{n}@example.com"), **fields} for n, fields in enumerate(ABSURD)]
    road.arrive(good[0], *odd, good[1], origin=Origin.INITIAL)
    road.work()
    by_state: dict[str, list[Delivery]] = {}
    for row in road.deliveries():
        by_state.setdefault(row.state, []).append(row)
    assert {int(row.source_id) for row in by_state["delivered"]} == {order["id"] for order in good}
    assert len(by_state["dead"]) == len(ABSURD)
    codes = [row.error_code for row in by_state["dead"]]
    assert set(codes) == {"bad_text", "bad_shape", "bad_number", "bad_amount", "bad_date", "email_characters"}
    assert all(row.error.endswith(".") for row in by_state["dead"])


def test_what_only_decorates_blocks_nothing_and_is_said(road: Road) -> None:
    order = priced(
        road, "ada@example.com", "30.00", billing={"company": "Acme &amp; O&#8217;Brien", "city": "K&ouml;ln"}
    )
    [line] = order["line_items"]
    order |= {"line_items": {"7": {**line, "price": "abc"}}, "discount_total": False, "number": "9" * 300}
    order |= {"refunds": {"4": {"id": 1, "total": "-5.00"}}, "date_completed_gmt": "garbage", "customer_id": 0.0}
    road.arrive(order)
    road.work()
    assert road.states() == {"delivered"}
    found = values(road, "ada@example.com")
    assert spent(road, "ada@example.com") == Decimal(order["total"]) - 5
    assert (found["company"], found["city"]) == ("Acme & O’Brien", "Köln")
    assert "“number”, “line_items.price”, “date_completed_gmt” of the store's record cannot be read" in said(road)


def test_an_order_without_a_status_is_no_order_of_another_one(road: Road) -> None:
    order = priced(road, "ada@example.com", "30.00")
    road.arrive(order)
    road.work()
    road.arrive({**order, "status": False, MODIFIED: "2099-01-01T00:00:00"})
    road.work()
    assert [row.error_code for row in road.deliveries() if row.state == "dead"] == ["order_unnamed"]
    road.run("full")
    assert spent(road, "ada@example.com") == Decimal(order["total"])


def said(road: Road) -> str:
    return " ".join(entry.message for entry in road.log())


def test_names_with_odd_characters_are_delivered_without_them(road: Road) -> None:
    order = road.order("ada@example.com", billing={"city": "Rome"})
    order["billing"] |= {"first_name": "A\x00da", "last_name": "Love\ud83dlace"}
    road.arrive(order)
    road.work()
    assert road.states() == {"delivered"}
    assert "\x00" not in str(values(road, "ada@example.com"))


_TEXT = st.text(max_size=400) | st.text(st.characters(), max_size=80).map(lambda text: text + "\x00\ud800")
_ODD = st.fixed_dictionaries(
    {"id": st.integers(1, 2**200) | st.integers(1, 2**63).map(str)},
    optional={
        "number": _TEXT,
        "status": _TEXT,
        "currency": _TEXT,
        "total": st.floats() | _TEXT,
        "date_modified_gmt": _TEXT | st.datetimes().map(lambda at: at.isoformat()),
        "date_created": _TEXT,
        "billing": st.fixed_dictionaries({"email": _TEXT, "first_name": _TEXT}) | _TEXT,
        "line_items": st.lists(st.dictionaries(st.sampled_from(["name", "sku"]), _TEXT), max_size=2),
    },
)


@pytest.fixture
def services(db: Database, deployment: Any) -> Services:
    return open_services(deployment, database=db)


@given(orders=st.lists(_ODD, min_size=1, max_size=3), removed=st.integers(1, 2**200))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_of_the_store_keeps_a_page_from_being_accepted(
    services: Services, orders: list[dict[str, Any]], removed: int
) -> None:
    connector_id = connectors.create(services, organisation_id=1, name="Shop")
    changes = [parse.order_change(order, Origin.POLL, NOON) for order in orders]
    changes += [parse.customer_change(order, Origin.POLL, NOON, created=False) for order in orders]
    changes += [records.trashed({**orders[0], "id": removed}, Origin.POLL, NOON)]
    with services.db.write() as session:
        accepted = records.accept(session, NOON, connector_id, changes)
        assert accepted.new >= len({change.identity for change in changes if change.kind == "order"})


# -- what comes late --------------------------------------------------------------------------------------------------


def kill_and_overtake(road: Road) -> tuple[Delivery, dict[str, Any]]:
    """An order of somebody who is in Mautic dies on its way; what happened to it since arrives."""
    road.arrive(road.order("ada@example.com"))
    road.work()
    one = {**road.order("ada@example.com", billing={"city": "Rome"}), MODIFIED: "2026-11-20T10:00:00"}
    road.mautic.faults.command({"kind": "status", "value": 400, "path": "/api/contacts"})
    road.arrive(one)
    road.work()
    road.mautic.faults.clear()
    [dead] = [row for row in road.deliveries() if row.state == "dead"]
    later = {**one, "status": "refunded", MODIFIED: "2026-11-20T11:00:00"}
    later["billing"] = {**one["billing"], "city": "Turin"}
    road.arrive(later)
    road.work()
    return dead, later


def test_an_older_sighting_sent_again_overwrites_nothing(make: Callable[..., Road]) -> None:
    road = make(orders__remove_completed_tag=True, orders__notes=True)
    dead, _ = kill_and_overtake(road)
    before = values(road, "ada@example.com")
    tags = set(road.mautic.state.contact("ada@example.com").tags)  # type: ignore[union-attr]  # it is there
    connectors.connect(road.services, road.connector_id, store_url="https://127.0.0.1:9")
    with road.services.db.write() as session:
        # A later success closes a letter; the first version left it open, to be sent again by whoever found it.
        assert session.get_one(Delivery, dead.id).state == "closed"
        session.get_one(Delivery, dead.id).state, session.get_one(Delivery, dead.id).payload = "dead", dead.payload
        session.flush()
        outbox.requeue(session, road.services.clock.now(), road.connector_id, [dead.id])
    road.work()
    after = values(road, "ada@example.com")
    assert (before["city"], after["city"]) == ("Turin", "Turin")
    assert after["mautic_woo_order_data"] == before["mautic_woo_order_data"]
    assert set(road.mautic.state.contact("ada@example.com").tags) == tags  # type: ignore[union-attr]
    assert {row.state for row in road.deliveries()} == {"delivered"}


def test_a_sighting_whose_order_has_moved_on_in_the_store_keeps_its_newest_status(make: Callable[..., Road]) -> None:
    road = make(orders__notes=True)
    dead, later = kill_and_overtake(road)
    road.store.shop.edit_order(later["id"], status="refunded", billing={"city": "Milan"})
    with road.services.db.write() as session:
        outbox.requeue(session, road.services.clock.now(), road.connector_id, [dead.id])
    road.work()
    found = values(road, "ada@example.com")
    assert '"status":"refunded"' in found["mautic_woo_order_data"]
    assert found["city"] == "Turin"


# -- what changes hands -----------------------------------------------------------------------------------------------


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


# -- what was never seen ----------------------------------------------------------------------------------------------


def test_an_order_read_by_hand_tells_where_it_stands(road: Road) -> None:
    whose = {"completed": "ada@example.com", "on-hold": "bob@example.com"}
    orders = {status: road.order(email, status=status)["id"] for status, email in whose.items()}
    nowhere = 424242
    assert {codes(road, number) for number in (*orders.values(), nowhere)} == {"unknown"}
    road.run("bulk", ids=[*orders.values(), nowhere], only=["orders"])
    assert codes(road, orders["completed"]) == "in_mautic"
    assert codes(road, orders["on-hold"]) == "skipped"
    assert codes(road, nowhere) == "unknown"


def codes(road: Road, order_id: int) -> str:
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
        known = timeline.known_order(session, connector, str(order_id), road.services.clock.now())
    [verdict] = person_status.of_order(known)
    return verdict.code
