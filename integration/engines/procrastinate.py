"""The PostgreSQL engine: each accepted change defers a job "drain connector X" in its own transaction.

The queueing lock keeps one such job waiting a connector, however many changes arrive. A job that is lost loses no
work: the tick defers again for every connector that has something due.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import procrastinate
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from integration.engines import schedule
from integration.engines.embedded import Ticks
from integration.engines.worker import Worker
from integration.models.database import Database
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

QUEUE = "connectors"
TASK = "drain"
_DEFER = text(
    """
    INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)
    VALUES (:queue, :task, :lock, jsonb_build_object('connector_id', CAST(:connector AS bigint)))
    ON CONFLICT DO NOTHING
    """
)


def defer(session: Session, connector_id: int) -> None:
    """Defer the drain of a connector in the caller's transaction; nothing happens when one waits already."""
    values = {"queue": QUEUE, "task": TASK, "lock": f"{TASK}-{connector_id}", "connector": connector_id}
    session.execute(_DEFER, values)


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
        self._threads = threads
        self._ticks = Ticks(services, role)
        self._loop = asyncio.new_event_loop()
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
        self.worker.stop()
        if self._main is not None:
            self._loop.call_soon_threadsafe(self._main.cancel)
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
        self._main = self._loop.create_task(self._work())
        self._ready.set()
        try:
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            log.info("The engine has stopped.")
        finally:
            self._loop.close()

    async def _work(self) -> None:
        app = self._app()
        async with app.open_async():
            await app.run_worker_async(
                queues=[QUEUE], concurrency=self._threads, install_signal_handlers=False, delete_jobs="always"
            )

    def _app(self) -> procrastinate.App:
        connector = procrastinate.PsycopgConnector(conninfo=conninfo(self.services.deployment.database_url))
        app = procrastinate.App(connector=connector)

        @app.task(name=TASK, queue=QUEUE)
        async def drain(connector_id: int, **_: Any) -> None:
            await asyncio.to_thread(self.worker.drain, connector_id)

        return app
