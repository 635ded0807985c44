"""The outbox of messages: a row for each message to a group, written together with its alert."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from integration.models.alert import Alert, AlertGroup, AlertNotice
from integration.models.connector import Connector
from integration.operations.monitoring.alerts import backlog, groups, wording
from integration.operations.monitoring.alerts.wording import Message
from integration.pipeline.services import Services

RAISED, RECOVERED, DIGEST, TEST = "raised", "recovered", "digest", "test"
#: What ends and begins again within this time is one alert, so nobody is told before that it has ended.
FLAPPING = timedelta(minutes=10)
#: Summaries and test messages are kept so long; the others go with their alert.
SUMMARIES_KEPT = timedelta(days=30)

#: Whom an alert is to be told to: the group and the way.
Owed = tuple[AlertGroup, str]


def owed(session: Session, alerts: Iterable[Alert], connector: Connector) -> dict[int, list[Owed]]:
    """Return whom each of these open alerts of a connector was not told to yet, by the alert's id."""
    everybody = groups.of(session, connector.organisation_id)
    ids = [alert.id for alert in alerts]
    rows = select(AlertNotice.alert_id, AlertNotice.alert_group_id, AlertNotice.way)
    told = set(session.execute(rows.where(AlertNotice.alert_id.in_(ids), AlertNotice.what == RAISED)).tuples())
    return {
        alert.id: [(group, way) for group, way in _wanted(everybody, alert) if (alert.id, group.id, way) not in told]
        for alert in alerts
    }


def _wanted(everybody: Sequence[AlertGroup], alert: Alert) -> Iterator[Owed]:
    for group in everybody:
        if groups.wants(group, alert.connector_id, alert.cause):
            yield from ((group, way) for way in groups.ways(group))


def tell_raised(services: Services, session: Session, alert: Alert, connector: Connector, whom: Sequence[Owed]) -> None:
    """Owe the news of an open alert to these groups, in the caller's transaction."""
    now = services.clock.now()
    message = wording.raised(services, alert, connector, backlog.waiting(session, alert))
    for group, way in whom:
        session.add(notice(now, group.id, way, RAISED, message, alert_id=alert.id))


def tell_recovered(services: Services, session: Session, alert: Alert, connector: Connector) -> None:
    """Owe the news of an alert's end to everybody who was or will be told of it, once it has lasted."""
    now = services.clock.now()
    message = wording.recovered(services, alert, connector)
    query = select(AlertNotice).where(
        AlertNotice.alert_id == alert.id, AlertNotice.what == RAISED, AlertNotice.given_up_at.is_(None)
    )
    for told in session.scalars(query).all():
        row = notice(now, told.alert_group_id, told.way, RECOVERED, message, alert_id=alert.id)
        row.due_at = now + FLAPPING
        session.add(row)


def take_back_recovered(session: Session, alert: Alert) -> None:
    """Owe the news of an alert's end no more: it has begun again."""
    ended = (AlertNotice.alert_id == alert.id, AlertNotice.what == RECOVERED, AlertNotice.sent_at.is_(None))
    session.execute(delete(AlertNotice).where(*ended))


def tell_test(services: Services, session: Session, group: AlertGroup) -> int:
    """Owe a test message to a group and return in how many ways."""
    message = wording.trial(services, group.name)
    found = groups.ways(group)
    session.add_all([notice(services.clock.now(), group.id, way, TEST, message) for way in found])
    return len(found)


def notice(
    now: datetime, group_id: int, way: str, what: str, message: Message, *, alert_id: int | None = None
) -> AlertNotice:
    """Return a row of the outbox, to be sent at once."""
    return AlertNotice(
        alert_group_id=group_id,
        alert_id=alert_id,
        what=what,
        way=way,
        subject=message.subject,
        body=message.body,
        created_at=now,
        due_at=now,
        attempts=0,
    )


def purge(session: Session, now: datetime, group_id: int) -> None:
    """Delete a group's old summaries and test messages."""
    old = (
        AlertNotice.alert_id.is_(None),
        AlertNotice.created_at < now - SUMMARIES_KEPT,
        AlertNotice.alert_group_id == group_id,
    )
    session.execute(delete(AlertNotice).where(*old))


def recent(session: Session, group_ids: Sequence[int], limit: int = 20) -> Sequence[AlertNotice]:
    """Return the newest messages of these groups, newest first."""
    query = select(AlertNotice).where(AlertNotice.alert_group_id.in_(group_ids))
    return session.scalars(query.order_by(AlertNotice.id.desc()).limit(limit)).all()
