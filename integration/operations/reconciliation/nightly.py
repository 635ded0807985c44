"""Begins a reconciliation of each connector once a night, by the store's own clock."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from integration.models.connector import Connector, ConnectorState
from integration.models.drift import Reconciliation
from integration.operations.reconciliation import lifecycle
from integration.pipeline.connectors.time_zones import zone_of
from integration.pipeline.services import Services

#: The hour of the store's clock after which it may begin.
HOUR = 3
TRIGGER = "nightly"
#: One that is older is from before last night in any case.
LOOKED_BACK = timedelta(days=2)


def begin(services: Services) -> int:
    """Start what is due and return how many; connectors whose first import is not done yet are left alone."""
    now = services.clock.now()
    lately = Reconciliation.connector_id == Connector.id, Reconciliation.created_at >= now - LOOKED_BACK
    last = select(func.max(Reconciliation.created_at)).where(*lately).correlate(Connector).scalar_subquery()
    query = select(Connector, last).where(
        Connector.state == ConnectorState.ACTIVE,
        Connector.initial_done_at.is_not(None),
        Connector.store_url != "",
        Connector.mautic_url != "",
    )
    with services.db.read() as session:
        rows = session.execute(query).tuples().all()
    return sum(_start(services, connector.id) for connector, at in rows if is_due(services, connector, at, now))


def is_due(services: Services, connector: Connector, last_at: datetime | None, now: datetime) -> bool:
    """Tell whether the last one, or else the first import, is from before the latest three o'clock in the morning."""
    here = now.astimezone(zone_of(connector, services.deployment.timezone))
    three = here.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    if here < three:
        three -= timedelta(days=1)
    since = last_at or connector.initial_done_at
    return since is not None and since < three


def _start(services: Services, connector_id: int) -> int:
    try:
        lifecycle.start(services, connector_id, TRIGGER)
    except lifecycle.ReconciliationGoing:
        return 0
    return 1
