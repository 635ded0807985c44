"""Once a day, each connector's coupons of carts that are over leave its store (P61); carts go by retention."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import select

from integration.carts.cleanup import delete_coupons
from integration.engines.schedule import take_turn
from integration.errors import IntegrationError
from integration.models.connector import Connector, ConnectorState
from integration.pipeline.services import Services

log = logging.getLogger(__name__)

JOB = "cart_coupons"
#: How often it is looked whose day is over.
LOOK_EVERY_S = 600
DAY = timedelta(days=1)


def tick(services: Services) -> int:
    """Clean up after the active connectors whose last time is a day ago; return how many carts lost their coupon."""
    now = services.clock.now()
    query = select(Connector).where(Connector.state == ConnectorState.ACTIVE, Connector.store_url != "")
    with services.db.read() as session:
        connectors = list(session.scalars(query))
    return sum(_clean(services, each) for each in connectors if take_turn(services, each.id, JOB, DAY, now))


def _clean(services: Services, connector: Connector) -> int:
    try:
        return delete_coupons(services, connector)
    except IntegrationError as error:
        log.info("The coupons of connector %d could not be cleaned up, they are tomorrow: %s", connector.id, error)
        return 0
