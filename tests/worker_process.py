"""A worker in a process of its own, as `woo-mautic worker` is started, on the database of some services."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

from sqlalchemy import select

from integration.models import Heartbeat
from integration.pipeline.services import Services
from tests.waiting import wait_for


def start_worker(services: Services, *, by: Sequence[str] = (), **settings: str) -> subprocess.Popen[bytes]:
    """Start one with the engine of the deployment; who starts it ends it.

    `by` is a command that starts others, such as `nice`; `settings` are of its environment.
    """
    environ = os.environ | {
        "DATABASE_URL": services.deployment.database_url,
        "ENGINE": services.deployment.engine,
        "INSTANCE_PATH": str(services.deployment.instance_path),
        "SECRET_KEY": services.deployment.secret_key,
        "PRIVATE_HOSTS": "*",
        "WORKER_LANES": str(services.deployment.worker_lanes),
        **settings,
    }
    command = [*by, sys.executable, "-c", "from integration.cli import main; main()", "worker"]
    return subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)


def wait_until_ready(services: Services, workers: Sequence[subprocess.Popen[bytes]]) -> None:
    """Return once all of them beat: from then on they take work, and end as they are asked to."""
    pids = {str(one.pid) for one in workers}

    def all_beat() -> bool:
        with services.db.read() as session:
            return pids <= {name.rpartition(":")[2] for name in session.scalars(select(Heartbeat.name))}

    wait_for(all_beat, "the heartbeats of the workers", seconds=90)


def end(workers: Sequence[subprocess.Popen[bytes]]) -> list[int]:
    """Ask all to end and return their exit codes; a negative one is the signal that killed it."""
    for one in workers:
        one.terminate()
    return [one.wait(timeout=60) for one in workers]
