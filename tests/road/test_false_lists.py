"""Lists that are not what was asked for: the run ends with the cause after few calls, or reads in another way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from integration.engines.worker import Worker
from integration.models import Run, RunLine
from integration.operations import reconciliation
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle, resumption
from tests.operations.reconciliation.conftest import tick
from tests.road.conftest import Road
from tests.road.store_lists import ORDERS
from tests.waiting import wait_for

CUSTOMERS = "/wp-json/wc/v3/customers$"
AGAIN = "The store gives the same page again"


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road()


def shop(road: Road, count: int) -> list[int]:
    """Fill the shop up with orders and return their ids."""
    for number in range(count):
        road.order(f"p{number}@example.com")
    return [row.id for row in road.store.state.orders]


def calls(road: Road, path: str = "/orders") -> int:
    return sum(call.path.endswith(path) for call in road.store.calls)


def said(road: Road, run: Run) -> str:
    with road.services.db.read() as session:
        return "\n".join(session.scalars(select(RunLine.text).where(RunLine.run_id == run.id).order_by(RunLine.id)))


@pytest.mark.parametrize("counts", [True, False], ids=["with a total", "without one"])
@pytest.mark.parametrize("kind", ["initial", "full", "incremental"])
def test_a_list_that_ignores_the_offset_ends_the_run_after_few_calls(road: Road, kind: str, counts: bool) -> None:
    shop(road, 150)
    if not counts:
        forget_totals(road)
    road.store.faults.command({"kind": "same_page", "path": ORDERS})
    run = road.run(kind, only=["orders"])
    assert (run.state, run.error_code) == ("FAILED", "same_page")
    assert run.error.startswith(AGAIN)
    assert AGAIN in said(road, run)
    assert calls(road) <= 10


def forget_totals(road: Road) -> None:
    inner = road.store.app.wsgi_app

    def served(environ, start_response):  # type: ignore[no-untyped-def]  # WSGI
        def start(status, headers, *rest):  # type: ignore[no-untyped-def]  # ditto
            return start_response(status, [pair for pair in headers if not pair[0].startswith("X-WP-Total")], *rest)

        return inner(environ, start)

    road.store.app.wsgi_app = served  # type: ignore[method-assign]


@pytest.mark.parametrize("count", [35, 11, 150])
def test_a_web_server_that_drops_the_query_string_is_no_success(road: Road, count: int) -> None:
    shop(road, count)
    road.store.faults.command({"kind": "drop_query", "path": ORDERS})
    run = road.run("initial", only=["orders"])
    assert (run.state, run.error_code, run.pulled) == ("FAILED", "same_page", 0)
    assert calls(road) <= 10


def test_customers_that_come_again_and_again_end_the_run_too(road: Road) -> None:
    for number in range(120):
        road.store.shop.register_customer(email=f"c{number}@example.com")
    road.store.faults.command({"kind": "same_page", "path": CUSTOMERS})
    run = road.run("full", only=["contacts"])
    assert (run.state, run.error_code) == ("FAILED", "same_page")
    assert calls(road, "/customers") <= 10


def test_records_that_nobody_asked_for_are_not_taken_for_those_that_were(road: Road) -> None:
    ids = shop(road, 30)
    road.store.faults.command({"kind": "drop_query", "path": ORDERS})
    run = road.run("bulk", only=["orders"], ids=ids[:2])
    assert (run.state, run.error_code, run.pulled) == ("FAILED", "same_page", 0)


@pytest.mark.parametrize("cap", [10, 1])
def test_a_cap_on_the_size_of_a_page_costs_calls_and_no_orders(road: Road, cap: int) -> None:
    ids = shop(road, 35)
    road.store.faults.command({"kind": "page_cap", "value": cap, "path": ORDERS})
    run = road.run("bulk", only=["orders"])
    assert (run.state, run.pulled) == ("COMPLETED", len(ids))


@pytest.mark.parametrize("given", [10, 34])
def test_a_list_shorter_than_its_own_total_is_read_and_then_said(road: Road, given: int) -> None:
    shop(road, 35)
    road.store.faults.command({"kind": "short_list", "value": given, "path": ORDERS})
    run = road.run("initial", only=["orders"])
    assert (run.state, run.error_code, run.pulled, run.pushed) == ("FAILED", "short_list", given, given)
    assert f"The store counts 35 orders but gives {given}" in run.error
    road.store.faults.clear()
    again = resumption.resume(road.services, run.id)
    road.work()
    with road.services.db.read() as session:
        assert session.get_one(Run, again).state == "COMPLETED"
    assert len({delivery.source_id for delivery in road.deliveries()}) == 35


CANNOT_VIEW = '{"code":"woocommerce_rest_cannot_view"'


@pytest.mark.parametrize(
    ("status", "rest", "code"),
    [
        (401, ',"message":"Sorry, you cannot list resources.","data":{"status":401}}', "wrong_key"),
        (200, ',"message":"Sorry, you cannot list resources.","data":{"status":401}}', "wrong_key"),
        (200, ',"data":{"status":401}}', "wrong_key"),
        (200, ',"message":"No.","data":{"status":"403"}}', "no_rights"),
        (200, ',"data":[]}<!-- cached -->', "wrong_key"),
        (200, "}", "wrong_key"),
        (201, ',"data":{"status":503}}', "rejected"),
    ],
)
def test_a_refusal_that_comes_as_a_success_is_the_same_refusal(road: Road, status: int, rest: str, code: str) -> None:
    shop(road, 35)
    road.store.faults.command({"kind": "status", "value": status, "body": CANNOT_VIEW + rest, "path": ORDERS})
    run = road.run("initial", only=["orders"])
    assert (run.state, run.error_code) == ("FAILED", code)
    assert calls(road) <= 4


@pytest.mark.parametrize("problem", ['{"code":"busy","message":"Later."}', '{"code":"rest_no_route"}'])
def test_a_problem_in_place_of_a_list_is_not_asked_for_in_smaller_pages(road: Road, problem: str) -> None:
    shop(road, 35)
    road.store.faults.command({"kind": "status", "value": 200, "body": problem, "path": ORDERS})
    run = road.run("initial", only=["orders"])
    assert (run.state, run.error_code) == ("FAILED", "no_woocommerce" if "route" in problem else "rejected")
    assert calls(road) <= 4


def test_a_packed_list_without_a_header_is_read(road: Road) -> None:
    ids = shop(road, 35)
    road.store.faults.command({"kind": "pack"})
    run = road.run("initial", only=["orders"])
    assert (run.state, run.pulled) == ("COMPLETED", len(ids))


def test_the_reconciliation_ends_with_the_cause_too(road: Road) -> None:
    shop(road, 150)
    road.store.faults.command({"kind": "same_page", "path": ORDERS})
    reconciliation.start(road.services, road.connector_id, "test")
    tick(road.services)
    with road.services.db.read() as session:
        [row] = reconciliation.latest(session, road.connector_id)
    assert row.state == "FAILED"
    assert row.error.startswith(AGAIN)
    assert calls(road) <= 10


# -- cancel and stop ---------------------------------------------------------------------------------------------------


def going(road: Road, kind: str = "initial", **options: Any) -> tuple[Worker, int]:
    run_id = run_lifecycle.start(road.services, road.connector_id, kind, trigger="test", options=options)
    worker = Worker(road.services)
    worker.start()
    return worker, run_id


def state_of(road: Road, run_id: int) -> str:
    with road.services.db.read() as session:
        return session.get_one(Run, run_id).state


def test_cancel_ends_a_run_whose_store_does_not_answer(road: Road) -> None:
    shop(road, 5)
    road.store.faults.command({"kind": "hang", "value": 25, "path": ORDERS})
    worker, run_id = going(road, only=["orders"])
    wait_for(lambda: state_of(road, run_id) == "RUNNING" and road.store.faults.rules()[0].used > 0)
    cancelling.cancel(road.services, run_id)
    wait_for(lambda: state_of(road, run_id) == "CANCELLED")
    assert road.store.faults.rules()[0].used == 1
    road.store.faults.clear()
    worker.stop()


def test_cancel_ends_a_run_that_halves_its_way_through_a_broken_list(road: Road) -> None:
    shop(road, 120)
    road.store.faults.command({"kind": "status", "value": 500, "path": ORDERS})
    road.store.faults.command({"kind": "delay", "value": 0.4, "path": "/wp-json/wc/v3"})
    worker, run_id = going(road, only=["orders"])
    wait_for(lambda: calls(road) > 1)
    cancelling.cancel(road.services, run_id)
    wait_for(lambda: state_of(road, run_id) == "CANCELLED")
    road.store.faults.clear()
    worker.stop()


def test_stop_returns_while_the_store_does_not_answer_and_the_run_stays(road: Road) -> None:
    shop(road, 5)
    road.store.faults.command({"kind": "hang", "value": 60, "path": ORDERS})
    worker, run_id = going(road, only=["orders"])
    wait_for(lambda: bool(road.store.faults.rules()) and road.store.faults.rules()[0].used > 0)
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    stopping.join(timeout=20)
    assert not stopping.is_alive()
    assert state_of(road, run_id) == "RUNNING"
    road.store.faults.clear()
    road.work()
    assert state_of(road, run_id) == "COMPLETED"
