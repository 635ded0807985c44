"""Reads unsubscribes and bounces back from Mautic, as often as the connector reads its store (X10)."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.engines.schedule import take_turn
from integration.errors import IntegrationError
from integration.mautic.answers import SERVICE
from integration.models.connector import Connector, ConnectorState
from integration.models.schedule import Schedule
from integration.pipeline.connectors import holds
from integration.pipeline.connectors.connectors import INCREMENTAL
from integration.pipeline.consents import unsubscribes, write_back
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

JOB = "unsubscribes"
#: How often it is looked whose turn it is; nobody is read more often than so many seconds.
LOOK_EVERY_S = 60
EVERY_MIN = timedelta(minutes=5)


def tick(services: Services) -> int:
    """Read for the active connectors whose turn it is and return how many people something was told of.

    While Mautic is held nothing is read. Where the store is read by a crontab, or not at all, it is every five minutes.
    """
    now = services.clock.now()
    query = select(Connector).where(Connector.state == ConnectorState.ACTIVE, Connector.mautic_url != "")
    with services.db.read() as session:
        wanted = [each for each in session.scalars(query) if services.modules(each).consent.reads_back]
        due = [(each, _every(session, each)) for each in wanted if _may(session, each)]
    return sum(_read(services, each) for each, every in due if take_turn(services, each.id, JOB, every, now))


def _may(session: Session, connector: Connector) -> bool:
    return holds.current(session, connector.id, SERVICE) is None


def _every(session: Session, connector: Connector) -> timedelta:
    row = session.get(Schedule, (connector.id, INCREMENTAL))
    return max(EVERY_MIN, timedelta(seconds=row.every)) if row is not None and not row.cron else EVERY_MIN


def _read(services: Services, connector: Connector) -> int:
    found = 0
    try:
        found = unsubscribes.read(services, connector)
        write_back.write(services, connector)
    except IntegrationError as error:
        log.info("Unsubscribes of connector %d wait for the next time: %s", connector.id, error)
    return found
