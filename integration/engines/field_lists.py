"""Keeps each connector's list of Mautic's fields recent by the clock, so that no delivery has to wait for it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.engines.schedule import take_turn
from integration.errors import ServiceError
from integration.mautic.answers import SERVICE
from integration.models.connector import Connector, ConnectorState
from integration.pipeline.connectors import field_list, holds
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

JOB = "fields"
#: How often it is looked whose list is old; a list that could not be read is tried again after as long.
EVERY_S = 60
EVERY = timedelta(seconds=EVERY_S)


def tick(services: Services) -> int:
    """Read the lists of the active connectors that are too old and return how many were read.

    A connector without a list gets its first one from its first delivery, and none is read while Mautic is held.
    """
    now = services.clock.now()
    query = select(Connector).where(Connector.state == ConnectorState.ACTIVE, Connector.mautic_url != "")
    with services.db.read() as session:
        old = [each for each in session.scalars(query) if _is_old(services, session, each, now)]
    return sum(_read(services, each) for each in old if take_turn(services, each.id, JOB, EVERY, now))


def _is_old(services: Services, session: Session, connector: Connector, now: datetime) -> bool:
    if not connector.fields or field_list.is_recent(connector, services.modules(connector), now):
        return False
    return holds.current(session, connector.id, SERVICE) is None


def _read(services: Services, connector: Connector) -> bool:
    try:
        field_list.refresh(services, connector, services.open_mautic(connector, obeys=True))
    except ServiceError as error:
        log.info("The list of fields of connector %d could not be read: %s", connector.id, error)
        return False
    return True
