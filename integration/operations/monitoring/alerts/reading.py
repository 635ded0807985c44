"""Whether the store is read as its schedule says, and whether runs fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from croniter import CroniterBadDateError, croniter
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.models.alert import Alert
from integration.models.connector import Connector, ConnectorState
from integration.models.hold import Hold
from integration.models.run import Run, RunKind, RunState
from integration.models.schedule import Schedule
from integration.operations.monitoring import health
from integration.operations.monitoring.alerts.finding import Finding
from integration.pipeline.connectors import holds, schedule_times
from integration.settings import Modules

LEAST = timedelta(minutes=15)
#: Runs that began longer ago are no news any more.
LOOKBACK = timedelta(days=7)
_WIDE = (RunKind.INITIAL, RunKind.FULL)
_LOOK = "Look at the runs: the last one says what stopped it."


def no_sync(session: Session, now: datetime, connector: Connector, settings: Modules) -> Finding | None:
    """Return a finding when so many periods have passed without a run that ended well.

    A paused connector, one without a schedule, and one whose run is being worked on are left alone. While the store
    is on hold, or before the schedule had its turn after a pause, no alert is opened.
    """
    schedule = session.get(Schedule, (connector.id, "incremental"))
    if schedule is None or not (schedule.every or schedule.cron) or not _scheduled(connector):
        return None
    last = health.last_read(session, connector.id)
    begun = _begun(session, connector, last)
    if begun > _limit(now, connector, schedule, settings.alerts.periods) or _is_worked_on(session, now, connector.id):
        return None
    explained = holds.current(session, connector.id, "store") is not None or schedule.next_run_at <= now
    sentence = f"No sync has ended well for more than {settings.alerts.periods:,} periods of its schedule."
    return Finding("no_sync", sentence, _LOOK, last or connector.created_at, opens=not explained)


def _scheduled(connector: Connector) -> bool:
    connected = bool(connector.store_url and connector.mautic_url)
    return connector.state == ConnectorState.ACTIVE and connected


def _begun(session: Session, connector: Connector, last: datetime | None) -> datetime:
    """Return from when on the store could have been read: the first try since it was, or the end of a hold."""
    tried = select(func.min(Run.created_at)).where(Run.connector_id == connector.id, Run.kind != RunKind.REPLAY)
    held = select(func.max(Hold.released_at)).where(Hold.connector_id == connector.id, Hold.service == "store")
    first = session.scalar(tried.where(Run.created_at > last) if last else tried)
    released = session.scalar(held)
    begun = first or last or connector.created_at
    return max(begun, released) if released else begun


def _limit(now: datetime, connector: Connector, schedule: Schedule, periods: int) -> datetime:
    """Return the moment after which a sync must have begun to be in time."""
    limit = _date(now, connector, schedule, periods) if schedule.cron else now - periods * _every(schedule)
    return min(limit, now - LEAST)


def _every(schedule: Schedule) -> timedelta:
    return timedelta(seconds=schedule.every)


def _date(now: datetime, connector: Connector, schedule: Schedule, periods: int) -> datetime:
    """Return the so-manieth date of a crontab back from now; a crontab without dates is never late."""
    zone = schedule_times.zone_of(connector)
    dates = croniter(schedule.cron, now.astimezone(zone).replace(tzinfo=None))
    try:
        local: datetime = [dates.get_prev(datetime) for _ in range(periods)][-1]
    except CroniterBadDateError:
        return connector.created_at
    return local.replace(tzinfo=zone).astimezone(UTC)


def _is_worked_on(session: Session, now: datetime, connector_id: int) -> bool:
    query = select(Run.id).where(
        Run.connector_id == connector_id, Run.state == RunState.RUNNING, Run.kind != RunKind.REPLAY
    )
    return session.scalar(query.where(Run.leased_until > now).limit(1)) is not None


def run_failed(session: Session, now: datetime, connector_id: int, opened: Alert | None) -> Finding | None:
    """Return a finding when the newest run of a kind failed and no later full one went well."""
    begin = min(now, opened.since if opened else now) - LOOKBACK
    newest = (
        select(func.max(Run.id))
        .where(Run.connector_id == connector_id, Run.created_at >= begin, Run.ended_at.is_not(None))
        .group_by(Run.kind)
    )
    rows = session.scalars(select(Run).where(Run.id.in_(newest)).order_by(Run.id)).all()
    well = max((run.id for run in rows if run.kind in _WIDE and run.state == RunState.COMPLETED), default=0)
    failed = [run for run in rows if run.state == RunState.FAILED and run.id > well]
    if not failed:
        return None
    sentence = f"The last {failed[-1].kind} run failed: {failed[-1].error or 'nobody knows why.'}"
    return Finding("run_failed", sentence, "Resume it on its page, or start a new one.", failed[-1].ended_at)
