"""What the clock's jobs cost a process that has nothing else to do, with many connectors and a week of their runs."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from integration.config import Deployment
from integration.models.migrate import upgrade
from integration.models.organisation import Organisation
from integration.models.run import Run, RunKind, RunState
from integration.operations.monitoring import alerts
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from tests.bench.world import report
from tests.clock_jobs import by_the_clock
from tests.statements import caught

CONNECTORS = int(os.environ.get("BENCH_CONNECTORS", "100"))
#: A week of the usual polls, every five minutes.
RUNS, APART = 2016, timedelta(minutes=5)
#: Each job is done so often, after a first time that is not measured.
ROUNDS = 3
#: Of one connector, in ms of CPU, and of all jobs together, in hundredths of a processor.
LOOK_MS, SHARE = 1.0, 5.0


def measure() -> None:
    """Measure one look for causes of alerts at all connectors, and the jobs of a process whose turn it is not."""
    with tempfile.TemporaryDirectory() as folder:
        services = _filled(Path(folder))
        alerts.evaluate(services)
        with caught(services.db.engine) as statements:
            took = _cpu_ms(lambda: alerts.evaluate(services))
        each = took / CONNECTORS
        number = round(len(statements) / ROUNDS)
        report(
            "a look for causes of alerts, CPU a connector", each, "ms", f"<= {LOOK_MS}", each <= LOOK_MS, asks=number
        )
        jobs = by_the_clock(services)
        for job, _ in jobs:
            job()
        share = sum(_cpu_ms(job) / seconds for job, seconds in jobs) / 10
        about = {"connectors": CONNECTORS}
        report("jobs of the clock where others have the turn", share, "% CPU", f"<= {SHARE}", share <= SHARE, **about)
        services.db.dispose()


def _cpu_ms(job: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(ROUNDS):
        job()
    return (time.process_time() - began) * 1000 / ROUNDS


def _filled(folder: Path) -> Services:
    url = f"sqlite:///{folder / 'ticks.sqlite'}"
    deployment = Deployment(instance_path=folder, secret_key="k" * 32, database_url=url)
    upgrade(deployment.database_url)
    services = open_services(deployment)
    now = services.clock.now()
    with services.db.write() as session:
        session.add(Organisation(name="Bench", created_at=now))
    addresses = {"store_url": "https://shop.example.com", "mautic_url": "https://mautic.example.com"}
    for number in range(CONNECTORS):
        made = connectors.create(services, organisation_id=1, name=f"Shop {number}", **addresses)
        with services.db.write() as session:
            session.execute(insert(Run), [_run(made, now - APART * back) for back in range(RUNS, 0, -1)])
    return services


def _run(connector_id: int, at: datetime) -> dict[str, object]:
    return {
        "connector_id": connector_id,
        "kind": RunKind.INCREMENTAL,
        "state": RunState.COMPLETED,
        "correlation_id": "bench",
        "created_at": at,
        "ended_at": at,
    }
