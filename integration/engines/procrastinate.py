"""The PostgreSQL engine: each accepted change defers a job "drain connector X" in its own transaction.

The queueing lock keeps one such job waiting a connector, however many changes arrive, and the lock one at work over all
processes. A process that works for the connector already is notified of the changes. A job that is lost loses no work:
the tick defers again for every connector that has something due.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import procrastinate
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from integration.engines import schedule
from integration.engines.embedded import Ticks
from integration.engines.worker import LOOK_EVERY_S, Worker
from integration.models.database import Database
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

QUEUE = "connectors"
TASK = "drain"
#: The processes that have a connector's job listen here; the payload is its id.
CHANNEL = "woo_mautic_work"
#: So many connectors may be worked for at once; each needs a thread that waits most of the time.
DRAINS_MAX = 32
#: So long a connector keeps its place when there is none left for others.
TURN_S = 30.0
#: A process whose heartbeat is older is gone, and its jobs with it; procrastinate writes one every 10 s.
HEARTBEAT_MAX_S = 30
STALLED_EVERY_S = 10.0
RESTART_S = 5.0
_DEFER = text(
    """
    WITH job AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args)
        VALUES (:queue, :task, :lock, :lock, jsonb_build_object('connector_id', CAST(:connector AS bigint)))
        ON CONFLICT DO NOTHING
    )
    SELECT pg_notify(:channel, CAST(:connector AS text))
    """
)


def defer(session: Session, connector_id: int) -> None:
    """Defer the drain of a connector in the caller's transaction, unless one waits already, and notify who drains it.

    Nobody sees either before the transaction is committed.
    """
    values = {"queue": QUEUE, "task": TASK, "lock": f"{TASK}-{connector_id}", "connector": connector_id}
    session.execute(_DEFER, values | {"channel": CHANNEL})


def conninfo(url: str) -> str:
    """Return libpq's form of a SQLAlchemy URL."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def install(db: Database) -> None:
    """Make procrastinate's tables when they are missing; processes that start at once wait for each other."""
    with db.engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(7322)"))
        if connection.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is None:
            cursor = connection.connection.cursor()
            cursor.execute(procrastinate.schema.SchemaManager.get_schema())
            cursor.close()


class Procrastinate:
    """A worker process on PostgreSQL; any number of them share one database."""

    def __init__(self, services: Services, *, role: str = "worker", threads: int = 8) -> None:
        self.services = services
        self.worker = Worker(services, threads=threads)
        self._ticks = Ticks(services, role)
        self._drains = 0
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(DRAINS_MAX, thread_name_prefix="drain"))
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="procrastinate", daemon=True)
        self._ready = threading.Event()

    def start(self) -> None:
        """Take back what killed processes left, then begin to take jobs."""
        install(self.services.db)
        self._ticks.add(self._ring, 5)
        self._ticks.start()
        self._thread.start()
        self._ready.wait(timeout=10)

    def stop(self) -> None:
        """Finish what is in flight and stop."""
        self._ticks.stop()
        if self._main is not None:
            self._loop.call_soon_threadsafe(self._main.cancel)
        self.worker.stop()
        self._thread.join(timeout=30)

    def _ring(self) -> None:
        """Defer for every connector that has something due: retries, probes, and work whose job was lost."""
        now = self.services.clock.now()
        with self.services.db.write() as session:
            due = set(schedule.busy_connectors(session, now)) | set(schedule.connectors_with_runs(session, now))
            for connector_id in sorted(due):
                defer(session, connector_id)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._main = self._loop.create_task(_again(self._work, RESTART_S))
        self._ready.set()
        try:
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            log.info("The engine has stopped.")
        finally:
            self._loop.close()

    async def _work(self) -> None:
        """Take jobs until this engine stops, or until the database was away and procrastinate gives up."""
        app = self._app()
        async with app.open_async():
            beside = [
                asyncio.create_task(_again(lambda: self._listen(app), LOOK_EVERY_S)),
                asyncio.create_task(_again(lambda: _take_back(app), STALLED_EVERY_S)),
            ]
            try:
                await app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=DRAINS_MAX,
                    # A job that had to wait for its lock is not notified of again.
                    fetch_job_polling_interval=LOOK_EVERY_S,
                    install_signal_handlers=False,
                    delete_jobs="always",
                    stalled_worker_timeout=HEARTBEAT_MAX_S,
                )
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)

    async def _listen(self, app: procrastinate.App) -> None:
        async def ring(*, channel: str, payload: str) -> None:
            self.services.wakeup.ring(int(payload))

        await app.connector.listen_notify(ring, [CHANNEL])

    def _app(self) -> procrastinate.App:
        connector = procrastinate.PsycopgConnector(conninfo=conninfo(self.services.deployment.database_url))
        app = procrastinate.App(connector=connector)

        @app.task(name=TASK, queue=QUEUE)
        async def drain(connector_id: int, **_: Any) -> None:
            turn_over = time.monotonic() + TURN_S
            self._drains += 1
            try:
                await asyncio.to_thread(
                    self.worker.drain, connector_id, lambda: self._drains < DRAINS_MAX or time.monotonic() < turn_over
                )
            finally:
                self._drains -= 1

        return app


async def _again(work: Callable[[], Awaitable[None]], pause_s: float) -> None:
    """Do something again and again, whatever becomes of it, until the task is cancelled."""
    while True:
        try:
            await work()
        except Exception:
            # Nobody else would begin it again: an engine that ended with its database would stay silent for good.
            log.warning("The PostgreSQL engine was interrupted; it goes on in %.0f s.", pause_s, exc_info=True)
        await asyncio.sleep(pause_s)


async def _take_back(app: procrastinate.App) -> None:
    """Drop the jobs of processes that are gone, which lock their connectors; what is due is deferred again."""
    for job in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=HEARTBEAT_MAX_S):
        log.warning("The job %s was taken back from a process that is gone.", job.call_string)
        # Another process may have dropped it meanwhile.
        with suppress(ConnectorException):
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
