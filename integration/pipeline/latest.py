"""Which of a person's orders tells the name, the address and the order data that stand in Mautic.

The data are those of the latest order in a status that is synced. Name and address are those of the newest order that
was placed, whatever became of it; where a newer one has not told them, the latest synced order does, so that nobody
who is a contact by an order stays without them. Both are noted with the contact's hashes, so that an order which is
read again does not overwrite what a newer one has said.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from dataclasses import replace
from functools import cached_property

from integration.errors import MappingError
from integration.errors import ServiceError
from integration.events import Kind
from integration.mapping import addresses
from integration.mapping import aliases
from integration.mapping.order_data import order_data
from integration.mapping.orders import DRAFTS
from integration.mapping.orders import sells
from integration.pipeline.desk import NOTE
from integration.pipeline.desk import Desk
from integration.pipeline.desk import Linked
from integration.pipeline.ledger import GONE
from integration.pipeline.ledger import LEAVES
from integration.pipeline.ledger import place
from integration.pipeline.lines import Item
from integration.pipeline.lines import Line
from integration.pipeline.ports import Ports
from integration.plans import ContactWrite
from integration.plans import is_blank
from integration.records import Order
from integration.store import parse
from integration.store import reading

log = logging.getLogger(__name__)

#: Keys of a contact's hashes: the ids of the orders that name and address, and the order data, were taken from.
NAMED_BY = f"{Kind.ORDER}.{NOTE}named_by"
DATA_BY = f"{Kind.ORDER}.{NOTE}data_by"
_NOT_PLACED = (*DRAFTS, *LEAVES, GONE)


@dataclass
class Speaker:
    """Tells for one person's deliveries which order speaks for the person; `told` is the one that did."""

    line: Line
    desk: Desk
    told: int | None = field(default=None, init=False)

    def speaks(self, order: Order) -> bool:
        """Return whether name and address are taken from this order, and none newer of the line tells them."""
        speaks = self._may(order) and not any(place(each) > place(order) and self._may(each) for each in self._orders)
        self.told = order.id if speaks else self.told
        return speaks

    @cached_property
    def _orders(self) -> Sequence[Order]:
        items = [item for item in self.line.items if item.kind is Kind.ORDER]
        return list(_placed(items)) if len(items) > 1 else ()

    def _may(self, order: Order) -> bool:
        module, people, subject = self.desk.modules.orders, self.desk.people, self.line.subject
        if not _names_somebody(order) or not sells([item.sku for item in order.items], module.sku_filter):
            return False
        if people.is_newest(subject, order, self.desk.placed):
            return True
        latest = order.status in module.statuses and people.is_newest(subject, order, self.desk.synced)
        return latest and not self._told_by_newer(order)

    def _told_by_newer(self, order: Order) -> bool:
        link = self.desk.links.get(self.line.subject)
        teller = link.hashes.get(NAMED_BY, "") if link else ""
        return teller.isdigit() and self.desk.people.is_newer(self.line.subject, int(teller), order)


def _names_somebody(order: Order) -> bool:
    billing = order.billing
    return bool(billing.first_name.strip() or billing.last_name.strip()) or addresses.is_given(billing)


def _placed(items: Sequence[Item]) -> Iterator[Order]:
    for item in items:
        if item.what in _NOT_PLACED:
            continue
        try:
            yield replace(parse.order(item.payload), status=item.what)
        except MappingError:
            # Its own delivery says what is wrong with it.
            continue


def data_left(subject: str, desk: Desk) -> str | None:
    """Return the order data of a person one of whose orders is synced no more: "" without any that is.

    None, when they stay as they are: another order gave them, or the one that is the latest now was not read.
    """
    latest = desk.people.newest(subject, desk.synced)
    if latest is None:
        return ""
    order = desk.latest.get(latest.order_id)
    if order is None or order.status not in desk.modules.orders.statuses:
        return None
    return order_data(order, desk.shop.decimals if order.currency in ("", desk.currency) else None)


def _needed(lines: Sequence[Line], desk: Desk) -> list[int]:
    """Return the ids of the orders to be read, since one that gave the order data is synced no more."""
    module = desk.modules.orders
    if not (module.enabled and module.order_data):
        return []
    left = {line.subject for line in lines if any(_leaves(item, desk) for item in line.items)}
    latest = (desk.people.newest(subject, desk.synced) for subject in sorted(left))
    return sorted({row.order_id for row in latest if row is not None})


def _leaves(item: Item, desk: Desk) -> bool:
    """Return whether the delivery is of the order that gave the order data, and takes it out of what is synced."""
    link = desk.links.get(item.subject)
    unsynced = item.kind is Kind.ORDER and item.what not in desk.modules.orders.statuses
    return unsynced and link is not None and _gave(link, item.source_id)


def _gave(link: Linked, order_id: str) -> bool:
    names = {f"{Kind.ORDER}.{alias}" for alias in (aliases.ORDER_DATA, aliases.cut(aliases.ORDER_DATA))}
    return not names.isdisjoint(link.hashes) and link.hashes.get(DATA_BY, order_id) == order_id


def completed(ports: Ports, desk: Desk, lines: Sequence[Line], correlation_id: str) -> Desk:
    """Return the desk with the orders that are their persons' latest ones from now on, as the store has them."""
    ids = _needed(lines, desk)
    if not ids:
        return desk
    try:
        rows = reading.fetch_orders(ports.open_store(desk.connector, correlation_id), ids)
        return replace(desk, latest={order.id: order for order in map(parse.order, rows)})
    except (ServiceError, MappingError) as error:
        log.info("The latest orders could not be read, so the order data stay: %s", error)
        return desk


def notes(write: ContactWrite, speaker: Speaker) -> Mapping[str, str]:
    """Return which orders a contact write has its name, address and order data from, as they are kept with hashes."""
    found = {} if speaker.told is None else {NAMED_BY: str(speaker.told)}
    data = [write.fields.get(alias) for alias in (aliases.ORDER_DATA, aliases.cut(aliases.ORDER_DATA))]
    latest = speaker.desk.people.newest(speaker.line.subject, speaker.desk.synced)
    if latest is not None and not all(is_blank(value) for value in data):
        found[DATA_BY] = str(latest.order_id)
    return found
