"""The latest synced order speaks for a person, and what falls to nothing is emptied, on both versions of Mautic."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.clock import SetClock
from integration.events import Change, Kind, Origin
from integration.mapping import aliases
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest import records
from integration.sandbox.mautic import MauticServer
from tests.road.conftest import Road

ADA = "ada@example.com"
MONEY = (aliases.TOTAL_SPENT, aliases.ORDER_COUNT, aliases.AVERAGE)
ROME = {"country": "IT", "state": "RM", "city": "Rome", "address_1": "Via Roma 1", "postcode": "00100"}


@pytest.fixture(params=["5.2.1", "7.0.0"])
def mautic(request: pytest.FixtureRequest) -> Iterator[MauticServer]:
    with MauticServer(version=request.param) as server:
        yield server


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road(orders__create_fields=True, contacts__billing=True)


def held(road: Road, alias: str, email: str = ADA) -> Any:
    contact = road.mautic.state.contact(email)
    assert contact is not None
    return contact.values.get(aliases.cut(alias))


def data(road: Road) -> Any:
    text = held(road, aliases.ORDER_DATA)
    return json.loads(text) if text else None


def again(road: Road, number: int) -> None:
    road.arrive(road.store.shop.shown(number))
    road.work()


@pytest.mark.parametrize("later", ["pending", "failed", "cancelled", "on-hold"])
def test_a_later_order_that_is_not_synced_takes_nothing_away(road: Road, later: str) -> None:
    first = road.order(ADA, billing=ROME)
    road.arrive(first, road.order(ADA, later, billing=ROME))
    road.work()
    assert data(road)["order_id"] == first["id"]
    assert (held(road, "firstname"), held(road, "country"), held(road, "city")) == ("Ada", "Italy", "Rome")


def test_an_import_finds_the_latest_synced_order_of_a_guest(road: Road) -> None:
    first = road.order(ADA, billing=ROME)
    road.order(ADA, "pending", billing=ROME)
    road.run("initial")
    assert data(road)["order_id"] == first["id"]
    assert (held(road, "firstname"), held(road, "country")) == ("Ada", "Italy")


def test_an_order_that_comes_first_and_is_not_synced_makes_nobody_a_contact(road: Road) -> None:
    road.arrive(road.order(ADA, "pending"))
    road.work()
    assert road.mautic.state.contact(ADA) is None
    first = road.order(ADA)
    road.arrive(first)
    road.work()
    assert (data(road)["order_id"], held(road, "firstname")) == (first["id"], "Ada")


def refunded(road: Road, number: int) -> None:
    road.store.shop.refund(number, str(road.store.shop.shown(number)["total"]))
    again(road, number)


def cancelled(road: Road, number: int) -> None:
    road.store.shop.change_status(number, "cancelled")
    again(road, number)


def on_hold(road: Road, number: int) -> None:
    road.store.shop.change_status(number, "on-hold")
    again(road, number)


def trashed(road: Road, number: int) -> None:
    row = road.store.shop.shown(number)
    road.store.shop.trash(number)
    now = road.services.clock.now()
    with road.services.db.write() as session:
        records.accept(session, now, road.connector_id, [records.trashed(row, Origin.WEBHOOK, now)])
    road.work()


def moved(road: Road, number: int) -> None:
    road.store.shop.edit_order(number, billing={"email": "bob@example.com"})
    again(road, number)


@pytest.mark.parametrize("act", [refunded, cancelled, on_hold, trashed, moved])
def test_what_falls_to_nothing_is_emptied(road: Road, act: Callable[[Road, int], None]) -> None:
    order = road.order(ADA, line_items=[{"name": "Mug", "quantity": 1, "total": "30.00"}])
    road.arrive(order)
    road.work()
    assert float(held(road, aliases.TOTAL_SPENT)) > 0
    act(road, order["id"])
    assert [held(road, alias) in (None, "") for alias in MONEY] == [True] * len(MONEY)
    # A refunded order is still a synced one, and its data say that it was refunded.
    assert data(road) is None or act is refunded
    assert (held(road, "email"), held(road, "firstname")) == (ADA, "Ada")
    before = road.writes()
    road.run("full")
    assert road.writes() == before, "nothing was left to write"


@pytest.mark.parametrize("by", ["webhook", "poll"])
def test_an_order_that_was_given_away_before_it_went_empties_nobody_else(road: Road, by: str) -> None:
    """Between two looks its address was changed and it was trashed: the store shows it as somebody else's only."""
    line = [{"name": "Mug", "quantity": 1, "total": "30.00"}]
    order = road.order(ADA, line_items=line)
    road.arrive(order, road.order("bob@example.com", line_items=line))
    road.work()
    of_bob = held(road, aliases.TOTAL_SPENT, "bob@example.com")
    road.store.shop.edit_order(order["id"], billing={"email": "bob@example.com"})
    shown = road.store.shop.shown(order["id"])
    road.store.shop.trash(order["id"])
    now = road.services.clock.now()
    gone = records.trashed(shown, Origin.POLL, now)
    if by == "webhook":
        gone = Change(Kind.ORDER, str(order["id"]), "deleted", "", {"id": order["id"]}, now, Origin.WEBHOOK)
    with road.services.db.write() as session:
        records.accept(session, now, road.connector_id, [gone])
    road.work()
    assert [held(road, alias) in (None, "") for alias in MONEY] == [True] * len(MONEY)
    assert of_bob and held(road, aliases.TOTAL_SPENT, "bob@example.com") == of_bob


@pytest.mark.parametrize("act", [cancelled, on_hold, trashed, moved])
@pytest.mark.parametrize("others", [0, 1])
def test_what_leaves_before_it_was_sent_gives_no_order_data(
    road: Road, act: Callable[[Road, int], None], others: int
) -> None:
    kept = [road.order(ADA) for _ in range(others)]
    order = road.order(ADA)
    road.arrive(*kept, order)
    act(road, order["id"])
    told = data(road)
    assert (told and told["order_id"]) == (kept[0]["id"] if kept else None)


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(minutes=-5)])
def test_an_order_out_of_the_trash_counts_again_whatever_our_clock_says(
    make_road: Callable[..., Road], ahead: timedelta
) -> None:
    road = make_road(SetClock(datetime.now(UTC) + ahead), orders__create_fields=True)
    order = road.order(ADA, line_items=[{"name": "Mug", "quantity": 1, "total": "30.00"}])
    road.arrive(order)
    road.store.shop.trash(order["id"])
    now = road.services.clock.now()
    gone = Change(Kind.ORDER, str(order["id"]), "deleted", "", {"id": order["id"]}, now, Origin.WEBHOOK)
    with road.services.db.write() as session:
        records.accept(session, now, road.connector_id, [gone])
    road.work()
    assert held(road, aliases.TOTAL_SPENT) in (None, "", 0)
    # Within one second a webhook of before and one of after the trash cannot be told apart.
    road.store.state.clock = SetClock(datetime.now(UTC) + timedelta(seconds=2))
    road.store.shop.restore(order["id"])
    again(road, order["id"])
    assert float(held(road, aliases.TOTAL_SPENT)) == float(order["total"])


def test_the_order_before_speaks_when_the_latest_is_synced_no_more(road: Road) -> None:
    first, second = road.order(ADA), road.order(ADA)
    road.arrive(first, second)
    road.work()
    assert data(road)["order_id"] == second["id"]
    cancelled(road, second["id"])
    assert data(road)["order_id"] == first["id"]
    assert int(float(held(road, aliases.ORDER_COUNT))) == 1


def test_an_address_is_one_value(road: Road) -> None:
    road.arrive(road.order(ADA, billing={**ROME, "address_2": "Scala B", "company": "Acme"}))
    road.work()
    assert held(road, "state")
    seoul = {"country": "KR", "state": "", "city": "Seoul", "address_1": "1 Sejong", "address_2": "", "company": ""}
    road.arrive(road.order(ADA, billing=seoul))
    road.work()
    assert (held(road, "city"), held(road, "country")) == ("Seoul", "South Korea")
    assert [held(road, alias) in (None, "") for alias in ("state", "address2", "company")] == [True] * 3


def test_an_order_without_an_address_empties_none(road: Road) -> None:
    road.arrive(road.order(ADA, billing=ROME))
    road.work()
    blank = dict.fromkeys(("country", "state", "city", "address_1", "address_2", "postcode", "company"), "")
    road.arrive(road.order(ADA, billing=blank))
    road.work()
    assert (held(road, "city"), held(road, "country")) == ("Rome", "Italy")


def test_a_field_that_was_deleted_in_mautic_is_made_and_filled_at_once(road: Road) -> None:
    road.arrive(road.order(ADA))
    road.work()
    state = road.mautic.state
    gone = aliases.cut(aliases.ORDER_DATA)
    number = next(key for key, row in state.fields.items() if row["alias"] == gone)
    del state.fields[number]
    state.reindex()
    state.contact(ADA).values.pop(gone, None)  # type: ignore[union-attr]  # it is there
    order = road.order(ADA)
    road.arrive(order)
    road.work()
    assert data(road)["order_id"] == order["id"]


def test_a_field_that_is_made_late_is_filled_by_the_next_full_sync(make_road: Callable[..., Road]) -> None:
    road = make_road()
    order = road.order(ADA)
    road.run("initial")
    assert held(road, aliases.ORDER_DATA) is None
    connectors.configure(road.services, road.connector_id, {"orders.create_fields": True})
    road.run("full")
    assert data(road)["order_id"] == order["id"]
