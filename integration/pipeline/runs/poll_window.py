"""From when on the store is read: from where the last read began, by the store's clock, and some time before."""

from __future__ import annotations

from datetime import datetime, timedelta

from integration.mapping import triggers
from integration.models.connector import Connector
from integration.store.dates import lenient
from integration.store.windows import Window
from integration.streams.carts import ANNOUNCE_WITHIN

#: Each read begins so much earlier than the last one did: the clock that PHP dates orders by may be minutes behind the
#: Date header of the web server, and an order may show up later than it is dated. What is met again is told by its
#: identity and dropped.
OVERLAP = timedelta(minutes=10)
ORDERS, PREVIOUS, DRAFTS, RECURRING = "orders", "previous", "drafts", "recurring"


def window(connector: Connector, which: str = ORDERS) -> Window:
    """Return the window of a read; what happened before the connector was made is an import's."""
    return Window(max(_stored(connector, which) - OVERLAP, connector.created_at), None)


def of_drafts(connector: Connector) -> Window:
    """Return the window of unfinished orders: none that was too old to be announced when that was switched on."""
    began = (triggers.since(triggers.CARTS, connector.triggers) or connector.created_at) - ANNOUNCE_WITHIN
    read = lenient(connector.cursors.get(DRAFTS))
    return Window(max(read - OVERLAP, began) if read else began, None)


def of_recurring(connector: Connector) -> Window:
    """Return the window of subscriptions: from the beginning as long as none were read, so that switching on is all."""
    read = lenient(connector.cursors.get(RECURRING))
    return Window(read - OVERLAP, None) if read else Window()


def moved(connector: Connector, began: datetime) -> dict[str, str]:
    """Return the cursors after a read that began then; the trash still reads from where the one before began."""
    return {PREVIOUS: _stored(connector, ORDERS).isoformat(), ORDERS: began.isoformat()}


def _stored(connector: Connector, which: str) -> datetime:
    stored = connector.cursors.get(which) or connector.cursors.get(ORDERS)
    return lenient(stored) or connector.created_at
