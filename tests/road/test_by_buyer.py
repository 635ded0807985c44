"""The orders of a large store are read in order of their buyers: each is written once, however many there are."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from integration.identity import person_key_of
from integration.models import LedgerEntry, ReadingList
from integration.pipeline.leases.endings import Stopped
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle, page_intake, reading_list, resumption
from integration.pipeline.services import Services
from integration.sandbox.store.demo_catalogue import stock
from tests.road.conftest import Road
from tests.road.run_pages import at_page, contact_rows, lines, notes

PAGE = 10
BUYERS = 30
ORDERS = 4 * BUYERS
MANY = 25


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store is large with so few orders, and nobody may wait but those whose orders are to come."""
    monkeypatch.setattr(reading_list, "ORDERS_MIN", 20)
    monkeypatch.setattr(reading_list, "CALLS_A_ROW", 3)
    monkeypatch.setattr(page_intake, "OPEN_MAX", 5)
    monkeypatch.setattr(page_intake, "GATHERED_MAX", BUYERS + PAGE)
    monkeypatch.setattr(page_intake, "LET_GO_MORE", 0)


def buyer(number: int) -> str:
    return f"buyer{number}@example.com"


def fill(road: Road) -> list[dict[str, Any]]:
    """People with four orders each that are spread over the list, one with very many, one who only looked."""
    stock(road.store.state)
    for number in range(BUYERS // 2):
        road.store.shop.register_customer(email=buyer(number))
    road.store.shop.register_customer(email="window@example.com")
    whose = [buyer(number) for number in range(BUYERS) for _ in range(4)] + ["many@example.com"] * MANY
    random.Random(7).shuffle(whose)
    return [road.order(email) for email in whose]


def test_each_person_is_written_once_and_nothing_is_read_twice(make_road: Callable[..., Road]) -> None:
    road = make_road(orders__notes=True)
    fill(road)
    run = road.run("initial", page_size=PAGE)
    records = BUYERS // 2 + 1 + ORDERS + MANY
    assert (run.state, run.pulled, run.pushed, run.failed) == ("COMPLETED", records, records, 0)
    assert (run.expected, run.waiting) == (records, 0)
    # Who has more orders than a call brings is sent as these come.
    assert BUYERS + 2 <= contact_rows(road) <= BUYERS + 2 + MANY // PAGE
    assert notes(road) == {4: BUYERS, MANY: 1}
    with road.services.db.read() as session:
        assert session.scalars(select(ReadingList)).all() == []
    how = "are read buyer by buyer: each buyer is sent once all of their orders are here."
    assert f"{ORDERS + MANY} orders {how}" in lines(road)


def test_nothing_is_sent_again_by_a_full_sync(make_road: Callable[..., Road]) -> None:
    road = make_road(orders__notes=True)
    fill(road)
    road.run("initial", page_size=PAGE)
    road.mautic.calls.reset()
    again = road.run("full", page_size=PAGE)
    assert (again.state, again.skipped) == ("COMPLETED", again.pulled)
    assert road.writes() == 0


def test_a_small_store_is_read_in_order_of_ids(make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_list, "ORDERS_MIN", ORDERS + MANY)
    road = make_road(orders__notes=True)
    fill(road)
    run = road.run("initial", page_size=PAGE)
    assert (run.state, notes(road)) == ("COMPLETED", {4: BUYERS, MANY: 1})
    assert reading_list.CURSOR not in run.cursor


def test_without_customers_the_list_is_whole_before_orders_are_read(make_road: Callable[..., Road]) -> None:
    road = make_road(orders__notes=True, contacts__enabled=False)
    fill(road)
    run = road.run("initial", page_size=PAGE)
    assert (run.state, run.pulled, notes(road)) == ("COMPLETED", ORDERS + MANY, {4: BUYERS, MANY: 1})


@pytest.mark.parametrize("act", [run_lifecycle.pause, cancelling.cancel])
def test_a_run_goes_on_where_it_was_stopped(
    make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch, act: Callable[[Services, int], bool]
) -> None:
    road = make_road(orders__notes=True)
    fill(road)
    at_page(monkeypatch, "orders", 5, lambda: act(road.services, 1))
    stopped = road.run("initial", page_size=PAGE)
    assert stopped.state in ("PAUSED", "CANCELLED")
    resumption.resume(road.services, stopped.id)
    road.work()
    with road.services.db.read() as session:
        run = session.get_one(type(stopped), stopped.id)
        assert (run.state, run.failed) == ("COMPLETED", 0)
    assert notes(road) == {4: BUYERS, MANY: 1}


@pytest.mark.parametrize(("phase", "page"), [("ledger", 9), ("customers", 2), ("orders", 5)])
def test_a_process_that_stops_makes_nobody_written_twice(
    make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch, phase: str, page: int
) -> None:
    road = make_road(orders__notes=True)
    fill(road)

    def stop() -> None:
        raise Stopped

    at_page(monkeypatch, phase, page, stop)
    run = road.run("initial", page_size=PAGE)
    assert (run.state, run.failed, notes(road)) == ("COMPLETED", 0, {4: BUYERS, MANY: 1})
    assert BUYERS + 2 <= contact_rows(road) <= BUYERS + 2 + MANY // PAGE


def test_an_order_that_goes_to_a_person_who_was_read_is_read_all_the_same(
    make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch
) -> None:
    road = make_road(orders__notes=True)
    fill(road)
    with_keys = {person_key_of(buyer(number)): number for number in range(BUYERS)}
    first, last = min(with_keys), max(with_keys)

    def moving() -> None:
        whose = LedgerEntry.person_key == last
        with road.services.db.write() as session:
            session.execute(update(LedgerEntry).where(whose).values(person_key=first))

    at_page(monkeypatch, "orders", 3, moving)
    run = road.run("initial", page_size=PAGE)
    assert (run.state, run.pulled) == ("COMPLETED", BUYERS // 2 + 1 + ORDERS + MANY)
    assert notes(road) == {4: BUYERS, MANY: 1}


def test_an_order_that_is_gone_meanwhile_keeps_nobody_waiting(
    make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch
) -> None:
    road = make_road(orders__notes=True)
    orders = fill(road)
    number = next(order["id"] for order in orders if order["billing"]["email"] == buyer(3))
    at_page(monkeypatch, "orders", 1, lambda: road.store.shop.trash(number))
    run = road.run("initial", page_size=PAGE)
    assert (run.state, run.failed, road.states()) == ("COMPLETED", 0, {"delivered"})
