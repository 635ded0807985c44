"""The store's clock: what it dated while it was ahead looks newer than what happens after it was set back.

Until that future has come, a sighting dated in it is older than any that is dated before it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from integration.models.connector import Connector
from integration.store.dates import lenient

#: Where a connector keeps up to when a clock of its store that was set back since had dated records.
DATED_UNTIL = "dated_until"
#: Where it keeps by how many seconds the store's clock was ahead of ours at the last read of orders.
ORDERS_AHEAD = "orders_ahead_s"
#: PHP may date a record so much later than the web server signs its answers.
CLOCKS_DIFFER = timedelta(minutes=5)


def dated_until(connector: Connector) -> datetime | None:
    """Return up to when a clock of the store that was set back since had dated records, None where none was."""
    return lenient(connector.cursors.get(DATED_UNTIL))


def future(session: Session, now: datetime, connector_id: int) -> datetime | None:
    """Return where the store's future begins while it holds dates of a clock set back since, None while it does not."""
    connector = session.get(Connector, connector_id)
    until = dated_until(connector) if connector is not None else None
    if connector is None or until is None:
        return None
    begins = now + timedelta(seconds=int(connector.cursors.get(ORDERS_AHEAD) or 0)) + CLOCKS_DIFFER
    return begins if begins < until else None


def is_older(at: datetime | None, known: datetime | None, future: datetime | None) -> bool:
    """Return whether a sighting of a record dated `at` is older than one dated `known`; no date is never older.

    `future` is what `future()` has returned.
    """
    if at is None or known is None or at >= known:
        return False
    return future is None or not at <= future < known
