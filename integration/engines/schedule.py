"""What is due: schedules are rows whose next_run_at moves by compare-and-swap, so any number of processes may tick."""

from __future__ import annotations

import functools
import logging
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, exists, select, update
from sqlalchemy.orm import Session

from integration.errors import NotNow
from integration.models.connector import Connector, ConnectorState
from integration.models.delivery import Delivery
from integration.models.hold import Hold
from integration.models.run import Run, RunKind
from integration.models.schedule import Schedule
from integration.models.sql import by_index, swapped, upsert
from integration.pipeline import outbox
from integration.pipeline.connectors import schedule_times
from integration.pipeline.connectors.connectors import INCREMENTAL
from integration.pipeline.outbox.states import READY, READY_INDEX, brought_by_run
from integration.pipeline.runs import giving_up, lifecycle as run_lifecycle, lost_runs
from integration.pipeline.services import Services

log = logging.getLogger(__name__)


def tick(services: Services) -> int:
    """Start the incremental runs that are due and return how many; a connector with a run going waits for the next."""
    now = services.clock.now()
    with services.db.read() as session:
        due = session.scalars(_due(now)).all()
    started = 0
    for row in due:
        if _move(services, row, now):
            started += _start(services, row.connector_id)
    return started


def _due(now: datetime):  # type: ignore[no-untyped-def]  # a Select whose type names nothing a reader needs
    active = exists().where(
        Connector.id == Schedule.connector_id,
        Connector.state == ConnectorState.ACTIVE,
        Connector.store_url != "",
        Connector.mautic_url != "",
    )
    wanted = (Schedule.every > 0) | (Schedule.cron != "")
    return select(Schedule).where(Schedule.job == INCREMENTAL, wanted, Schedule.next_run_at <= now, active)


def _move(services: Services, row: Schedule, now: datetime) -> bool:
    """Move the schedule on; True for the one process that did."""
    with services.db.write() as session:
        moved = swapped(
            session,
            update(Schedule)
            .where(
                Schedule.connector_id == row.connector_id,
                Schedule.job == row.job,
                Schedule.next_run_at == row.next_run_at,
            )
            .values(next_run_at=_next(session, row, now), last_run_at=now),
        )
        return bool(moved)


def _next(session: Session, row: Schedule, now: datetime) -> datetime:
    zone = schedule_times.zone_of(session.get_one(Connector, row.connector_id))
    return schedule_times.following(now, row.every, row.cron, zone)


def take_turn(services: Services, connector_id: int, job: str, every: timedelta, now: datetime) -> bool:
    """Take a job of a connector that is done once in a while; True for the one process that did."""
    at = select(Schedule.next_run_at).where(Schedule.connector_id == connector_id, Schedule.job == job)
    with services.db.read() as session:
        # Looked at before the writer's lock is taken: most of the time it is nobody's turn.
        if (next_at := session.scalar(at)) is not None and next_at > now:
            return False
    seconds = int(every.total_seconds())
    row = {"connector_id": connector_id, "job": job, "every": seconds, "cron": "", "next_run_at": now}
    mine = (Schedule.connector_id == connector_id) & (Schedule.job == job) & (Schedule.next_run_at <= now)
    with services.db.write() as session:
        upsert(session, Schedule, [row])
        return bool(swapped(session, update(Schedule).where(mine).values(next_run_at=now + every, last_run_at=now)))


def _start(services: Services, connector_id: int) -> int:
    try:
        run_lifecycle.start(services, connector_id, RunKind.INCREMENTAL, trigger="schedule")
    except NotNow:
        return 0
    return 1


def sweep(services: Services) -> int:
    """Take back what gone processes had leased, close their runs, and return how many deliveries are free again."""
    with services.db.write() as session:
        freed = outbox.recover(session, services.clock.now(), services.leases.is_lost)
    with services.db.read() as session:
        lost = lost_runs.found(session, services.clock.now(), services.leases.is_lost)
    for run in lost:
        if run.cancel_asked_at is None:
            outbox.let_go_by_parts(services.db, run.connector_id, run.id)
        else:
            giving_up.by_parts(services.db, services.clock, run.id)
    with services.db.write() as session:
        closed = lost_runs.close(session, services.clock.now(), services.leases.is_lost)
    for run_id in closed:
        log.warning("Run %d was closed: its process is gone.", run_id)
    if freed:
        log.warning("%d deliveries were taken back from a process that is gone.", freed)
    return freed


def busy_connectors(session: Session, now: datetime, only: int | None = None) -> list[int]:
    """Return the connectors with something to deliver now, or a hold whose probe is due; of one of them if given."""
    values = {"now": now} if only is None else {"now": now, "only": only}
    return list(session.scalars(_busy(only is not None), values))


@functools.cache
def _busy(of_one: bool) -> Select[tuple[int]]:
    """Return the query for busy connectors: asked whenever anything happens, it costs more to make than to run."""
    now: BindParameter[datetime] = bindparam("now", type_=Delivery.due_at.type)
    free = _any_ready(Delivery.due_at <= now, outbox.nothing_in_question())
    asked = _any_ready(outbox.ready_for_a_look(now))
    held = exists().where(Hold.connector_id == Connector.id, Hold.service == "mautic", Hold.released_at.is_(None))
    quiet = held.where(Hold.probe_at > now)
    due = held.where(Hold.probe_at <= now)
    # A paused connector sends only what a run by hand has brought.
    by_hand = brought_by_run()
    ready = free.exists() | asked.exists()
    of_run = free.where(by_hand).exists() | asked.where(by_hand).exists()
    allowed = (Connector.state == ConnectorState.ACTIVE) & ready | of_run
    may_send = (Connector.mautic_url != "") & (Connector.state != ConnectorState.READ_ONLY)
    query = select(Connector.id).where(may_send, (allowed & ~quiet) | due)
    if of_one:
        query = query.where(Connector.id == bindparam("only"))
    return query.order_by(Connector.id)


def _any_ready(*conditions: ColumnElement[bool]) -> Select[tuple[int]]:
    """Return the query for a connector's ready deliveries; left alone SQLite goes through all that it ever had."""
    mine = (Delivery.connector_id == Connector.id) & READY
    return by_index(select(Delivery.id).where(mine, *conditions), Delivery, READY_INDEX)


def connectors_with_runs(
    session: Session, now: datetime, kinds: Collection[str] | None = None, only: int | None = None
) -> list[int]:
    """Return the connectors with a run that somebody may take now, the run due longest first.

    Only runs of these kinds and of one connector count, if given.
    """
    values = {"now": now, "kinds": sorted(kinds or ()), "only": only}
    return list(dict.fromkeys(session.scalars(_with_runs(kinds is not None, only is not None), values)))


@functools.cache
def _with_runs(of_kinds: bool, of_one: bool) -> Select[tuple[int]]:
    query = run_lifecycle.waiting(select(Run.connector_id), of_kinds=of_kinds)
    return query.where(Run.connector_id == bindparam("only")) if of_one else query
