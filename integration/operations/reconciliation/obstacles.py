"""What a reconciliation waits for: a connection that is missing or held, and shoppers' changes, which come first."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.models.delivery import LIVE, Delivery
from integration.pipeline.connectors import holds
from integration.pipeline.services import Services

_LIVE = (
    select(Delivery.id)
    .where(
        Delivery.connector_id == bindparam("of_connector"),
        Delivery.state == literal_column("'ready'"),
        Delivery.priority == LIVE,
        Delivery.due_at <= bindparam("now"),
    )
    .limit(1)
)


def obstacle(session: Session, connector: Connector) -> str:
    """Return why the comparison has to wait, "" when it can go on."""
    if not connector.store_url or not connector.mautic_url:
        return "It waits: store and Mautic must both be connected first."
    held = holds.current(session, connector.id, "mautic")
    return f"It waits: {held.sentence}" if held else ""


def probes_store(services: Services, connector_id: int) -> bool:
    """Return whether this comparison is the one to see if a held store works again: no run may be coming to do so."""
    with services.db.write() as session:
        held = holds.current(session, connector_id, "store")
        taken = held is not None and holds.take_probe(session, services.clock.now(), held)
    if taken:
        services.breakers.of(connector_id, "store").close()
    return taken


def store_held(services: Services, connector_id: int) -> str:
    """Return why the store cannot be read now, "" when it can."""
    with services.db.read() as session:
        held = holds.current(session, connector_id, "store")
    return f"It waits: {held.sentence}" if held else ""


def release_store(services: Services, connector_id: int) -> None:
    """End the hold of a store that was read again."""
    with services.db.write() as session:
        holds.release(session, services.clock.now(), connector_id, "store")


def live_waits(session: Session, connector_id: int, now: datetime) -> bool:
    """Tell whether a change that a shopper has just made waits to be sent."""
    return session.scalar(_LIVE, {"of_connector": connector_id, "now": now}) is not None
