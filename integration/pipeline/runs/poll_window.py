"""From when on changed orders are read: from where the last read began, by the store's clock, and some time before."""

from __future__ import annotations

from datetime import datetime, timedelta

from integration.models.connector import Connector
from integration.store.dates import lenient
from integration.store.windows import Window

#: Each read begins so much earlier than the last one did: the clock that PHP dates orders by may be minutes behind the
#: Date header of the web server, and an order may show up later than it is dated. What is met again is told by its
#: identity and dropped.
OVERLAP = timedelta(minutes=10)
ORDERS, PREVIOUS = "orders", "previous"


def window(connector: Connector, which: str = ORDERS) -> Window:
    """Return the window of a read; what happened before the connector was made is an import's."""
    return Window(max(_stored(connector, which) - OVERLAP, connector.created_at), None)


def moved(connector: Connector, began: datetime) -> dict[str, str]:
    """Return the cursors after a read that began then; the trash still reads from where the one before began."""
    return {PREVIOUS: _stored(connector, ORDERS).isoformat(), ORDERS: began.isoformat()}


def _stored(connector: Connector, which: str) -> datetime:
    stored = connector.cursors.get(which) or connector.cursors.get(ORDERS)
    return lenient(stored) or connector.created_at
