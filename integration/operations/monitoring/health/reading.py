"""Whether the store is read as its schedule says, and how its runs ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from croniter import CroniterBadDateError, croniter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.models.connector import Connector, ConnectorState
from integration.models.hold import Hold
from integration.models.run import SYNCS, Run, RunKind, RunState
from integration.operations.monitoring.health.facts import NEWS, Facts, of as facts_of
from integration.pipeline.connectors import holds, schedule_times

#: A schedule of every minute is not late after three of them.
LATE_MIN = timedelta(minutes=15)
_WIDE = (RunKind.INITIAL, RunKind.FULL)


@dataclass(frozen=True, slots=True)
class NotRead:
    """The store was not read in time; `explained` when a hold of the store or a pause that just ended says why."""

    since: datetime
    explained: bool


def not_read(session: Session, now: datetime, connector: Connector, periods: int, facts: Facts) -> NotRead | None:
    """Return since when the store was not read, once so many periods have passed without a run that ended well.

    A paused connector, one without a schedule, and one whose run is being worked on are left alone.
    """
    if not (facts.every or facts.cron) or facts.next_read is None or not _scheduled(connector):
        return None
    last, limit = facts.last_read, _limit(now, connector, facts, periods)
    # It cannot have begun before it was last read, so that is looked at first.
    if (last is not None and last > limit) or _begun(session, connector, last) > limit:
        return None
    if _is_worked_on(session, now, connector.id) or facts_of(session, now, connector.id).last_read != last:
        # The second: it has been read since the facts were asked for.
        return None
    explained = holds.current(session, connector.id, "store") is not None or facts.next_read <= now
    return NotRead(last or connector.created_at, explained)


def newest(session: Session, connector_id: int) -> Run | None:
    """Return the newest run that read the store and has ended by itself."""
    ended = Run.state.in_([RunState.COMPLETED, RunState.FAILED])
    query = select(Run).where(Run.connector_id == connector_id, ended, Run.kind.in_(SYNCS), ~Run.is_dry)
    return session.scalar(query.order_by(Run.id.desc()).limit(1))


def failed_run(session: Session, now: datetime, connector_id: int, since: datetime | None = None) -> Run | None:
    """Return the newest run of a kind that failed, unless a later one that reads everything went well.

    Reconciliations are left out: they send nothing, and what they find has an alert of its own.
    Runs of the last NEWS count, with `since` those from as long before that moment.
    """
    begin = min(now, since or now) - NEWS
    latest = (
        select(func.max(Run.id))
        .where(Run.connector_id == connector_id, Run.created_at >= begin, Run.ended_at.is_not(None))
        .where(Run.kind != RunKind.RECONCILIATION, ~Run.is_dry)
        .group_by(Run.kind)
    )
    rows = session.scalars(select(Run).where(Run.id.in_(latest)).order_by(Run.id)).all()
    well = max((run.id for run in rows if run.kind in _WIDE and run.state == RunState.COMPLETED), default=0)
    failed = [run for run in rows if run.state == RunState.FAILED and run.id > well]
    return failed[-1] if failed else None


def _scheduled(connector: Connector) -> bool:
    connected = bool(connector.store_url and connector.mautic_url)
    return connector.state == ConnectorState.ACTIVE and connected


def _begun(session: Session, connector: Connector, last: datetime | None) -> datetime:
    """Return from when on the store could have been read: the first try since it was, or the end of a hold."""
    tried = select(func.min(Run.created_at)).where(Run.connector_id == connector.id, Run.kind.in_(SYNCS), ~Run.is_dry)
    held = select(func.max(Hold.released_at)).where(Hold.connector_id == connector.id, Hold.service == "store")
    first = session.scalar(tried.where(Run.created_at > last) if last else tried)
    released = session.scalar(held)
    begun = first or last or connector.created_at
    return max(begun, released) if released else begun


def _limit(now: datetime, connector: Connector, facts: Facts, periods: int) -> datetime:
    """Return the moment after which a sync must have begun to be in time."""
    every = timedelta(seconds=facts.every)
    limit = _date(now, connector, facts.cron, periods) if facts.cron else now - periods * every
    return min(limit, now - LATE_MIN)


def _date(now: datetime, connector: Connector, cron: str, periods: int) -> datetime:
    """Return the date of a crontab that lies so many dates back from now; one without dates is never late."""
    zone = schedule_times.zone_of(connector)
    dates = croniter(cron, now.astimezone(zone).replace(tzinfo=None))
    try:
        local: datetime = [dates.get_prev(datetime) for _ in range(periods)][-1]
    except CroniterBadDateError:
        return connector.created_at
    return local.replace(tzinfo=zone).astimezone(UTC)


def _is_worked_on(session: Session, now: datetime, connector_id: int) -> bool:
    query = select(Run.id).where(
        Run.connector_id == connector_id, Run.state == RunState.RUNNING, Run.kind.in_(SYNCS), ~Run.is_dry
    )
    return session.scalar(query.where(Run.leased_until > now).limit(1)) is not None
