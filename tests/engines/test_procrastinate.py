"""The PostgreSQL engine: jobs in the accepting transaction, two worker processes on one database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import select, text

from integration.config import Deployment
from integration.engines import wired
from integration.models import Organisation
from integration.models.delivery import Delivery
from integration.models.migrate import upgrade
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from integration.sandbox.mautic import MauticServer
from tests.bench.world import order_changes
from tests.conftest import NOON
from tests.engines.conftest import accept, connect
from tests.engines.test_embedded import wait_for


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def services(deployment: Deployment, database_url: str) -> Iterator[Services]:
    upgrade(database_url)
    made = wired(open_services(deployment.model_copy(update={"database_url": database_url, "engine": "procrastinate"})))
    with made.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    yield made
    made.db.dispose()


def jobs(services: Services) -> int:
    with services.db.read() as session:
        return int(session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")) or 0)


def worker(services: Services) -> subprocess.Popen[bytes]:
    environ = os.environ | {
        "DATABASE_URL": services.deployment.database_url,
        "ENGINE": "procrastinate",
        "INSTANCE_PATH": str(services.deployment.instance_path),
        "SECRET_KEY": services.deployment.secret_key,
    }
    command = [sys.executable, "-c", "from integration.cli import main; main()", "worker"]
    return subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)


def test_the_job_stands_or_falls_with_the_delivery(services: Services, mautic: MauticServer) -> None:
    connector_id = connect(services, mautic)
    with pytest.raises(RuntimeError), services.db.write() as session:
        services.on_accept(session, connector_id)
        raise RuntimeError("the transaction breaks off")
    assert jobs(services) == 0
    accept(services, connector_id, order_changes(1))
    accept(services, connector_id, order_changes(1, first=2))
    assert jobs(services) == 1


def test_two_worker_processes_share_one_database(services: Services, mautic: MauticServer) -> None:
    connector_id = connect(services, mautic)
    connectors.configure(
        services, connector_id, {"orders.notes": "yes", "sync.batch_start": "5", "sync.batch_max": "5"}
    )
    mautic.faults.command({"kind": "delay", "value": 0.05})
    workers = [worker(services), worker(services)]
    try:
        for start in range(1, 201, 50):
            accept(services, connector_id, order_changes(50, first=start))
        assert wait_for(lambda: _open(services) == 0, seconds=60)
    finally:
        for one in workers:
            one.terminate()
        codes = [one.wait(timeout=30) for one in workers]
    assert codes == [0, 0]
    notes = Counter(note["lead"] if "lead" in note else note["lead_id"] for note in mautic.state.notes.values())
    assert (len(notes), set(notes.values())) == (200, {1})


def _open(services: Services) -> int:
    with services.db.read() as session:
        return len(session.scalars(select(Delivery.id).where(Delivery.settled_at.is_(None))).all())
