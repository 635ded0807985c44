"""How changed customers are found: the API has no window of modification for them."""

from __future__ import annotations

from datetime import datetime, timedelta

from integration.events import content_hash
from integration.models.connector import Connector
from integration.store.dates import lenient
from integration.store.rows import Row

#: A larger list is gone through once an hour only, webhooks bring the rest.
SMALL_LIST = 2000
CUSTOMERS_EVERY = timedelta(hours=1)
_VERSION_MAX_CHARS = 64


def version(row: Row) -> str:
    """Return what tells that a customer changed: date_modified_gmt, or the index row's hash while there is none."""
    stamp = row.get("date_modified_gmt")
    return str(stamp)[:_VERSION_MAX_CHARS] if lenient(stamp) else content_hash([row.get("id"), row.get("email")])


def due(connector: Connector, now: datetime) -> bool:
    """Tell whether the list of customers is to be gone through again."""
    total = int(connector.cursors.get("customers_total") or 0)
    last = connector.cursors.get("customers")
    # A moment in the future is from before the clock was set back.
    return total <= SMALL_LIST or not last or abs(now - datetime.fromisoformat(last)) > CUSTOMERS_EVERY
