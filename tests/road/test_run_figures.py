"""The figures of a run: they add up, stay after its end, and a run by hand sends what waits for its records."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from integration.clock import SetClock
from integration.engines.worker import Worker
from integration.models import Run
from integration.models.delivery import DeliveryState
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle, progress as run_progress, resumption
from integration.queries import run_records
from integration.queries.run_records import EntityQuery
from integration.sandbox.store.bulk import seed_bulk
from tests.conftest import NOON
from tests.road.conftest import Road
from tests.road.dead_letters import many
from tests.road.store_lists import ORDERS, answer_with
from tests.waiting import wait_for


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOON)


@pytest.fixture
def road(make_road: Callable[..., Road], clock: SetClock) -> Road:
    return make_road(clock)


def read(road: Road, run_id: int) -> run_progress.Progress:
    with road.services.db.read() as session:
        return run_progress.progress(session, run_id, road.services.clock.now())


def assert_adds_up(road: Road, run: Run) -> None:
    run, left = read(road, run.id).run, read(road, run.id).left
    assert run.pulled == run.pushed + run.skipped + run.failed + left + run.already


def refuse(road: Road, status: int = 400) -> None:
    road.mautic.faults.command({"kind": "status", "value": status, "path": "/api/contacts"})


def test_a_run_by_hand_sends_what_waits_for_its_records_of_a_paused_connector(road: Road) -> None:
    connectors.pause(road.services, road.connector_id)
    mine, other = road.order("ada@example.com"), road.order("bob@example.com")
    road.arrive(mine, other)
    run = road.run("bulk", only=["orders"], ids=[mine["id"]])
    assert (run.state, run.pulled, run.pushed, run.already, run.waiting) == ("COMPLETED", 1, 1, 0, 0)
    assert [delivery.state for delivery in road.deliveries()] == ["delivered", "ready"]


def test_what_waits_before_a_record_of_the_run_goes_out_with_it(road: Road) -> None:
    connectors.pause(road.services, road.connector_id)
    first, mine = road.order("ada@example.com"), road.order("ada@example.com")
    road.arrive(first)
    run = road.run("bulk", only=["orders"], ids=[mine["id"]])
    assert (run.state, run.pulled, run.pushed + run.skipped) == ("COMPLETED", 1, 1)
    assert {delivery.source_id for delivery in road.deliveries() if delivery.settled_at} >= {str(first["id"])}


def test_what_is_out_already_is_said_and_not_sent_twice(road: Road) -> None:
    order = road.order("ada@example.com")
    road.arrive(order)
    token = new_token()
    with road.services.db.write() as session:
        assert outbox.claim(session, road.services.clock.now(), road.connector_id, 5, token)
    run = road.run("bulk", only=["orders"], ids=[order["id"]])
    assert (run.state, run.pulled, run.accepted, run.already) == ("COMPLETED", 1, 0, 1)
    assert len(road.deliveries()) == 1


@pytest.mark.parametrize("seed", range(3))
def test_the_figures_add_up_whatever_becomes_of_the_records(road: Road, seed: int) -> None:
    chance = random.Random(seed)
    orders = [road.order(f"p{number}@example.com") for number in range(12)]
    for order in chance.sample(orders, 3):
        road.store.shop.edit_order(order["id"], billing={"email": "no address"})
    odd = {order["id"] for order in chance.sample(orders, 2)}
    live = [order for order in orders if order["id"] not in odd]
    road.arrive(*(road.store.shop.shown(order["id"]) for order in chance.sample(live, 4)))
    answer_with(road, "/orders", lambda rows: [{**row, "total": "much"} if row["id"] in odd else row for row in rows])
    runs = [road.run(kind, only=["orders"]) for kind in ("bulk", "incremental", "full")]
    for run in runs:
        assert_adds_up(road, run)
    assert (runs[0].pulled, runs[2].pulled, runs[0].failed >= 3) == (12, 12, True)


def test_what_is_settled_after_the_end_changes_no_figure_and_is_said(road: Road, clock: SetClock) -> None:
    road.order("ada@example.com")
    road.mautic.faults.command({"kind": "down"})
    run = road.run("incremental", only=["orders"])
    assert (run.state, run.pulled, run.pushed, run.waiting) == ("COMPLETED", 1, 0, 1)
    road.mautic.faults.clear()
    for _ in range(5):
        clock.advance(minutes=10)
        road.work()
    later = read(road, run.id)
    assert (later.run.pushed, later.left, later.waiting, later.run.late_pushed) == (0, 1, 0, 1)
    assert road.states() == {"delivered"}
    assert_adds_up(road, later.run)


def test_the_records_and_totals_of_a_run_stay_after_a_replay(road: Road) -> None:
    order = road.order("ada@example.com")
    refuse(road)
    run = road.run("full", only=["orders"])
    assert (run.pulled, run.failed) == (1, 1)
    road.mautic.faults.clear()
    replay = road.run("replay", act="replay")
    assert (replay.pulled, replay.pushed) == (1, 1)
    with road.services.db.read() as session:
        (left,), _ = run_records.entities(session, run, EntityQuery(status="failed"))
        totals = run_records.totals(session, run).kinds["order"]
        (sent,), _ = run_records.entities(session, replay, EntityQuery())
    assert (left.delivery.source_id, left.status, left.again) == (str(order["id"]), "failed", True)
    assert (totals["failed"], totals["success"], sent.status) == (1, 0, "success")
    assert_adds_up(road, read(road, run.id).run)


def test_a_cancelled_import_goes_on_where_it_stood(make_road: Callable[..., Road]) -> None:
    road = make_road(sync__batch_start=10, sync__batch_max=10, sync__lanes=1)
    seed_bulk(road.store.state, customers=0, orders=120)
    run_id = run_lifecycle.start(road.services, road.connector_id, "initial", trigger="test", options={"page_size": 20})
    road.mautic.faults.command({"kind": "delay_per_record", "value": 0.03})
    worker = Worker(road.services)
    worker.start()
    try:
        assert wait_for(lambda: read(road, run_id).run.pushed > 0, seconds=15)
        cancelling.cancel(road.services, run_id)
        assert wait_for(lambda: read(road, run_id).run.state == "CANCELLED", seconds=15)
    finally:
        worker.stop()
    half = read(road, run_id).run
    assert_adds_up(road, half)
    road.mautic.faults.clear()
    assert resumption.resume(road.services, run_id) == run_id
    road.work()
    done = read(road, run_id).run
    wanted = [row for row in road.store.state.orders if row.status in ("completed", "refunded")]
    assert (done.state, done.pulled, done.expected) == ("COMPLETED", len(wanted), len(wanted))
    assert_adds_up(road, done)
    assert {d.state for d in road.deliveries()} <= {"delivered", "skipped"}
    assert len(road.deliveries()) == len(wanted)


def test_a_list_that_was_short_is_read_anew_by_a_new_run(road: Road) -> None:
    for number in range(15):
        road.order(f"p{number}@example.com")
    road.store.faults.command({"kind": "short_list", "value": 5, "path": ORDERS})
    short = road.run("initial", only=["orders"])
    assert (short.state, short.error_code, short.pulled) == ("FAILED", "short_list", 5)
    road.store.faults.clear()
    again = resumption.resume(road.services, short.id)
    road.work()
    assert again not in (None, short.id)
    assert (read(road, again or 0).run.state, read(road, again or 0).run.pulled) == ("COMPLETED", 15)
    assert (read(road, short.id).run.pulled, read(road, short.id).run.state) == (5, "FAILED")


def test_a_cancelled_replay_goes_on_as_a_new_one(road: Road) -> None:
    many(road, 30)
    run_id = run_lifecycle.start(road.services, road.connector_id, "replay", trigger="test", options={"act": "replay"})
    cancelling.cancel(road.services, run_id)
    again = resumption.resume(road.services, run_id)
    road.work()
    assert again not in (None, run_id)
    assert read(road, again or 0).run.accepted == 30


def test_an_import_that_gave_up_what_is_no_longer_kept_begins_again(road: Road) -> None:
    road.order("ada@example.com")
    run_id = run_lifecycle.start(road.services, road.connector_id, "full", trigger="test")
    cancelling.cancel(road.services, run_id)
    with road.services.db.write() as session:
        session.get_one(Run, run_id).cursor = {"given_up": 3}
    again = resumption.resume(road.services, run_id)
    assert again not in (None, run_id)
    road.work()
    assert {delivery.state for delivery in road.deliveries()} == {DeliveryState.DELIVERED}


def test_retries_count_over_all_times_a_record_was_sent_again(road: Road) -> None:
    road.order("ada@example.com")
    refuse(road)
    road.run("full", only=["orders"])
    for _ in range(2):
        road.run("replay", act="replay")
    (dead,) = road.deliveries()
    assert (dead.state, dead.attempts, dead.attempts_in_all) == ("dead", 1, 3)
