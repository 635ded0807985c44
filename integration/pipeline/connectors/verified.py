"""What is known to work: a side of a connector that has answered with the credentials that are saved.

That a store has answered shows in its REST root, that Mautic has in its list of fields: both are learned by the first
good call and forgotten with other credentials. A passed connection test learns them at once.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from integration.errors import IntegrationError
from integration.models.connector import Connector
from integration.pipeline.connectors import field_list, holds, store_profile
from integration.pipeline.services import Services

_LOG = logging.getLogger(__name__)


def store_works(connector: Connector) -> bool:
    """Return whether the store has answered at the address and with the key that are saved."""
    return bool(connector.store_rest_root)


def mautic_works(connector: Connector) -> bool:
    """Return whether Mautic has answered at the address and with the credentials that are saved."""
    return connector.fields_at is not None


def keep(services: Services, connector_id: int, sides: Collection[str]) -> None:
    """Keep what a passed test of sides ("store", "mautic") shows, and let what held them look again at once."""
    with services.db.read() as session:
        connector = session.get_one(Connector, connector_id)
    for side in sides:
        _learn(services, connector, side)
        with services.db.write() as session:
            holds.probe_now(session, services.clock.now(), connector_id, side)
    if sides:
        services.wakeup.ring(connector_id)


def _learn(services: Services, connector: Connector, side: str) -> None:
    """Ask for what the first sync would ask for; the test has passed, so that a failure now is the sync's to tell."""
    try:
        if side == "store":
            store_profile.refresh(services, connector, always=True)
        else:
            field_list.look(services, connector)
    except IntegrationError as error:
        _LOG.info("After a passed test of the %s: %s", side, error, extra={"connector": connector.id})
