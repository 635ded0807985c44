"""Looks by the clock whether a held store answers again: between polls, and with polling off, nobody else does."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from integration.errors import NotNow, ServiceError
from integration.models.connector import Connector, ConnectorState
from integration.models.hold import Hold
from integration.models.run import SYNCS, Run, RunKind, among_going
from integration.models.schedule import Schedule
from integration.pipeline.connectors import holds
from integration.pipeline.connectors.connectors import INCREMENTAL
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from integration.store import hidden_addresses
from integration.store.access import SERVICE

log = logging.getLogger(__name__)

EVERY_S = 10


def tick(services: Services) -> int:
    """Look at the held stores whose next try is due and return how many answer again; what waits for them is read.

    A paused connector is left alone, and a store that a run is reading sees to it itself.
    """
    now = services.clock.now()
    with services.db.read() as session:
        due = [(hold, session.get_one(Connector, hold.connector_id)) for hold in session.scalars(_due(now))]
    return sum(_look(services, hold, connector) for hold, connector in due if _take(services, hold, now))


def _due(now: datetime):  # type: ignore[no-untyped-def]  # a Select whose type names nothing a reader needs
    active = (Connector.state == ConnectorState.ACTIVE) & (Connector.store_url != "")
    reads = exists(among_going(select(Run.id).where(Run.connector_id == Hold.connector_id, Run.kind.in_(SYNCS))))
    mine = (Hold.service == SERVICE) & Hold.released_at.is_(None) & (Hold.probe_at <= now)
    return select(Hold).join(Connector, Connector.id == Hold.connector_id).where(mine, active, ~reads).order_by(Hold.id)


def _take(services: Services, hold: Hold, now: datetime) -> bool:
    with services.db.write() as session:
        return holds.take_probe(session, now, hold)


def _look(services: Services, hold: Hold, connector: Connector) -> bool:
    """Make one cheap read; what it says ends the hold, or renews it with a later try."""
    try:
        hidden_addresses.look(services.open_store(connector))
    except ServiceError as error:
        log.info("The store of connector %d does not answer yet: %s", connector.id, error)
        with services.db.write() as session:
            holds.hold(session, services.clock.now(), connector.id, error, probed=True)
        return False
    with services.db.write() as session:
        holds.release(session, services.clock.now(), connector.id, SERVICE)
        polls = _polls(session, connector.id)
    services.breakers.of(connector.id, SERVICE).close()
    if polls:
        _read(services, connector.id)
    return True


def _polls(session: Session, connector_id: int) -> bool:
    row = session.get(Schedule, (connector_id, INCREMENTAL))
    return row is not None and bool(row.every or row.cron)


def _read(services: Services, connector_id: int) -> None:
    """Read at once what has changed meanwhile, rather than at the next poll."""
    try:
        run_lifecycle.start(services, connector_id, RunKind.INCREMENTAL, trigger="the store answers again")
    except NotNow as error:
        log.info("No run of connector %d was started: %s", connector_id, error)
