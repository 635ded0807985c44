"""kill -9 at random moments of an import: everything arrives, no note twice, no order left out."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable

import pytest

from integration.engines import schedule
from integration.models import Run
from integration.pipeline import runs
from integration.sandbox.store.seed import seed
from tests.road.conftest import Road

KILLS = {"sqlite": 12, "postgresql": 5}
MARKER = re.compile(r"\[order \d+ [^\]]+\]")


@pytest.mark.timeout(240)
def test_an_import_survives_being_killed_again_and_again(make_road: Callable[..., Road], database_url: str) -> None:
    road = make_road(orders__notes=True, orders__create_fields=True, sync__batch_start=20, sync__batch_max=20)
    seed(road.store.state, customers=60, orders=500)
    road.mautic.faults.command({"kind": "delay_per_record", "value": 0.004})
    run_id = runs.start(road.ports, road.connector_id, "initial", trigger="test")
    chance = random.Random(7)
    kills = KILLS[database_url.split(":")[0].split("+")[0]]
    for number in range(kills):
        if number % 3 == 2:
            road.mautic.faults.command({"kind": "lose_answer", "path": "/api/notes", "times": 1})
        _kill_after(road, chance.uniform(0.0, 1.2))
        _resume(road, run_id)
    for _ in range(3):
        _finish(road)
    _assert_all_arrived(road, run_id)
    with road.ports.db.read() as session:
        gone = [line for line in runs.lines(session, run_id, limit=5000) if "was killed" in line.text]
    # The kills really hit the work: the run was closed for its dead process several times.
    assert len(gone) >= 3


def _worker(road: Road, *options: str) -> subprocess.Popen[str]:
    environ = os.environ | {
        "DATABASE_URL": road.ports.deployment.database_url,
        "INSTANCE_PATH": str(road.ports.deployment.instance_path),
        "SECRET_KEY": road.ports.deployment.secret_key,
        "ENGINE": "none",
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-c", "from integration.cli import main; main()", "worker", *options]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)


def _kill_after(road: Road, seconds: float) -> None:
    """Let a worker begin, and kill it hard some time later."""
    child = _worker(road)
    assert child.stdout is not None
    child.stdout.readline()
    threading.Event().wait(seconds)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def _resume(road: Road, run_id: int) -> None:
    """Let the sweep look at what the killed worker left, and do what its page offers."""
    schedule.sweep(road.ports)
    with road.ports.db.read() as session:
        run = session.get_one(Run, run_id)
    if run.state == "FAILED":
        assert run.error_code == "process_gone"
        runs.resume(road.ports, run_id)


def _finish(road: Road) -> None:
    """Work off what is due; what a fault has put off is made due first."""
    with road.ports.db.write() as session:
        from sqlalchemy import update

        from integration.models import Delivery
        from integration.models import Hold

        session.execute(update(Delivery).where(Delivery.settled_at.is_(None)).values(due_at=road.ports.clock.now()))
        session.execute(update(Hold).where(Hold.released_at.is_(None)).values(probe_at=road.ports.clock.now()))
    child = _worker(road, "--until-idle")
    assert child.wait(timeout=120) == 0
    assert child.stdout is not None
    child.stdout.close()


def _assert_all_arrived(road: Road, run_id: int) -> None:
    with road.ports.db.read() as session:
        run = session.get_one(Run, run_id)
    assert (run.state, run.error) == ("COMPLETED", "")
    deliveries = road.deliveries()
    assert {delivery.state for delivery in deliveries} <= {"delivered", "skipped", "dead"}
    accepted = {int(d.source_id) for d in deliveries if d.kind == "order"}
    wanted = {row.id for row in road.store.state.orders if row.status in ("completed", "refunded")}
    assert accepted == wanted
    reached = {(d.source_id, d.what) for d in deliveries if d.kind == "order" and d.state == "delivered"}
    notes = Counter(MARKER.search(str(note["text"]))[0] for note in road.mautic.state.notes.values())  # type: ignore[index]
    assert {marker for marker, times in notes.items() if times > 1} == set()
    assert len(notes) == len(reached)
    emails = Counter(str(contact.values.get("email")).lower() for contact in road.mautic.state.contacts.values())
    assert {email for email, times in emails.items() if times > 1} == set()
    assert run.pushed + run.skipped + run.failed == len(deliveries)
