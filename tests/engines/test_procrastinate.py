"""The PostgreSQL engine: jobs in the accepting transaction, two worker processes on one database."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import select, text

from integration.config import Deployment
from integration.engines import wired
from integration.engines.procrastinate import CHANNEL, conninfo
from integration.models import Organisation
from integration.models.delivery import Delivery
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from integration.sandbox.mautic import MauticServer
from tests.bench.world import order_changes
from tests.conftest import NOON
from tests.engines.conftest import accept, connect
from tests.schema import make_newest
from tests.waiting import wait_for
from tests.worker_process import start_worker, wait_until_ready

LANES = 2
TOKENS = "SELECT DISTINCT lease_token FROM delivery WHERE state = 'leased'"
OF_OTHERS = "datname = current_database() AND pid <> pg_backend_pid()"
DOING = "SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'"


@pytest.fixture
def database_url(postgres_url: str) -> str:
    return postgres_url


@pytest.fixture
def services(deployment: Deployment, database_url: str) -> Iterator[Services]:
    make_newest(database_url)
    made = wired(open_services(deployment.model_copy(update={"database_url": database_url, "engine": "procrastinate"})))
    with made.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    yield made
    made.db.dispose()


def jobs(services: Services) -> int:
    with services.db.read() as session:
        return int(session.scalar(text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'")) or 0)


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
    workers = [start_worker(services), start_worker(services)]
    try:
        wait_until_ready(services, workers)
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


@pytest.mark.parametrize("engine", ["procrastinate", "none"])
def test_of_three_workers_one_at_a_time_works_for_a_connector(
    services: Services, mautic: MauticServer, engine: str
) -> None:
    services.deployment = services.deployment.model_copy(update={"engine": engine})
    connector_id = _busy_connector(services, mautic)
    workers = [start_worker(services) for _ in range(3)]
    leases, doing, processes = Counter[int](), Counter[int](), Counter[int]()
    try:
        wait_until_ready(services, workers)
        for start in range(1, 51, 25):
            accept(services, connector_id, order_changes(25, first=start))
        end = time.monotonic() + 120
        while _open(services) and time.monotonic() < end:
            tokens = _leased(services)
            leases[len(tokens)] += 1
            processes[len({token.rpartition(".")[0] for token in tokens})] += 1
            doing[_scalar(services, DOING)] += 1
    finally:
        codes = _end(workers)
    assert codes == [0, 0, 0]
    # A process may lease one batch more than it sends at once: the next one, made ready meanwhile.
    assert (max(leases), max(processes)) == (LANES + 1, 1)
    assert max(doing) == (1 if engine == "procrastinate" else 0)
    assert _notes_a_person(mautic) == [1] * 50


def test_the_job_of_a_killed_worker_is_taken_back(services: Services, mautic: MauticServer) -> None:
    connector_id = _busy_connector(services, mautic)
    accept(services, connector_id, order_changes(1))
    killed = start_worker(services)
    assert wait_for(lambda: not _open(services), seconds=60)
    mautic.faults.command({"kind": "delay", "value": 2})
    accept(services, connector_id, order_changes(30, first=2))
    assert wait_for(lambda: len(_leased(services)) > 1, seconds=60)
    killed.kill()
    killed.wait(timeout=30)
    assert _scalar(services, DOING) == 1
    mautic.faults.command({"kind": "delay", "value": 0})
    _execute(services, "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 seconds'")
    workers = [start_worker(services), start_worker(services)]
    try:
        wait_until_ready(services, workers)
        assert wait_for(lambda: not _open(services), seconds=120)
        assert wait_for(lambda: _scalar(services, "SELECT count(*) FROM procrastinate_jobs") == 0, seconds=30)
    finally:
        codes = _end(workers)
    assert codes == [0, 0]
    assert _notes_a_person(mautic) == [1] * 31


def test_a_worker_that_procrastinate_ends_begins_anew(services: Services, mautic: MauticServer) -> None:
    connector_id = _busy_connector(services, mautic)
    going = start_worker(services)
    try:
        accept(services, connector_id, order_changes(1))
        assert wait_for(lambda: not _open(services), seconds=60)
        # As another worker's start does after this one was not heard of for long: its jobs have no worker then.
        _execute(services, "DELETE FROM procrastinate_workers")
        _execute(services, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OF_OTHERS}")
        accept(services, connector_id, order_changes(5, first=2))
        assert wait_for(lambda: not _open(services), seconds=60)
    finally:
        codes = _end([going])
    assert codes == [0]
    assert _notes_a_person(mautic) == [1] * 6


def test_who_drains_is_notified_though_a_job_waits_already(services: Services, mautic: MauticServer) -> None:
    connector_id = connect(services, mautic)
    accept(services, connector_id, order_changes(1))
    with psycopg.connect(conninfo(services.deployment.database_url), autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        with pytest.raises(RuntimeError), services.db.write() as session:
            services.on_accept(session, connector_id)
            raise RuntimeError("the transaction breaks off")
        accept(services, connector_id, order_changes(1, first=2))
        heard = [told.payload for told in listener.notifies(timeout=10, stop_after=1)]
        heard += [told.payload for told in listener.notifies(timeout=0.2)]
    assert (heard, jobs(services)) == ([str(connector_id)], 1)


def _busy_connector(services: Services, mautic: MauticServer) -> int:
    """Make a connector with small batches and a note for each order, to a Mautic that takes its time."""
    connector_id = connect(services, mautic)
    small = {"sync.batch_start": "5", "sync.batch_max": "5", "sync.lanes": str(LANES)}
    connectors.configure(services, connector_id, {"orders.notes": "yes", **small})
    mautic.faults.command({"kind": "delay", "value": 0.05})
    return connector_id


def _end(workers: list[subprocess.Popen[bytes]]) -> list[int]:
    for one in workers:
        one.terminate()
    return [one.wait(timeout=60) for one in workers]


def _notes_a_person(mautic: MauticServer) -> list[int]:
    people = Counter(note["lead"] if "lead" in note else note["lead_id"] for note in mautic.state.notes.values())
    return list(people.values())


def _scalar(services: Services, query: str) -> int:
    with services.db.read() as session:
        return int(session.scalar(text(query)) or 0)


def _leased(services: Services) -> list[str]:
    with services.db.read() as session:
        return list(session.scalars(text(TOKENS)))


def _execute(services: Services, statement: str) -> None:
    with services.db.write() as session:
        session.execute(text(statement))


def _open(services: Services) -> int:
    with services.db.read() as session:
        return len(session.scalars(select(Delivery.id).where(Delivery.settled_at.is_(None))).all())
