"""The daily summary: what happened in 24 hours, what is wrong, and what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from integration.models.alert import AlertGroup
from integration.models.connector import Connector
from integration.models.sql import swapped
from integration.operations.monitoring.alerts import book, groups, notices, wording
from integration.operations.monitoring.alerts.finding import CAUSES
from integration.operations.monitoring.alerts.wording import PRODUCT, Message
from integration.pipeline import outbox, usage
from integration.pipeline.connectors.time_zones import zone_of
from integration.pipeline.services import Services
from integration.queries import dead_letters
from integration.words import counted

#: The hour of the shop's clock at which it is written.
HOUR = 7
DAY = timedelta(hours=24)


def write_due(services: Services) -> int:
    """Write the summaries that are due to the outbox and return how many; one a group, however many were missed."""
    now = services.clock.now()
    due = select(AlertGroup).where(AlertGroup.digest.is_(True), AlertGroup.digest_at <= now)
    with services.db.read() as session:
        rows = session.scalars(due).all()
    return sum(_write(services, row.id, row.digest_at) for row in rows)


def _write(services: Services, group_id: int, due: datetime | None) -> int:
    now = services.clock.now()
    with services.db.write() as session:
        group = session.get(AlertGroup, group_id)
        if group is None or not _move(services, session, group, due):
            return 0
        message = text(services, session, group)
        notices.purge(session, now, group.id)
        session.add_all([notices.notice(now, group.id, way, notices.DIGEST, message) for way in groups.ways(group)])
        return 1


def _move(services: Services, session: Session, group: AlertGroup, due: datetime | None) -> bool:
    """Move the group's summary on to the next day; True for the one process that did."""
    statement = update(AlertGroup).where(AlertGroup.id == group.id, AlertGroup.digest_at == due)
    following = next_at(services, session, group)
    moved = swapped(
        session,
        statement.values(digest_at=following).execution_options(synchronize_session=False),
    )
    return bool(moved)


def next_at(services: Services, session: Session, group: AlertGroup) -> datetime:
    """Return the next seven o'clock in the time zone of the group's connectors, else of the deployment."""
    zone = _zone(services, connectors_of(session, group))
    here = services.clock.now().astimezone(zone)
    seven = here.replace(hour=HOUR, minute=0, second=0, microsecond=0, fold=0)
    return (seven if seven > here else seven + timedelta(days=1)).astimezone(UTC)


def _zone(services: Services, connectors: Sequence[Connector]) -> ZoneInfo:
    zones = {zone_of(each, services.deployment.timezone).key for each in connectors}
    return ZoneInfo(zones.pop() if len(zones) == 1 else services.deployment.timezone)


def connectors_of(session: Session, group: AlertGroup) -> Sequence[Connector]:
    """Return the connectors that a group is told of, by name."""
    query = select(Connector).where(Connector.organisation_id == group.organisation_id)
    if group.connector_ids:
        query = query.where(Connector.id.in_(group.connector_ids))
    return session.scalars(query.order_by(Connector.name, Connector.id)).all()


def text(services: Services, session: Session, group: AlertGroup) -> Message:
    """Return a group's summary of the last 24 hours."""
    connectors = connectors_of(session, group)
    parts = [_part(services, session, each) for each in connectors]
    wrong = sum(len(book.open_alerts(session, each.id)) for each in connectors)
    state = counted(wrong, "alert is open", "alerts are open") if wrong else "all is well"
    body = "\n\n".join([*(parts or ["There is no connector."]), f"Alerts: {wording.address(services, 'alerts')}"])
    return Message(f"[{PRODUCT}] Daily summary: {state}", body)


def _part(services: Services, session: Session, connector: Connector) -> str:
    now = services.clock.now()
    sums = usage.since(session, connector.id, now - DAY)
    waiting = outbox.open_count(session, connector_id=connector.id)
    lines = [
        f"{connector.name}, {wording.address(services, f'connectors/{connector.id}/')}",
        f"- In 24 hours: {sums.pulled:,} records read, {sums.pushed:,} written to Mautic, {sums.skipped:,} skipped, "
        f"{sums.failed:,} failed, {sums.mautic_calls:,} calls to Mautic.",
        f"- Waiting to be sent: {waiting:,}. Dead letters: {dead_letters.waiting(session, connector.id):,}.",
    ]
    for alert in book.open_alerts(session, connector.id):
        since = wording.moment(services, connector, alert.since)
        lines.append(f"- {CAUSES.get(alert.cause, alert.cause)}: {alert.sentence} Since {since}.")
    return "\n".join(lines)
