"""Jobs by the clock that one process does for all: what all would do again costs each of them, and stores calls."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import Update, or_, update
from sqlalchemy.exc import SQLAlchemyError

from integration.engines.ticking import JITTER
from integration.models.schedule import InstallationJob
from integration.models.sql import swapped, upsert
from integration.pipeline.leases.tokens import this_process
from integration.pipeline.services import Services


def do(services: Services, job: str, every_s: int, work: Callable[[Services], object]) -> None:
    """Do a job that all processes begin every so many seconds, where this one is the first to come.

    Nobody is appointed, and whoever is gone keeps the others waiting for less than one turn. Raises what the work
    raises, and lets the next one that comes try then: only this process may be at fault.
    """
    if not _is_first(services, job, every_s):
        return
    try:
        work(services)
    except Exception:
        # Whatever it was, it goes on to whoever asked.
        with suppress(SQLAlchemyError), services.db.write() as session:
            session.execute(_own(job).values(next_at=services.clock.now()))
        raise


def _is_first(services: Services, job: str, every_s: int) -> bool:
    """Return whether the turn is this process's; where the disk takes no note of that it is everybody's."""
    try:
        return _take(services, job, timedelta(seconds=every_s * (1 - JITTER)))
    except Exception as error:
        if not services.disk.met(error):
            raise
        return True


def _take(services: Services, job: str, every: timedelta) -> bool:
    """Take the turn; it is a little shorter than the job's time, so that a single process always finds it free."""
    now = services.clock.now()
    with services.db.read() as session:
        row = session.get(InstallationJob, job)
        if row is not None and now < row.next_at <= now + every:
            return False
    # A turn that lies further ahead is of another clock, or of this one before it was set back: doing the job twice
    # costs little, and nobody knows whether the other one is alive.
    free = or_(InstallationJob.next_at <= now, InstallationJob.next_at > now + every)
    taking = update(InstallationJob).where(InstallationJob.job == job, free)
    with services.db.write() as session:
        upsert(session, InstallationJob, [{"job": job, "next_at": now, "taken_by": ""}])
        return bool(swapped(session, taking.values(next_at=now + every, taken_by=this_process())))


def _own(job: str) -> Update:
    return update(InstallationJob).where(InstallationJob.job == job, InstallationJob.taken_by == this_process())
