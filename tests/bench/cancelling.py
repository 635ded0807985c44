"""A run with very many waiting records is cancelled, and goes on: how long another writer waits, and what it takes.

`BENCH_WAITING` says how many records wait.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from integration.events import Change, Kind, Origin
from integration.identity import person_key_of
from integration.models.database import open_database
from integration.models.run import Run, RunKind, RunState
from integration.pipeline import outbox
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import cancelling, giving_up, lifecycle as run_lifecycle, resumption
from integration.pipeline.services import Services
from tests.bench import resident
from tests.bench.world import NOW, World, report, world

WAITING = int(os.environ.get("BENCH_WAITING", "100000"))
PAGE = 1000
GOAL_MS = 1000.0


def measure() -> None:
    """Measure both, with another writer that comes every 20 ms and has the file for itself alone."""
    with world() as at:
        run_id = _waiting(at)
        before = resident.megabytes()
        with _beside(at, "cancelled"):
            cancelling.cancel(at.services, run_id)
            _end(at.services)
        with _beside(at, "owed again"):
            resumption.resume(at.services, run_id)
            _owe_again(at.services)
        grown = resident.largest() - before
        report("memory that cancelling and going on take", grown, "MB", "<= 20", grown <= 20, waiting=WAITING)


def _waiting(at: World) -> int:
    """Return a run that nobody works on and that has so many records waiting."""
    run_id = run_lifecycle.start(at.services, at.connector_id, RunKind.FULL, trigger="bench")
    for first in range(0, WAITING, PAGE):
        page = [_change(number) for number in range(first, min(first + PAGE, WAITING))]
        with at.services.db.write() as session:
            outbox.accept(session, at.services.clock.now(), at.connector_id, page, run_id)
    return run_id


def _change(number: int) -> Change:
    email = f"buyer{number}@example.com"
    row = {"id": number, "email": email, "first_name": "Ada", "last_name": "Lovelace", "billing": {"email": email}}
    return Change(Kind.CONTACT, str(number), "updated", person_key_of(email), row, NOW, Origin.FULL, NOW, str(number))


def _end(services: Services) -> None:
    """Do what a worker does that takes a cancelled run up."""
    run = _taken(services)
    giving_up.by_parts(services.db, services.clock, run.id)
    with services.db.write() as session:
        run = session.get_one(Run, run.id)
        run_lifecycle.finish(session, services.clock.now(), run, RunState.CANCELLED)


def _owe_again(services: Services) -> None:
    """Do what a worker begins with that takes the run up."""
    taken = _taken(services)
    services.db.write_by_parts(
        lambda session: giving_up.take_back(session, services.clock.now(), session.get_one(Run, taken.id))
    )


def _taken(services: Services) -> Run:
    with services.db.write() as session:
        run = run_lifecycle.take(session, services.clock.now(), new_token())
    assert run is not None
    return run


@contextmanager
def _beside(at: World, what: str) -> Iterator[None]:
    """Report the longest wait of another writer, and how long the work took."""
    db, stop, waits = open_database(at.services.deployment.database_url), threading.Event(), [0.0]

    def write() -> None:
        while not stop.wait(0.02):
            began = time.perf_counter()
            with db.write() as session:
                session.execute(text("UPDATE connector SET name = name"))
            waits.append(time.perf_counter() - began)

    other = threading.Thread(target=write)
    other.start()
    began = time.perf_counter()
    yield
    seconds = time.perf_counter() - began
    stop.set()
    other.join()
    db.dispose()
    longest = max(waits) * 1000
    named = f"longest wait of another writer while records of a run are {what}"
    report(named, longest, "ms", f"<= {GOAL_MS:.0f}", longest <= GOAL_MS, records=WAITING, seconds=round(seconds, 1))
