"""What waits while a cause lasts, and what was caught up after it."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.models.alert import Alert
from integration.models.connector import Connector
from integration.models.delivery import Delivery
from integration.models.sql import by_index
from integration.operations.monitoring.alerts.finding import COMMON
from integration.operations.monitoring.alerts.wording import WAITING
from integration.pipeline import outbox
from integration.pipeline.outbox.states import OPEN, OPEN_INDEX


def waiting(session: Session, alert: Alert) -> int:
    """Return how many records wait to be sent because of an alert."""
    if alert.cause not in WAITING:
        return 0
    return sum(outbox.open_count(session, connector_id=number) for number in _concerned(session, alert))


def after(session: Session, alert: Alert) -> tuple[int, int]:
    """Return how many records waited when an alert ended, and how many of these still wait."""
    if alert.cause not in WAITING or alert.ended_at is None:
        return 0, 0
    left = done = 0
    for number in _concerned(session, alert):
        still = select(func.count()).select_from(Delivery).where(OPEN, Delivery.connector_id == number)
        begun = still.where(Delivery.created_at <= alert.ended_at)
        left += session.scalar(by_index(begun, Delivery, OPEN_INDEX)) or 0
        done += _settled_since(session, alert, number)
    return left + done, left


def _settled_since(session: Session, alert: Alert, connector_id: int) -> int:
    mine = select(func.count()).select_from(Delivery).where(Delivery.connector_id == connector_id)
    begun = Delivery.created_at <= alert.ended_at
    settled = Delivery.settled_at >= alert.ended_at
    return session.scalar(by_index(mine.where(begun, settled), Delivery, "ix_delivery_settled")) or 0


def _concerned(session: Session, alert: Alert) -> list[int]:
    if alert.cause not in COMMON:
        return [alert.connector_id]
    organisation = select(Connector.organisation_id).where(Connector.id == alert.connector_id).scalar_subquery()
    return list(session.scalars(select(Connector.id).where(Connector.organisation_id == organisation)))
