"""Tells whether a sighting of an order is an event: it reached its status just now, and is not history (P39, P40).

The order ledger says in which status an order was seen before. Asked before the ledger takes the new sighting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from integration.events import HISTORICAL, Change, Origin
from integration.mapping import status_dates
from integration.models.connector import Connector
from integration.models.ledger import LedgerEntry
from integration.models.membership import among
from integration.pipeline.ingest import store_clock
from integration.pipeline.ingest.order_ledger import GONE
from integration.records import Order
from integration.settings import Modules

#: A status that was reached longer ago than this when it was seen is history: nobody waits for its e-mail any more.
RECENT = timedelta(hours=48)
#: A difference of clocks that is smaller may be the time that the answer took.
AHEAD_MIN_S = 60
#: Where a connector keeps by how many seconds the store's clock is ahead of ours.
AHEAD = "ahead_s"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


_KNOWN = select(LedgerEntry.order_id, LedgerEntry.status, LedgerEntry.modified_at, LedgerEntry.reached_at).where(
    LedgerEntry.connector_id == bindparam("connector_id"), among(LedgerEntry.order_id, bindparam("ids"))
)


@dataclass(frozen=True, slots=True)
class Known:
    """An order as the ledger had it; `reached_at` is an event that no live change carries yet."""

    status: str
    modified_at: datetime | None
    reached_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """What a connector can know of its store.

    It knows of every change up to `complete_until`, by the store's clock, which is `ahead` of ours. `future` is that
    of store_clock.
    """

    began_at: datetime
    complete_until: datetime
    ahead: timedelta = timedelta(0)
    future: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Events by (order id, status), and by order id those that wait in the ledger for a live change."""

    reached: Mapping[tuple[int, str], datetime] = field(default_factory=dict)
    unclaimed: Mapping[int, datetime] = field(default_factory=dict)

    def dated(self, change: Change, order: Order | None) -> Change:
        """Return a change of an order with the moment of its event; what history brings has the store's date."""
        if order is None:
            return change
        if change.origin in HISTORICAL:
            return replace(change, reached_at=status_dates.any_known(order) or change.seen_at)
        return replace(change, reached_at=self.reached.get((order.id, order.status)))


def find(
    session: Session,
    now: datetime,
    connector_id: int,
    orders: Sequence[Order],
    origin: Origin,
    restored: Sequence[int] = (),
) -> Found:
    """Return the events among sightings of orders; `restored` came out of the trash, which is none.

    What an import sees first is kept as unclaimed, so that the live change that comes after it does not lose it.
    """
    if not orders:
        return Found()
    known = _known(session, connector_id, {order.id for order in orders})
    known |= {number: Known(GONE, None) for number in restored}
    watch = _watch(session.get_one(Connector, connector_id), origin, now)
    watch = replace(watch, future=store_clock.future(session, now, connector_id))
    reached: dict[tuple[int, str], datetime] = {}
    for order in sorted(orders, key=lambda each: each.modified_at or _NEVER):
        before = known.get(order.id)
        at = reached_at(order, before, watch, now)
        if at is not None:
            reached.setdefault((order.id, order.status), at)
        if before is None or not _is_older(order, before, watch):
            known[order.id] = Known(order.status, order.modified_at, at if origin in HISTORICAL else None)
    return Found(reached, {number: each.reached_at for number, each in known.items() if each.reached_at})


def _known(session: Session, connector_id: int, ids: set[int]) -> dict[int, Known]:
    rows = session.execute(_KNOWN, {"connector_id": connector_id, "ids": list(ids)})
    return {number: Known(*values) for number, *values in rows}


def seconds_ahead(server_time: datetime | None, now: datetime) -> int:
    """Return how many seconds the store's clock is ahead of ours, negative when it is behind, 0 while that is small."""
    ahead = round((server_time - now).total_seconds()) if server_time else 0
    return ahead if abs(ahead) >= AHEAD_MIN_S else 0


def ahead_of(connector: Connector) -> timedelta:
    """Return by how much the store's clock was ahead of ours when it was last asked."""
    return timedelta(seconds=int(connector.cursors.get(AHEAD) or 0))


def _watch(connector: Connector, origin: Origin, now: datetime) -> Watch:
    sync = Modules.from_json(connector.settings).sync
    read = connector.cursors.get("orders")
    until = datetime.fromisoformat(str(read)) if read else connector.initial_done_at or connector.created_at
    if origin is Origin.API:
        # A program tells of its own changes, by its own clock.
        return Watch(connector.created_at, now)
    if origin is Origin.WEBHOOK and not (sync.every or sync.cron):
        # Nothing but webhooks tells of changes here, so there is nothing to measure their gaps by.
        until = now
    return Watch(connector.created_at, until, ahead_of(connector))


def reached_at(order: Order, known: Known | None, watch: Watch, now: datetime) -> datetime | None:
    """Return when an order reached its status, by our clock, if that is an event, else None.

    `known` is the order as it was seen before, None for the first time.
    """
    if known is not None and known.status == order.status:
        return _recent(known.reached_at, now)
    if known is not None and known.status == GONE:
        # Out of the trash: date_completed is set anew though nothing was completed (woo:339).
        return None
    if known is None or _is_older(order, known, watch):
        return _first(order, watch, now)
    return _ours(status_dates.kept(order) or _between(order, known, watch, now), watch, now)


def _first(order: Order, watch: Watch, now: datetime) -> datetime | None:
    """Return when an order that was not seen before reached its status, if the connector was there and it is recent."""
    if status_dates.kept(order) is None and _ours(order.created_at, watch, now) is None:
        return None
    at = _ours(status_dates.first(order), watch, now)
    return at if at is not None and at >= watch.began_at.replace(microsecond=0) else None


def _between(order: Order, known: Known, watch: Watch, now: datetime) -> datetime | None:
    """Return the order's last change as the moment, where the store keeps none and no other change can be meant.

    The status came after the order was seen in another one, and after the last time that nothing was missed.
    """
    floor = max(known.modified_at or _NEVER, watch.complete_until)
    return (order.modified_at or now) if _recent(floor, now) else None


def _ours(at: datetime | None, watch: Watch, now: datetime) -> datetime | None:
    """Return a moment of the store's clock by our clock, never in the future; None for one that is not recent."""
    return _recent(min(at - watch.ahead, now), now) if at is not None else None


def _recent(at: datetime | None, now: datetime) -> datetime | None:
    return at if at is not None and now - at <= RECENT else None


def _is_older(order: Order, known: Known, watch: Watch) -> bool:
    return store_clock.is_older(order.modified_at, known.modified_at, watch.future)


def unclaimed(session: Session, connector_id: int, ids: Sequence[int]) -> set[tuple[str, str]]:
    """Return (source id, status) of the events that only an import has seen."""
    query = select(LedgerEntry.order_id, LedgerEntry.status).where(
        LedgerEntry.connector_id == connector_id, LedgerEntry.order_id.in_(ids), LedgerEntry.reached_at.is_not(None)
    )
    return {(str(number), status) for number, status in session.execute(query)} if ids else set()
