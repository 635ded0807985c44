"""Reads orders that nobody has placed or paid yet; shops that do not know the status of drafts give the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from integration.errors import ServiceError
from integration.mapping.cart_orders import UNFINISHED
from integration.mapping.orders import DRAFTS
from integration.models.connector import Connector
from integration.pipeline.connectors import store_profile
from integration.pipeline.services import Services
from integration.store import reading
from integration.store.client import StoreClient
from integration.store.unfinished import FIELDS
from integration.store.windows import Window

#: Where a connector keeps the version of the shop that refused the status of drafts: a newer one is asked again.
NO_DRAFTS = "no_drafts"


def pages(
    services: Services,
    connector: Connector,
    client: StoreClient,
    window: Window,
    start: Mapping[str, Any] | None,
    per_page: int,
) -> Iterator[reading.Page]:
    """Yield pages of what changed in a window; raises ServiceError as reading.read_orders does.

    An older shop, or one without the block checkout, answers 400 for drafts: that is remembered and is no error.
    """
    statuses = _statuses(connector)
    try:
        yield from reading.read_orders(
            client, statuses=statuses, window=window, fields=FIELDS, start=start, per_page=per_page
        )
    except ServiceError as error:
        if DRAFTS[0] not in statuses or not store_profile.refuses_status(error):
            raise
        _remember(services, connector)
        yield from reading.read_orders(
            client, statuses=_statuses(connector), window=window, fields=FIELDS, per_page=per_page
        )


def _statuses(connector: Connector) -> tuple[str, ...]:
    known = connector.cursors.get(NO_DRAFTS)
    refused = known is not None and known == _version(connector)
    return tuple(status for status in UNFINISHED if not refused or status not in DRAFTS)


def _version(connector: Connector) -> str:
    return str(connector.store_facts.get("version") or "")


def _remember(services: Services, connector: Connector) -> None:
    with services.db.write() as session:
        row = session.get_one(Connector, connector.id)
        row.cursors = {**row.cursors, NO_DRAFTS: _version(connector)}
        connector.cursors = row.cursors
