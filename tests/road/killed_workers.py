"""Workers that are killed hard, and how what they left is worked off; Mautic is slow so that kills hit the work."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

from sqlalchemy import func, select, update

from integration.engines import schedule
from integration.models import Delivery, Hold, Run, UnansweredCall
from integration.pipeline import outbox
from integration.pipeline.runs import resumption
from tests.road.conftest import Road

#: Each: rows of a batch -> how slow Mautic is at a row, so that every batch is out for long enough to be hit.
SLOW_ROW_S = {10: 0.03, 50: 0.015, 200: 0.008}
#: What the real pause of ten seconds is here, so that the test does not wait for it.
PAUSE_MIN_S = 1.0
MARKER = re.compile(r"\[order \d+ [^\]]+\]")


def _worker(road: Road, *options: str) -> subprocess.Popen[str]:
    environ = os.environ | {
        "DATABASE_URL": road.services.deployment.database_url,
        "INSTANCE_PATH": str(road.services.deployment.instance_path),
        "SECRET_KEY": road.services.deployment.secret_key,
        "PRIVATE_HOSTS": "*",
        "ENGINE": "none",
        "LOG_LEVEL": "ERROR",
    }
    pause = f"from integration.mautic import batches; batches.PAUSE_MIN_S = {PAUSE_MIN_S}; "
    command = [sys.executable, "-c", f"{pause}from integration.cli import main; main()", "worker", *options]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)


def kill_after(road: Road, seconds: float) -> None:
    """Let a worker begin, and kill it hard some time later."""
    child = _worker(road)
    assert child.stdout is not None
    child.stdout.readline()
    threading.Event().wait(seconds)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def resume(road: Road, run_id: int) -> None:
    """Let the sweep look at what the killed worker left, and do what its page offers."""
    schedule.sweep(road.services)
    _look_soon(road)
    with road.services.db.read() as session:
        run = session.get_one(Run, run_id)
    if run.state == "FAILED":
        assert run.error_code == "process_gone"
        resumption.resume(road.services, run_id)


def _look_soon(road: Road) -> None:
    """Let the looks at unanswered calls come a second apart instead of ten and more, as the workers' own do."""
    now = road.services.clock.now()
    soon = now + timedelta(seconds=PAUSE_MIN_S)
    with road.services.db.write() as session:
        session.execute(update(UnansweredCall).values(pause_s=PAUSE_MIN_S))
        session.execute(update(UnansweredCall).where(UnansweredCall.look_at > soon).values(look_at=soon))


def finish(road: Road, within_s: float = 120) -> None:
    """Work off what is due until nothing is open; what a fault or a backoff has put off is made due."""
    ends = time.monotonic() + within_s
    while outstanding(road) and time.monotonic() < ends:
        with road.services.db.write() as session:
            now = road.services.clock.now()
            session.execute(update(Delivery).where(Delivery.settled_at.is_(None)).values(due_at=now))
            session.execute(update(Hold).where(Hold.released_at.is_(None)).values(probe_at=now))
        _look_soon(road)
        child = _worker(road, "--until-idle")
        assert child.wait(timeout=within_s) == 0
        assert child.stdout is not None
        child.stdout.close()
        threading.Event().wait(PAUSE_MIN_S / 4)


def outstanding(road: Road) -> bool:
    with road.services.db.read() as session:
        going = session.scalar(select(func.count()).select_from(Run).where(Run.state.in_(("PENDING", "RUNNING"))))
        return bool(going or outbox.open_count(session, connector_id=road.connector_id))
