"""What reading by buyers cannot do is done by the list of ids, to the same end: nothing is lost, nothing read twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from integration.identity import person_key_of
from integration.models import Run
from integration.pipeline import outbox
from integration.pipeline.ingest import blocked
from integration.pipeline.runs import lifecycle, reading_list, resumption
from integration.pipeline.runs.executor import RunExecutor
from integration.pipeline.runs.order_intake import OrderIntake
from integration.pipeline.runs.page_intake import PageIntake
from integration.pipeline.runs.phases import Phases
from integration.sandbox.store import orders as sandbox_orders
from integration.sandbox.store.demo_catalogue import stock
from tests.road.conftest import Road
from tests.road.run_pages import at_page, lines, notes
from tests.road.store_lists import ORDERS as ORDERS_LIST, answer_with

PAGE = 10
BUYERS = 12
ORDERS = 4 * BUYERS


@pytest.fixture(params=["by buyer", "by id"], autouse=True)
def order(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let a store be large with few orders, or none: whatever is asserted holds of both ways."""
    monkeypatch.setattr(reading_list, "ORDERS_MIN", 20 if request.param == "by buyer" else 10**9)
    monkeypatch.setattr(reading_list, "CALLS_A_ROW", 2)
    return str(request.param)


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road(orders__notes=True)


def fill(road: Road) -> list[dict[str, Any]]:
    stock(road.store.state)
    return [road.order(f"buyer{number}@example.com") for _ in range(4) for number in range(BUYERS)]


def gave_up(road: Road) -> bool:
    return any("in order of their ids" in text for text in lines(road))


def filtered(monkeypatch: pytest.MonkeyPatch, fits: Callable[[Any, dict[str, Any]], bool]) -> None:
    """Let the lists of the store have only such rows; `fits` is told what was asked for as well."""
    found = sandbox_orders._filtered

    def some(state: Any, times: Any, kept: Any, lists: Any) -> Iterable[Any]:
        return [row for row in found(state, times, kept, lists) if fits(row, lists)]

    monkeypatch.setattr(sandbox_orders, "_filtered", some)


def refusing(road: Road, end: str, status: str, asking: str = "") -> list[bool]:
    """Let calls whose path ends so, and `asking` so, be refused, as many as the list that is returned gets entries."""
    left: list[bool] = []
    inner = road.store.app.wsgi_app

    def served(environ: Any, start_response: Any) -> Any:
        if left and environ["PATH_INFO"].endswith(end) and asking in environ["QUERY_STRING"]:
            left.pop()
            start_response(status, [("Content-Length", "0")])
            return [b""]
        return inner(environ, start_response)

    road.store.app.wsgi_app = served  # type: ignore[method-assign]
    return left


def go_on(road: Road, run: Run) -> Run:
    assert run.state == "PAUSED"
    resumption.resume(road.services, run.id)
    road.work()
    with road.services.db.read() as session:
        return session.get_one(Run, run.id)


def assert_whole(road: Road, run: Run, records: int = ORDERS) -> None:
    assert (run.state, run.error, run.pulled, run.expected) == ("COMPLETED", "", records, records)
    assert notes(road) == {4: BUYERS}


def test_a_cap_of_the_pages_costs_calls_and_no_orders(road: Road) -> None:
    fill(road)
    road.store.faults.command({"kind": "page_cap", "value": 6, "path": ORDERS_LIST})
    assert_whole(road, road.run("initial", page_size=PAGE))
    assert not gave_up(road)


def test_an_order_that_the_ledger_cannot_keep_is_read_and_fails(road: Road) -> None:
    broken = fill(road)[7]["id"]

    def choose(rows: list[Any]) -> list[Any]:
        return [{**each, "total": "n/a"} if each["id"] == broken and "total" in each else each for each in rows]

    answer_with(road, "/wc/v3/orders", choose)
    run = road.run("initial", page_size=PAGE)
    assert (run.state, run.pulled, run.expected, run.failed) == ("COMPLETED", ORDERS, ORDERS, 1)


def test_orders_of_an_erased_person_are_counted(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(road)
    key = person_key_of("buyer3@example.com")
    monkeypatch.setattr(blocked, "among", lambda session, connector_id, keys: {key} & set(keys))
    run = road.run("initial", page_size=PAGE)
    assert (run.state, run.pulled, run.expected, run.skipped) == ("COMPLETED", ORDERS, ORDERS, 4)


def test_an_order_that_no_list_gives_and_a_webhook_brought(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = fill(road)[7]
    filtered(monkeypatch, lambda row, lists: row.id != hidden["id"])
    road.arrive(hidden)
    road.work()
    assert_whole(road, road.run("initial", page_size=PAGE), ORDERS - 1)


@pytest.mark.parametrize("how", ["ignored", "refused"])
def test_a_store_that_does_not_know_or_allow_ids(
    road: Road, monkeypatch: pytest.MonkeyPatch, order: str, how: str
) -> None:
    fill(road)
    if how == "ignored":
        found = sandbox_orders._filtered
        monkeypatch.setattr(
            sandbox_orders,
            "_filtered",
            lambda state, times, kept, lists: found(state, times, kept, {**lists, "include": []}),
        )
    else:
        refusing(road, "/wc/v3/orders", "403 Forbidden", asking="include=").extend([True] * 999)
    assert_whole(road, road.run("initial", page_size=PAGE))
    assert gave_up(road) == (order == "by buyer")


def test_orders_that_are_hidden_from_some_page_on_are_read_and_none_twice(
    road: Road, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    fill(road)
    hides: list[bool] = []
    filtered(monkeypatch, lambda row, lists: not (hides and lists["include"] and row.id % 3 == 0))
    at_page(monkeypatch, "orders", 1, lambda: hides.append(True))
    assert_whole(road, road.run("initial", page_size=PAGE))
    assert gave_up(road) == (order == "by buyer")


def test_a_run_that_gave_its_list_up_goes_on_behind_a_pause(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(road)
    hides: list[bool] = []
    filtered(monkeypatch, lambda row, lists: not (hides and lists["include"] and row.id % 3 == 0))
    at_page(monkeypatch, "orders", 2, lambda: hides.append(True))
    take, seen = PageIntake._page, []

    def taking(self: PageIntake, page: Any, *args: Any, **more: Any) -> None:
        take(self, page, *args, **more)
        seen.append(self.run.phase == "orders" and "part" not in page.cursor)
        if sum(seen) == 2:
            lifecycle.pause(road.services, self.run.id)

    monkeypatch.setattr(PageIntake, "_page", taking)
    assert_whole(road, go_on(road, road.run("initial", page_size=PAGE)))


def test_a_status_that_changes_for_a_moment(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    number = fill(road)[7]["id"]
    filtered(monkeypatch, lambda row, lists: not (lists["include"] and row.id == number))
    assert_whole(road, road.run("initial", page_size=PAGE))


def test_a_pause_behind_the_last_order_reads_none_again(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(road)
    phase, acts = RunExecutor._phase, [True]

    def entering(self: RunExecutor, name: str) -> None:
        if acts:
            acts.pop()
            lifecycle.pause(road.services, self.run.id)
        phase(self, name)

    monkeypatch.setattr(RunExecutor, "_phase", entering)
    assert_whole(road, go_on(road, road.run("initial", page_size=PAGE)))


def test_a_list_that_is_read_already_is_not_put_in_another_order(
    make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """Without customers it is begun with the last page of the ledger; a webhook makes the store large behind that."""
    monkeypatch.setattr(reading_list, "ORDERS_MIN", ORDERS if order == "by buyer" else 10**9)
    road = make_road(orders__notes=True, contacts__enabled=False)
    fill(road)
    remove, acts = Phases._remove_gone, [True]

    def removing(self: Phases) -> None:
        if acts:
            acts.pop()
            road.arrive(road.order("new@example.com"))
        remove(self)

    monkeypatch.setattr(Phases, "_remove_gone", removing)
    at_page(monkeypatch, "orders", 3, lambda: lifecycle.pause(road.services, 1))
    run = go_on(road, road.run("initial", page_size=PAGE))
    assert (run.state, run.error) == ("COMPLETED", "")
    assert notes(road) == {4: BUYERS, 1: 1}


def test_a_list_that_is_not_whole_any_more_is_done_without(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older version was put back for a while, which has no such table."""
    fill(road)

    def older() -> None:
        with road.services.db.write() as session:
            reading_list.forget(session, 1)
        lifecycle.pause(road.services, 1)

    at_page(monkeypatch, "orders", 2, older)
    run = go_on(road, road.run("initial", page_size=PAGE))
    assert (run.state, run.error, notes(road)) == ("COMPLETED", "", {4: BUYERS})


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "503 Service Unavailable"])
def test_a_store_that_refuses_all_for_a_while_is_read_to_its_end(
    road: Road, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    fill(road)
    left = refusing(road, "/wc/v3/orders", status)
    at_page(monkeypatch, "orders", 2, lambda: left.extend([True] * 9))
    run = road.run("initial", page_size=PAGE)
    if run.state == "FAILED":
        left.clear()
        resumption.resume(road.services, run.id)
        road.work()
        with road.services.db.read() as session:
            run = session.get_one(Run, run.id)
    assert_whole(road, run)
    assert not gave_up(road)


def test_customers_that_come_behind_the_orders_wait_for_nobody(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(road)
    for number in range(BUYERS):
        road.store.shop.register_customer(email=f"buyer{number}@example.com", first_name="Other")
    left = refusing(road, "/wc/v3/customers", "500 Internal Server Error")
    left.extend([True] * 999)
    take, gathered = PageIntake._page, []

    def taking(self: PageIntake, page: Any, *args: Any, **more: Any) -> None:
        take(self, page, *args, **more)
        if self.run.phase == "orders" and page.number == 6:
            left.clear()
        if self.run.phase == "customers":
            with road.services.db.read() as session:
                gathered.append(outbox.open_count(session, run_id=self.run.id) - self._sendable(session))

    monkeypatch.setattr(PageIntake, "_page", taking)
    assert road.run("initial", page_size=PAGE).state == "COMPLETED"
    assert gathered[-1] == 0


def test_an_order_that_a_webhook_brings_behind_the_list_is_read_once(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger could not keep it when it was listed."""
    broken, spoilt = fill(road)[7], [True]

    def choose(rows: list[Any]) -> list[Any]:
        wrong = broken["id"] if spoilt else 0
        return [{**each, "total": "n/a"} if each["id"] == wrong and "total" in each else each for each in rows]

    answer_with(road, "/wc/v3/orders", choose)
    make = OrderIntake._order_by_buyer

    def making(self: OrderIntake) -> None:
        if spoilt:
            spoilt.clear()
            road.arrive(broken)
        make(self)

    monkeypatch.setattr(OrderIntake, "_order_by_buyer", making)
    assert_whole(road, road.run("initial", page_size=PAGE))


def test_an_order_without_an_id_keeps_no_other_from_being_read(road: Road) -> None:
    odd = fill(road)[7]["id"]
    answer_with(road, "/wc/v3/orders", lambda rows: [None if each["id"] == odd else each for each in rows])
    run = road.run("initial", page_size=PAGE)
    assert (run.state, notes(road)) == ("COMPLETED", {4: BUYERS - 1, 3: 1})
