"""Which of a person's orders tells the name, the address and the order data that stand in Mautic.

The data are those of the latest order in a status that is synced. Name and address are those of the newest order that
was placed, whatever became of it; where a newer one has not told them, the latest synced order does, so that nobody
who is a contact by an order stays without them. Both are noted with the contact's hashes, so that an order which is
read again does not overwrite what a newer one has said.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from integration import streams
from integration.errors import MappingError, ServiceError
from integration.mapping import aliases
from integration.mapping.field_values import has_address
from integration.mapping.order_data import order_data
from integration.mapping.orders import DRAFTS, sells
from integration.pipeline.delivery.batch_context import NOTE, BatchContext, Linked
from integration.pipeline.delivery.groups import DeliveryGroup, LeasedDelivery
from integration.pipeline.ingest.order_ledger import GONE, place
from integration.pipeline.services import Services
from integration.plans import ContactWrite, is_blank
from integration.record_ids import number_of
from integration.records import Order
from integration.streams import orders
from integration.streams.base import LEAVES

log = logging.getLogger(__name__)

#: Keys of a contact's hashes: the ids of the orders that name and address, and the order data, were taken from.
NAMED_BY = f"{orders.KIND}.{NOTE}named_by"
DATA_BY = f"{orders.KIND}.{NOTE}data_by"
_NOT_PLACED = (*DRAFTS, *LEAVES, GONE)


@dataclass
class NameSource:
    """Chooses the order that a person's name and address are taken from; `order_id` is the one that was chosen."""

    group: DeliveryGroup
    context: BatchContext
    order_id: int | None = field(default=None, init=False)

    def chooses(self, order: Order) -> bool:
        """Return whether name and address are taken from this order, and none newer of the line tells them."""
        chosen = self._may(order) and not any(place(each) > place(order) and self._may(each) for each in self._orders)
        self.order_id = order.id if chosen else self.order_id
        return chosen

    @cached_property
    def _orders(self) -> Sequence[Order]:
        deliveries = [each for each in self.group.deliveries if streams.of(each.kind).in_ledger]
        return list(_placed(deliveries)) if len(deliveries) > 1 else ()

    def _may(self, order: Order) -> bool:
        module, people, person_key = self.context.modules.orders, self.context.people, self.group.person_key
        if not _names_somebody(order) or not sells([item.sku for item in order.items], module.sku_filter):
            return False
        if people.is_newest(person_key, order, self.context.placed):
            return True
        latest = order.status in module.statuses and people.is_newest(person_key, order, self.context.synced)
        return latest and not self._told_by_newer(order)

    def _told_by_newer(self, order: Order) -> bool:
        link = self.context.links.get(self.group.person_key)
        teller = link.hashes.get(NAMED_BY, "") if link else ""
        known = teller.removeprefix("-").isdigit()
        return known and self.context.people.is_newer(self.group.person_key, int(teller), order)


def _names_somebody(order: Order) -> bool:
    billing = order.billing
    return bool(billing.first_name.strip() or billing.last_name.strip()) or has_address(order, orders.KIND)


def _placed(deliveries: Sequence[LeasedDelivery]) -> Iterator[Order]:
    for leased in deliveries:
        if leased.event in _NOT_PLACED:
            continue
        try:
            yield replace(leased.record, status=leased.event)
        except MappingError:
            # Its own delivery says what is wrong with it.
            continue


def data_left(person_key: str, context: BatchContext) -> str | None:
    """Return the order data of a person one of whose orders is synced no more: "" without any that is.

    None, when they stay as they are: another order gave them, or the one that is the latest now was not read.
    """
    latest = context.people.newest(person_key, context.synced)
    if latest is None:
        return ""
    order = context.latest.get(latest.order_id)
    if order is None or order.status not in context.modules.orders.statuses:
        return None
    return order_data(order, context.shop.decimals if order.currency in ("", context.currency) else None)


def needed(groups: Sequence[DeliveryGroup], context: BatchContext) -> list[int]:
    """Return the ids of the orders to be read, since one that gave the order data is synced no more."""
    module = context.modules.orders
    if not (module.enabled and module.order_data):
        return []
    left = {group.person_key for group in groups if any(_leaves(leased, context) for leased in group.deliveries)}
    latest = (context.people.newest(person_key, context.synced) for person_key in sorted(left))
    # Of orders that a program sent the store knows nothing.
    return sorted({row.order_id for row in latest if row is not None and row.order_id > 0})


def _leaves(leased: LeasedDelivery, context: BatchContext) -> bool:
    """Return whether the delivery is of the order that gave the order data, and takes it out of what is synced."""
    link = context.links.get(leased.person_key)
    unsynced = streams.of(leased.kind).in_ledger and leased.event not in context.modules.orders.statuses
    return unsynced and link is not None and _gave(link, str(number_of(leased.source_id)), context)


def data_aliases(context: BatchContext) -> frozenset[str]:
    """Return the aliases of the field that the order data are written to."""
    return aliases.names_of(aliases.ORDER_DATA, context.modules.naming.name_space)


def _gave(link: Linked, order_id: str, context: BatchContext) -> bool:
    names = {f"{orders.KIND}.{alias}" for alias in data_aliases(context)}
    return not names.isdisjoint(link.hashes) and link.hashes.get(DATA_BY, order_id) == order_id


def completed(
    services: Services, context: BatchContext, groups: Sequence[DeliveryGroup], correlation_id: str
) -> BatchContext:
    """Return the context with the orders that are their persons' latest ones from now on, as the store has them."""
    ids = needed(groups, context)
    if not ids:
        return context
    try:
        stream = streams.of(orders.KIND)
        rows = stream.refresh(services.open_store(context.connector, correlation_id), [str(each) for each in ids])
        return replace(context, latest={order.id: order for order in map(stream.parse, rows.values())})
    except (ServiceError, MappingError) as error:
        log.info("The latest orders could not be read, so the order data stay: %s", error)
        return context


def notes(write: ContactWrite, name_source: NameSource) -> Mapping[str, str]:
    """Return which orders a contact write has its name, address and order data from, as they are kept with hashes."""
    found = {} if name_source.order_id is None else {NAMED_BY: str(name_source.order_id)}
    data = [write.fields.get(alias) for alias in data_aliases(name_source.context)]
    latest = name_source.context.people.newest(name_source.group.person_key, name_source.context.synced)
    if latest is not None and not all(is_blank(value) for value in data):
        found[DATA_BY] = str(latest.order_id)
    return found
