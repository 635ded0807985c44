"""The next list of a whole sync is asked for while the last pages of the one before are taken, and nothing twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from integration.pipeline.runs import cancelling
from integration.sandbox.store.bulk import seed_bulk
from integration.store import pages, paginator
from integration.store.client import StoreClient
from integration.store.pages import Piece
from tests.road.conftest import Road
from tests.road.run_pages import at_page
from tests.waiting import wait_for

#: Each page but the first begins with the last row of the one before, so 35 rows are four pages of ten.
PAGE, ROWS, PAGES = 10, 35, 4
FETCH = pages.fetch
READERS = ("store-pages", "store-next")


@dataclass
class Asked:
    """The pieces that the store was asked for, each with its list, in order."""

    pieces: list[tuple[str, int]] = field(default_factory=list)

    def fetch(self, client: StoreClient, path: str, params: Mapping[str, Any], offset: int, limit: int) -> Piece:
        ledger = path == "orders" and "line_items" not in params["_fields"]
        self.pieces.append(("ledger" if ledger else path, offset))
        return FETCH(client, path, params, offset, limit)

    def of(self, name: str) -> int:
        return sum(each == name for each, _ in self.pieces)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    monkeypatch.setattr(paginator, "fetch", asked.fetch)
    return asked


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    road = make_road(orders__statuses="pending,processing,on-hold,completed,cancelled,refunded,failed,shipped")
    seed_bulk(road.store.state, customers=ROWS - 1, orders=ROWS)
    road.store.shop.register_customer(email="last@example.com")
    return road


@pytest.mark.parametrize(("phase", "following"), [("ledger", "customers"), ("customers", "orders")])
def test_the_next_list_is_asked_for_while_the_last_pages_of_one_are_taken(
    road: Road, asked: Asked, monkeypatch: pytest.MonkeyPatch, phase: str, following: str
) -> None:
    before: list[int] = []
    at_page(monkeypatch, phase, 1, lambda: before.append(asked.of(following)))
    at_page(monkeypatch, phase, PAGES - 1, lambda: wait_for(lambda: asked.of(following)))
    run = road.run("initial", page_size=PAGE)
    assert (run.state, before) == ("COMPLETED", [0])


def test_nothing_is_asked_for_twice(road: Road, asked: Asked) -> None:
    for kind in ("initial", "full"):
        asked.pieces.clear()
        assert road.run(kind, page_size=PAGE).pulled == 2 * ROWS
        assert set(Counter(asked.pieces).values()) == {1}
        assert {name for name, _ in asked.pieces} == {"ledger", "customers", "orders"}


def test_whole_orders_are_asked_for_when_their_list_has_come(
    make_road: Callable[..., Road], asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    road = make_road(contacts__enabled=False)
    seed_bulk(road.store.state, customers=0, orders=ROWS)
    before: list[int] = []
    for number in range(1, PAGES):
        at_page(monkeypatch, "ledger", number, lambda: before.append(asked.of("orders")))
    at_page(monkeypatch, "ledger", PAGES, lambda: wait_for(lambda: asked.of("orders")))
    assert road.run("initial", page_size=PAGE).state == "COMPLETED"
    assert before == [0] * (PAGES - 1)
    assert [name for name, _ in asked.pieces].index("orders") == PAGES


def test_a_list_that_was_begun_for_nothing_is_let_go(road: Road, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    def cancel() -> None:
        wait_for(lambda: asked.of("orders"))
        cancelling.cancel(road.services, 1)

    at_page(monkeypatch, "customers", PAGES, cancel)
    assert road.run("initial", page_size=PAGE).state == "CANCELLED"
    wait_for(lambda: not [each for each in threading.enumerate() if each.name.startswith(READERS)])
    assert road.run("initial", page_size=PAGE).pulled == 2 * ROWS


def test_a_list_that_is_refused_ahead_is_said_as_if_it_had_been_waited_for(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_page(monkeypatch, "ledger", 1, lambda: road.store.faults.status(403, path="/wp-json/wc/v3/customers"))
    run = road.run("initial", page_size=PAGE)
    # The orders have come all the same: what is refused of one list keeps no other from being read.
    assert (run.state, run.error_code, run.accepted) == ("COMPLETED", "partly_read", ROWS)
    assert "The store does not give customers" in run.error
