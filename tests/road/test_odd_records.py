"""Records that no store should send, that come late, or were never seen: each is its own case and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from integration.events import Origin
from integration.models import Connector, Database, Delivery
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest import records
from integration.pipeline.services import Services, open_services
from integration.queries import person_status, timeline
from integration.store import parse
from tests.conftest import NOON
from tests.road.conftest import Road
from tests.road.lifetimes import MODIFIED, priced, spent, values, with_fields


@pytest.fixture
def make(make_road: Callable[..., Road]) -> Callable[..., Road]:
    """Makes the road with the lifetime fields in Mautic."""
    return partial(with_fields, make_road)


@pytest.fixture
def road(make: Callable[..., Road]) -> Road:
    return make()


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
