"""The last look before a left cart goes out: whether it is still left, and whether its person has bought since (X15).

Between the last poll and now somebody may have bought. One list of the store tells it for all carts of a batch; what
was bought is taken at once and overtakes everything else. What the store cannot tell now is not sent on hearsay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select

from integration import streams
from integration.errors import IntegrationError, MappingError, ServiceError
from integration.events import Origin
from integration.identity import person_key_of
from integration.mapping.cart_orders import CLOCKS_DIFFER, is_later, is_placed
from integration.models.cart import Cart as CartRow, CartState
from integration.models.connector import Connector
from integration.models.ledger import LedgerEntry
from integration.pipeline import outbox
from integration.pipeline.connectors import store_profile
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery
from integration.pipeline.ingest import records
from integration.pipeline.ingest.status_events import ahead_of, seconds_ahead
from integration.pipeline.runs import poll_window
from integration.pipeline.services import Services
from integration.plans import Skip
from integration.records import Cart, Order
from integration.store import parse, reading
from integration.store.client import StoreClient
from integration.store.rows import Row
from integration.store.windows import Window
from integration.streams.carts import ABANDONED, BOUGHT, CAME_BACK, FORGOTTEN, NEWER, TOO_LATE


@dataclass(frozen=True, slots=True)
class Looked:
    """Deliveries that are not sent, by id, and those that wait until the store can be asked."""

    skips: Mapping[int, Skip] = field(default_factory=dict)
    put_off: Sequence[tuple[LeasedDelivery, IntegrationError]] = ()


def look(services: Services, connector: Connector, groups: Iterable[DeliveryGroup], correlation_id: str = "") -> Looked:
    """Return which announcements of a batch are not sent, or not yet; the other deliveries are none of its business."""
    carts = {leased.id: leased for group in groups for leased in group.deliveries if _is_announcement(leased)}
    if not carts:
        return Looked()
    skips = _by_what_is_known(services, connector.id, carts.values())
    left = [leased for number, leased in carts.items() if number not in skips]
    if not left or not connector.store_url:
        return Looked(skips)
    try:
        bought = _Question(services, connector, left, correlation_id).ask()
    except ServiceError as error:
        return Looked(skips, [(leased, error) for leased in left])
    return Looked({**skips, **dict.fromkeys(bought, BOUGHT)})


def _is_announcement(leased: LeasedDelivery) -> bool:
    if not streams.of(leased.kind).is_cart or leased.event != ABANDONED:
        return False
    with suppress(MappingError):
        return isinstance(leased.record, Cart)
    # What cannot be read is said when it is planned.
    return False


def _by_what_is_known(services: Services, connector_id: int, carts: Collection[LeasedDelivery]) -> dict[int, Skip]:
    """Return what our own tables say against an announcement."""
    ids = {leased.record.id for leased in carts}
    own = {leased.record.draft_id for leased in carts} - {0}
    orders = select(LedgerEntry).where(LedgerEntry.connector_id == connector_id, LedgerEntry.order_id.in_(own))
    with services.db.read() as session:
        rows = {row.id: row for row in session.scalars(select(CartRow).where(CartRow.id.in_(ids)))}
        placed = {row.order_id for row in session.scalars(orders) if is_placed(row.status, own=True)} if own else set()
    now = services.clock.now()
    found = {each.id: _against(each, rows.get(each.record.id), placed, now) for each in carts}
    return {number: skip for number, skip in found.items() if skip is not None}


def _against(leased: LeasedDelivery, row: CartRow | None, placed: Collection[int], now: datetime) -> Skip | None:
    if row is None:
        return FORGOTTEN
    if row.state in (CartState.BOUGHT, CartState.RECOVERED) or leased.record.draft_id in placed:
        return BOUGHT
    if row.changed_at > leased.payload_at:
        return CAME_BACK
    if row.state == CartState.EXPIRED and row.reason == NEWER.code:
        return NEWER
    late = row.announce_until is not None and row.announce_until < now
    return TOO_LATE if late and leased.origin is not Origin.REPLAY else None


@dataclass
class _Question:
    """What the store is asked for the carts of one batch."""

    services: Services
    connector: Connector
    carts: Sequence[LeasedDelivery]
    correlation_id: str

    def ask(self) -> set[int]:
        """Return the deliveries whose person has bought; what they bought is owed to Mautic. Raises ServiceError."""
        client = self.services.open_store(self.connector, self.correlation_id, obeys=True)
        orders = self._orders(client)
        buyers = {leased.id: bought for leased in self.carts if (bought := _bought(leased, orders))}
        ids = sorted({number for bought in buyers.values() for number in bought})
        if ids:
            self._take(reading.fetch_orders(client, ids))
        return set(buyers)

    def _orders(self, client: StoreClient) -> list[Order]:
        """Return what was placed or changed since the last poll, and what became of the carts' own drafts."""
        try:
            rows = self._changed(client)
        except ServiceError as error:
            if not store_profile.refuses_status(error):
                raise
            self.connector = store_profile.statuses_again(self.services, self.connector, error)
            rows = self._changed(client)
        own = {leased.record.draft_id for leased in self.carts} - {0} - {row["id"] for row in rows}
        return records.readable(
            [*rows, *(reading.fetch_orders(client, sorted(own), reading.LEDGER_FIELDS) if own else ())]
        )

    def _changed(self, client: StoreClient) -> list[Row]:
        statuses = [each for each in store_profile.statuses(self.connector) if is_placed(each, own=False)]
        now = self.services.clock.now()
        after = max(poll_window.window(self.connector, now).after or self._oldest, self._oldest)
        read = partial(reading.read_orders, client, statuses=statuses, fields=reading.LEDGER_FIELDS, parallel=1)
        pages = list(read(window=Window(after, None)))
        if back := self._set_back(pages[0].began if pages else None, now):
            # What was bought since the store's clock was set back is dated earlier than the last poll.
            pages = list(read(window=Window(after - back, None)))
        return [row for page in pages for row in page.rows]

    def _set_back(self, present: datetime | None, now: datetime) -> timedelta:
        ahead_s = seconds_ahead(present, now)
        return poll_window.set_back(self.connector, present, ahead_s) if present is not None else timedelta()

    @property
    def _oldest(self) -> datetime:
        """Return when the oldest of the carts was first seen, by the store's clock."""
        seen = [leased.record.created_at or leased.payload_at for leased in self.carts]
        return min(seen) + ahead_of(self.connector) - CLOCKS_DIFFER

    def _take(self, rows: Sequence[Row]) -> None:
        now = self.services.clock.now()
        changes = []
        for row in rows:
            with suppress(MappingError):
                changes.append(parse.order_change(row, Origin.POLL, now))
        with self.services.db.write() as session:
            fresh = records.unseen(session, self.connector.id, changes)
            records.accept(session, now, self.connector.id, fresh)
            outbox.overtake(session, self.connector.id, fresh)
        self.services.wakeup.ring(self.connector.id)


def _bought(leased: LeasedDelivery, orders: Iterable[Order]) -> list[int]:
    """Return the orders by which a cart's person has bought."""
    cart: Cart = leased.record
    return [order.id for order in orders if _buys(order, cart, leased.person_key)]


def _buys(order: Order, cart: Cart, person_key: str) -> bool:
    own = order.id == cart.draft_id
    theirs = own or (person_key_of(order.email) == person_key and is_later(order.created_at, cart.created_at))
    return theirs and is_placed(order.status, own=own)
