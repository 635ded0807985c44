"""kill -9 at random moments of an import: everything arrives, nobody and no note twice, no order left out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest

from integration.models import Run
from integration.pipeline.runs import lifecycle as run_lifecycle, progress as run_progress
from integration.sandbox.store.demo_shop import seed
from tests.road.conftest import Road
from tests.road.killed_workers import MARKER, SLOW_ROW_S, finish, kill_after, resume

KILLS = {"sqlite": 12, "postgresql": 5}


@pytest.mark.timeout(240)
def test_an_import_survives_being_killed_again_and_again(make_road: Callable[..., Road], database_url: str) -> None:
    road = make_road(orders__notes=True, orders__create_fields=True, sync__batch_start=20, sync__batch_max=20)
    seed(road.store.state, customers=60, orders=500)
    road.mautic.faults.command({"kind": "delay_per_record", "value": 0.004})
    run_id = run_lifecycle.start(road.services, road.connector_id, "initial", trigger="test")
    chance = random.Random(7)
    kills = KILLS[database_url.split(":")[0].split("+")[0]]
    for number in range(kills):
        if number % 3 == 2:
            road.mautic.faults.command({"kind": "lose_answer", "path": "/api/notes", "times": 1})
        kill_after(road, chance.uniform(0.0, 1.2))
        resume(road, run_id)
    finish(road)
    _assert_all_arrived(road, run_id)
    with road.services.db.read() as session:
        gone = [line for line in run_progress.lines(session, run_id, limit=5000) if "was killed" in line.text]
    # The kills really hit the work: the run was closed for its dead process several times.
    assert len(gone) >= 3


@pytest.mark.timeout(300)
@pytest.mark.parametrize("size", [10, 50, 200])
def test_nobody_is_made_twice_by_kills_and_lost_answers(make_road: Callable[..., Road], size: int) -> None:
    road, run_id = slow_import(make_road, size)
    chance = random.Random(size)
    lost = road.mautic.faults.lose_answer_early(path="/api/(contacts|notes)/batch", times=2, probability=0.5)
    for _ in range(3):
        kill_after(road, chance.uniform(0.3, 1.5))
        resume(road, run_id)
    finish(road)
    _assert_all_arrived(road, run_id)
    assert lost.used == 2


def slow_import(make_road: Callable[..., Road], size: int) -> tuple[Road, int]:
    """Start an import in batches of that size into a Mautic that is slow at each row and goes on when nobody waits."""
    settings = {"orders__notes": True, "orders__create_fields": True, "sync__proof_every": 0}
    road = make_road(**settings, sync__batch_start=size, sync__batch_max=size)
    seed(road.store.state, customers=60, orders=240)
    road.mautic.faults.delay_per_record(SLOW_ROW_S[size])
    return road, run_lifecycle.start(road.services, road.connector_id, "initial", trigger="test")


def _assert_all_arrived(road: Road, run_id: int) -> None:
    with road.services.db.read() as session:
        run = session.get_one(Run, run_id)
    assert (run.state, run.error) == ("COMPLETED", "")
    deliveries = road.deliveries()
    assert {delivery.state for delivery in deliveries} <= {"delivered", "skipped", "dead"}
    accepted = {int(d.source_id) for d in deliveries if d.kind == "order"}
    wanted = {row.id for row in road.store.state.orders if row.status in ("completed", "refunded")}
    assert accepted == wanted
    reached = {(d.source_id, d.event) for d in deliveries if d.kind == "order" and d.state == "delivered"}
    notes = Counter(MARKER.search(str(note["text"]))[0] for note in road.mautic.state.notes.values())  # type: ignore[index]
    assert {marker for marker, times in notes.items() if times > 1} == set()
    assert len(notes) == len(reached)
    emails = Counter(str(contact.values.get("email")).lower() for contact in road.mautic.state.contacts.values())
    assert {email for email, times in emails.items() if times > 1} == set()
    _assert_figures(run, len(deliveries))


def _assert_figures(run: Run, accepted: int) -> None:
    """A run may end while unanswered deliveries wait to be looked up: those were told as waiting, and count as late."""
    late = run.late_pushed + run.late_skipped + run.late_failed
    assert run.pushed + run.skipped + run.failed + run.waiting == accepted
    assert late == run.waiting
