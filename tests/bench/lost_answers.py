"""How many people and notes are doubled by lost answers and kills: `python -m tests.bench lost_answers`."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import func, select

from integration.models import Delivery
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.sandbox.store.demo_shop import seed
from tests.bench.world import World, report, world
from tests.road import killed_workers
from tests.road.conftest import Road

LOST = 30
KILLS = 20
WRITES = "/api/(contacts|notes)/batch"


def doubled(values: Iterable[str]) -> int:
    """Return how many of the values are there more than once."""
    return sum(times > 1 for times in Counter(values).values())


@contextmanager
def importing(size: int) -> Iterator[Road]:
    """Give a road whose Mautic is slow at each row and goes on when nobody waits for its answer."""
    settings: dict[str, Any] = {"orders.notes": True, "orders.create_fields": True, "sync.proof_every": 0}
    with world(**settings, **{"sync.batch_start": size, "sync.batch_max": size}) as at:
        at.mautic.faults.delay_per_record(killed_workers.SLOW_ROW_S[size])
        yield road_of(at)


def road_of(at: World) -> Road:
    """Return the world as the tests of the road know it."""
    return Road(at.services, at.connector_id, at.store, at.mautic)


def lost_answers() -> None:
    """Lose 30 answers of writes, early and late, with batches of each size, while the import goes on."""
    for size in killed_workers.SLOW_ROW_S:
        with importing(size) as road:
            seed(road.store.state, customers=120, orders=500)
            early = road.mautic.faults.lose_answer_early(path=WRITES, times=LOST // 3 - 4, probability=0.6)
            gateway = road.mautic.faults.gateway(path=WRITES, times=4, probability=0.6)
            run_id = run_lifecycle.start(road.services, road.connector_id, "initial", trigger="bench")
            while early.used + gateway.used < LOST // 3:
                killed_workers.finish(road, 600)
                again(road)
            finish(road, "lost answers", size, early.used + gateway.used, run_id)


def kills() -> None:
    """Kill the worker 20 times with batches of each size, answers being lost as well."""
    for size in killed_workers.SLOW_ROW_S:
        with importing(size) as road:
            seed(road.store.state, customers=200, orders=1000)
            run_id = run_lifecycle.start(road.services, road.connector_id, "initial", trigger="bench")
            chance = random.Random(size)
            for _ in range(KILLS):
                if not killed_workers.outstanding(road):
                    run_id = again(road)
                killed_workers.kill_after(road, chance.uniform(0.2, 1.5))
                killed_workers.resume(road, run_id)
            finish(road, "kills", size, KILLS, run_id)


def again(road: Road) -> int:
    """Place more orders of new people and import them, as the work ran out; return the run."""
    if killed_workers.outstanding(road):
        return 0
    for _ in range(60):
        road.order(f"more{time.monotonic_ns()}@example.com")
    return run_lifecycle.start(road.services, road.connector_id, "full", trigger="bench", options={"resend": True})


def finish(road: Road, event: str, size: int, times: int, run_id: int) -> None:
    """Work everything off and report who is doubled."""
    killed_workers.finish(road, 600)
    threading.Event().wait(0.1)
    road.mautic.background.wait(60)
    state = road.mautic.state
    people = doubled(str(contact.values.get("email")).casefold() for contact in state.contacts.values())
    notes = doubled(
        match[0] for match in (killed_workers.MARKER.search(str(n["text"])) for n in state.notes.values()) if match
    )
    with road.services.db.read() as session:
        dead = session.scalar(select(func.count()).select_from(Delivery).where(Delivery.state == "dead"))
        unfinished = killed_workers.outstanding(road)
    ok = people + notes == 0 and not unfinished
    more = {"notes": notes, "dead": dead, "unfinished": unfinished, "contacts": len(state.contacts)}
    report(f"doubled people after {times} {event}, batches of {size}", people, "people", "0", ok, **more)


def measure() -> None:
    """Measure all of it."""
    lost_answers()
    kills()
