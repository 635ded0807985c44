"""Jobs by the clock that one process does for all: what all would do again costs each of them, and stores calls."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, update

from integration.engines.ticking import JITTER
from integration.models.schedule import InstallationJob
from integration.models.sql import swapped, upsert
from integration.operations.monitoring.heartbeat import CLOCKS_DIFFER
from integration.pipeline.leases.tokens import this_process
from integration.pipeline.services import Services


def take(services: Services, job: str, every_s: int) -> bool:
    """Return whether this process is the one that does a job now, which all of them begin every so many seconds.

    Nobody is appointed: whoever comes first has this turn. Where the disk takes no note of that everybody has it.
    Raises what else the database raises.
    """
    try:
        return _take(services, job, every_s)
    except Exception as error:
        if not services.disk.met(error):
            raise
        return True


def _take(services: Services, job: str, every_s: int) -> bool:
    # A process that is the only one comes a little earlier at times, and must not find its own turn still taken.
    every = timedelta(seconds=every_s * (1 - 2 * JITTER))
    now = services.clock.now()
    # A turn that lies further ahead than any may was taken before a clock was set back.
    free = or_(InstallationJob.next_at <= now, InstallationJob.next_at > now + every + CLOCKS_DIFFER)
    mine = update(InstallationJob).where(InstallationJob.job == job, free)
    with services.db.read() as session:
        row = session.get(InstallationJob, job)
        if row is not None and now < row.next_at <= now + every + CLOCKS_DIFFER:
            return False
    with services.db.write() as session:
        upsert(session, InstallationJob, [{"job": job, "next_at": now, "taken_by": ""}])
        return bool(swapped(session, mine.values(next_at=now + every, taken_by=this_process())))
