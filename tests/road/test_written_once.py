"""An import writes each person once, whatever becomes of the run, and nobody waits for what does not come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from sqlalchemy import select

from integration.engines.worker import Worker
from integration.models import Run
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle
from integration.pipeline.runs.page_intake import PageIntake
from integration.pipeline.runs.phases import Phases
from integration.pipeline.services import Services
from integration.sandbox.store.demo_catalogue import stock
from tests.road.conftest import Road
from tests.road.run_pages import contact_rows
from tests.waiting import wait_for

PAGE = 10
BUYERS = 12


def fill(road: Road) -> None:
    """People with an account, an order in each third of the list, and an account without orders."""
    stock(road.store.state)
    for number in range(BUYERS):
        road.store.shop.register_customer(email=f"buyer{number}@example.com")
    road.store.shop.register_customer(email="window@example.com")
    for _ in range(3):
        for number in range(BUYERS + 2):
            road.order(f"buyer{number}@example.com")


def test_an_import_writes_each_person_once_while_it_reads(make_road: Callable[..., Road]) -> None:
    road = make_road(orders__notes=True)
    fill(road)
    run = road.run("initial", page_size=PAGE)
    assert (run.state, run.pulled, run.pushed, run.waiting) == ("COMPLETED", 55, 55, 0)
    assert contact_rows(road) == BUYERS + 3
    notes = Counter(note["lead"] for note in road.mautic.state.notes.values())
    assert sorted(notes.values()) == [3] * (BUYERS + 2)
    road.mautic.calls.reset()
    again = road.run("full", page_size=PAGE)
    assert (again.state, again.skipped) == ("COMPLETED", 55)
    assert road.writes() == 0


def test_people_do_not_wait_for_orders_that_the_store_does_not_give(
    make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch
) -> None:
    road = make_road()
    fill(road)
    enter = Phases._enter

    def breaking(self: Phases, name: str) -> None:
        enter(self, name)
        if name == "customers":
            road.store.faults.status(503, path="/wp-json/wc/v3/orders")

    monkeypatch.setattr(Phases, "_enter", breaking)
    run_lifecycle.start(road.services, road.connector_id, "initial", trigger="test", options={"page_size": PAGE})
    worker = Worker(road.services)
    worker.start()
    try:
        # The run still waits for its store when they are written.
        wait_for(lambda: contact_rows(road) == BUYERS + 1 and road.states() == {"delivered"})
    finally:
        worker.stop()
    with road.services.db.read() as session:
        assert session.scalar(select(Run.state)) == "RUNNING"


@pytest.mark.parametrize("act", [cancelling.cancel, run_lifecycle.pause])
def test_a_run_that_is_stopped_between_pages_leaves_nobody_behind(
    make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch, act: Callable[[Services, int], bool]
) -> None:
    road = make_road()
    fill(road)
    run_id = run_lifecycle.start(
        road.services, road.connector_id, "initial", trigger="test", options={"page_size": PAGE}
    )
    page = PageIntake._page

    def stopping(self: PageIntake, *args: object, **more: object) -> None:
        page(self, *args, **more)  # type: ignore[arg-type]  # as it was called
        if self.run.phase == "orders":
            act(road.services, run_id)

    monkeypatch.setattr(PageIntake, "_page", stopping)
    road.work()
    assert road.states() <= {"delivered", "skipped", "discarded"}
    assert ("discarded" in road.states()) == (act is cancelling.cancel)
