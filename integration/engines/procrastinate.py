"""The PostgreSQL engine: each accepted change defers a job "drain connector X" in its own transaction.

The queueing lock keeps one such job waiting a connector, however many changes arrive, and the lock one at work over all
processes. A process that works for the connector already is notified of the changes. A job that is lost loses no work:
the tick defers again for every connector that has something due.

A process takes a job when it has a lane free, so that connectors spread over all workers. Where jobs wait that no
process has room for, a connector's turn ends after half a second and its job goes to the end of the line.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import procrastinate
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from integration.engines import schedule
from integration.engines.embedded import Ticks
from integration.engines.worker import LOOK_EVERY_S, READERS_MAX, Worker
from integration.models.database import Database
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

QUEUE = "connectors"
TASK = "drain"
#: The processes that have a connector's job listen here; the payload is its id.
CHANNEL = "woo_mautic_work"
#: So long a connector keeps its place, at least, when there is none left for others.
TURN_S = 0.5
#: Connections of a process for its jobs: one listens for each of the two channels, the others fetch and end jobs.
JOB_CONNECTIONS = 4
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

#: Connectors with a job: who works for one looks by itself what is due, and who takes a waiting one does.
_CARED_FOR = text(
    """
    SELECT CAST(args ->> 'connector_id' AS bigint) FROM procrastinate_jobs
    WHERE queue_name = :queue AND status IN ('todo', 'doing')
    """
)
_OTHERS_WAIT = text(
    """
    SELECT EXISTS (
        SELECT 1 FROM procrastinate_jobs waits WHERE waits.status = 'todo' AND waits.queue_name = :queue
            AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs d WHERE d.lock = waits.lock AND d.status = 'doing')
    )
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

    def __init__(self, services: Services, *, role: str = "worker") -> None:
        self.services = services
        self.worker = Worker(services)
        self._ticks = Ticks(services, role)
        # Each needs a thread that waits most of the time: who has a lane, who has a run, and who was just let in.
        self._drains_max = services.deployment.worker_lanes + READERS_MAX + 2
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(self._drains_max, thread_name_prefix="drain"))
        self._room = asyncio.Event()
        self._stopping = False
        self._main: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="procrastinate", daemon=True)
        self._ready = threading.Event()

    def start(self) -> None:
        """Take back what killed processes left, then begin to take jobs."""
        install(self.services.db)
        self.worker.lanes.on_free = self._freed
        self._ticks.add(self._ring, 5)
        self._ticks.start()
        self._thread.start()
        self._ready.wait(timeout=10)

    def stop(self) -> None:
        """Finish what is in flight and stop."""
        self._ticks.stop()
        self._stopping = True
        self._freed()
        if self._main is not None:
            self._loop.call_soon_threadsafe(self._main.cancel)
        self.worker.stop()
        self._thread.join(timeout=30)

    def _ring(self) -> None:
        """Defer for every connector that has something due and no job: retries, probes, and work whose job was lost."""
        now = self.services.clock.now()
        with self.services.db.write() as session:
            due = set(schedule.busy_connectors(session, now)) | set(schedule.connectors_with_runs(session, now))
            cared_for = set(session.scalars(_CARED_FOR, {"queue": QUEUE})) if due else set()
            for connector_id in sorted(due - cared_for):
                defer(session, connector_id)

    def _freed(self) -> None:
        """Say that there may be room for another connector."""
        with suppress(RuntimeError):
            # A loop that is closed has nobody that waits for room.
            self._loop.call_soon_threadsafe(self._room.set)

    async def _wait_for_room(self) -> None:
        while not (self._stopping or self.worker.has_room()):
            self._room.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), LOOK_EVERY_S)

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
                    concurrency=self._drains_max,
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
        connector = procrastinate.PsycopgConnector(
            conninfo=conninfo(self.services.deployment.database_url), min_size=JOB_CONNECTIONS, max_size=JOB_CONNECTIONS
        )
        app = procrastinate.App(connector=connector)
        app.job_manager = _Jobs(connector, self._wait_for_room)

        @app.task(name=TASK, queue=QUEUE)
        async def drain(connector_id: int, **_: Any) -> None:
            await asyncio.to_thread(self._drain, connector_id)

        return app

    def _drain(self, connector_id: int) -> None:
        """Work for a connector until nothing of it is due, or until its turn is over: then it lines up again."""
        turn = Turn(self._others_wait)
        self.worker.drain(connector_id, turn.goes_on)
        if turn.over:
            with self.services.db.write() as session:
                defer(session, connector_id)

    def _others_wait(self) -> bool:
        """Return whether connectors wait that no process has room for; one with room would have taken them."""
        if self.worker.has_room():
            return False
        with self.services.db.read() as session:
            return bool(session.scalar(_OTHERS_WAIT, {"queue": QUEUE}))


class Turn:
    """The time that a connector is worked for, half a second at a time: it goes on while nobody waits for its place.

    It begins with the first batch: who waited for a thread until then would go to the end of the line for nothing.
    """

    def __init__(self, others_wait: Callable[[], bool], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._others_wait, self._monotonic = others_wait, monotonic
        self._until: float | None = None
        self._lock = threading.Lock()
        self.over = False

    def goes_on(self, batch: bool) -> bool:
        """Return whether more may be begun; `batch` says that a batch is begun then. Once over it stays so."""
        with self._lock:
            if self._until is None:
                self._until = self._monotonic() + TURN_S if batch else None
            elif not self.over and self._monotonic() >= self._until:
                self._until, self.over = self._monotonic() + TURN_S, self._others_wait()
            return not self.over


class _Jobs(JobManager):
    """The jobs, taken only when the process has room for another one."""

    def __init__(self, connector: procrastinate.BaseConnector, room: Callable[[], Awaitable[None]]) -> None:
        super().__init__(connector)
        self._wait_for_room = room

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Return the job that is to be done next, None when there is none; waits for room first."""
        await self._wait_for_room()
        return await super().fetch_job(queues, worker_id)


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
