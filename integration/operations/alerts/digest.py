"""The daily summary: what happened in 24 hours, what is wrong, and what waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.orm import Session

from integration.models.alert import AlertGroup
from integration.models.connector import Connector
from integration.operations.alerts import book
from integration.operations.alerts import groups
from integration.operations.alerts import notices
from integration.operations.alerts import wording
from integration.operations.alerts.finding import CAUSES
from integration.operations.alerts.wording import PRODUCT
from integration.operations.alerts.wording import Message
from integration.operations.reconciliation.nightly import zone_of
from integration.pipeline import deadletters
from integration.pipeline import meter
from integration.pipeline import outbox
from integration.pipeline.ports import Ports

#: The hour of the shop's clock at which it is written.
HOUR = 7
DAY = timedelta(hours=24)


def write_due(ports: Ports) -> int:
    """Write the summaries that are due to the outbox and return how many; one a group, however many were missed."""
    now = ports.clock.now()
    due = select(AlertGroup).where(AlertGroup.digest.is_(True), AlertGroup.digest_at <= now)
    with ports.db.read() as session:
        rows = session.scalars(due).all()
    return sum(_write(ports, row.id, row.digest_at) for row in rows)


def _write(ports: Ports, group_id: int, due: datetime | None) -> int:
    now = ports.clock.now()
    with ports.db.write() as session:
        group = session.get(AlertGroup, group_id)
        if group is None or not _move(ports, session, group, due):
            return 0
        message = text(ports, session, group)
        notices.purge(session, now, group.id)
        session.add_all([notices.notice(now, group.id, way, notices.DIGEST, message) for way in groups.ways(group)])
        return 1


def _move(ports: Ports, session: Session, group: AlertGroup, due: datetime | None) -> bool:
    """Move the group's summary on to the next day; True for the one process that did."""
    statement = update(AlertGroup).where(AlertGroup.id == group.id, AlertGroup.digest_at == due)
    following = next_at(ports, session, group)
    moved = session.execute(
        statement.values(digest_at=following).execution_options(synchronize_session=False),
    )
    return bool(moved.rowcount)  # type: ignore[attr-defined]  # an UPDATE returns a CursorResult


def next_at(ports: Ports, session: Session, group: AlertGroup) -> datetime:
    """Return the next seven o'clock in the time zone of the group's connectors, else of the deployment."""
    zone = _zone(ports, connectors_of(session, group))
    here = ports.clock.now().astimezone(zone)
    seven = here.replace(hour=HOUR, minute=0, second=0, microsecond=0, fold=0)
    return (seven if seven > here else seven + timedelta(days=1)).astimezone(UTC)


def _zone(ports: Ports, connectors: Sequence[Connector]) -> ZoneInfo:
    zones = {zone_of(each, ports.deployment.timezone).key for each in connectors}
    return ZoneInfo(zones.pop() if len(zones) == 1 else ports.deployment.timezone)


def connectors_of(session: Session, group: AlertGroup) -> Sequence[Connector]:
    """Return the connectors that a group is told of, by name."""
    query = select(Connector).where(Connector.organisation_id == group.organisation_id)
    if group.connector_ids:
        query = query.where(Connector.id.in_(group.connector_ids))
    return session.scalars(query.order_by(Connector.name, Connector.id)).all()


def text(ports: Ports, session: Session, group: AlertGroup) -> Message:
    """Return a group's summary of the last 24 hours."""
    connectors = connectors_of(session, group)
    parts = [_part(ports, session, each) for each in connectors]
    wrong = sum(len(book.open_alerts(session, each.id)) for each in connectors)
    state = "all is well" if not wrong else "1 alert is open" if wrong == 1 else f"{wrong:,} alerts are open"
    body = "\n\n".join([*(parts or ["There is no connector."]), f"Alerts: {wording.address(ports, 'alerts')}"])
    return Message(f"[{PRODUCT}] Daily summary: {state}", body)


def _part(ports: Ports, session: Session, connector: Connector) -> str:
    now = ports.clock.now()
    sums = meter.since(session, connector.id, now - DAY)
    waiting = outbox.open_count(session, connector_id=connector.id)
    lines = [
        f"{connector.name}, {wording.address(ports, f'connectors/{connector.id}/')}",
        f"- In 24 hours: {sums.pulled:,} records read, {sums.pushed:,} written to Mautic, {sums.skipped:,} skipped, "
        f"{sums.failed:,} failed, {sums.mautic_calls:,} calls to Mautic.",
        f"- Waiting to be sent: {waiting:,}. Dead letters: {deadletters.waiting(session, connector.id):,}.",
    ]
    for alert in book.open_alerts(session, connector.id):
        since = wording.moment(ports, connector, alert.since)
        lines.append(f"- {CAUSES.get(alert.cause, alert.cause)}: {alert.sentence} Since {since}.")
    return "\n".join(lines)
