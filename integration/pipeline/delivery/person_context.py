"""What a stream may know of one person while it plans their records."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from integration import streams
from integration.errors import MappingError
from integration.events import Kind
from integration.mapping import consent
from integration.mapping.cart_orders import is_later, is_placed
from integration.mapping.consent import Consent, Standing
from integration.mapping.orders import Shop
from integration.models.ledger import LedgerEntry
from integration.pipeline.delivery import latest_order
from integration.pipeline.delivery.batch_context import BatchContext, given_tags
from integration.pipeline.delivery.groups import DeliveryGroup
from integration.pipeline.delivery.latest_order import NameSource
from integration.pipeline.ingest.known_order import KnownOrder
from integration.plans import Lifetime
from integration.records import Cart, Order, OtherOrder
from integration.settings import ConsentModule, Modules
from integration.streams import orders
from integration.streams.base import LEAVES


@dataclass(frozen=True)
class PersonContext:
    """The batch context seen from one person; fulfils streams.base.PlanContext."""

    batch: BatchContext
    group: DeliveryGroup
    known: bool
    name_source: NameSource

    @classmethod
    def of(cls, batch: BatchContext, group: DeliveryGroup, *, known: bool) -> PersonContext:
        """Return the context of a group's person; the person's orders of this batch are looked at together."""
        return cls(batch, group, known, NameSource(group, batch))

    def as_known(self) -> PersonContext:
        """Return the context of a person who becomes a contact by another record of the group."""
        return replace(self, known=True)

    @property
    def modules(self) -> Modules:
        """Return the connector's settings."""
        return self.batch.modules

    @property
    def currency(self) -> str:
        """Return the shop's currency, "" while it is not known."""
        return self.batch.currency

    @property
    def shop(self) -> Shop:
        """Return what else the store tells of itself."""
        return self.batch.shop

    @property
    def triggers(self) -> Mapping[str, Any]:
        """Return since when what sends a note or an e-mail is set."""
        return self.batch.connector.triggers or {}

    @property
    def given_tags(self) -> Collection[str]:
        """Return the tags that orders have given the contact."""
        return given_tags(self.batch.links.get(self.group.person_key))

    @property
    def data_left(self) -> str | None:
        """Return the order data of the person without a record that leaves (latest_order.data_left)."""
        return latest_order.data_left(self.group.person_key, self.batch)

    def categories(self, order: Order) -> Sequence[str]:
        """Return the slugs of the categories of an order's products, as far as the store tells them."""
        known = self.batch.categories
        return tuple(dict.fromkeys(slug for item in order.items for slug in known.get(item.product_id, ())))

    @property
    def has_told_sums(self) -> bool:
        """Return whether Mautic has confirmed lifetime values of the person."""
        link = self.batch.links.get(self.group.person_key)
        return link is not None and any(f"{orders.KIND}.{alias}" in link.hashes for alias in self.batch.sum_aliases)

    def lifetime(self) -> Lifetime:
        """Return the sums over the person's paid orders."""
        paid = self.modules.orders.paid_statuses
        return self.batch.people.lifetime(self.group.person_key, paid, self.currency, self.shop.decimals)

    def overtaken(self, order: Order) -> str:
        """Return the status in which the order was seen since, "" when this is its newest sighting."""
        return self.batch.people.overtaken(self.group.person_key, order)

    def is_latest(self, order: Order) -> bool:
        """Return whether no newer synced order of the person is known, and this one is synced still.

        What it was before it left may come in one group with its leaving, and nothing would take the data back then.
        """
        newest = self.batch.people.is_newest(self.group.person_key, order, self.batch.synced)
        row = self.batch.people.row(self.group.person_key, order.id)
        return newest and (self.batch.synced(row) if row else not self._leaves(order))

    def _leaves(self, order: Order) -> bool:
        return any(each.event in LEAVES and each.source_id == order.source_id for each in self.group.deliveries)

    def names(self, order: Order) -> bool:
        """Return whether name and address are taken from this order."""
        return self.name_source.chooses(order)

    def has_ordered_since(self, cart: Cart) -> bool:
        """Return whether the person has placed an order since the cart was first seen (X15)."""
        rows = self.batch.people.rows(self.group.person_key)
        return any(buys(row, cart.draft_id, cart.created_at) for row in rows)

    def recurring(self, order: Order | None) -> Sequence[OtherOrder]:
        """Return all recurring orders of the person as they are now; `order` is one as it was just read."""
        known = self.batch.recurring
        return known.all(self.group.person_key, order) if known is not None else ()

    def leaves(self, source_id: str) -> Sequence[OtherOrder]:
        """Return the recurring orders of the person without one that is gone."""
        known = self.batch.recurring
        return known.without(self.group.person_key, source_id) if known is not None else ()

    def tags_given_by(self, kind: Kind) -> Collection[str]:
        """Return the tags that records of a kind have given the contact."""
        return given_tags(self.batch.links.get(self.group.person_key), kind)

    def other_orders(self, order_id: int) -> Sequence[OtherOrder]:
        """Return the person's orders beside one."""
        return self.batch.people.others(self.group.person_key, order_id)

    @cached_property
    def standing(self) -> Standing:
        """Return where the person stands with consent, by the ledger and all records of the group."""
        module, known = self.modules.consent, self.batch.consents.get(self.group.person_key, ())
        return consent.standing(known, self._said(module, known), module)

    def _said(self, module: ConsentModule, known: Sequence[Consent]) -> Iterator[Consent]:
        for leased in self.group.deliveries:
            # What cannot be read its own delivery says.
            with suppress(MappingError):
                yield from streams.of(leased.kind).consents(leased, module, known) or ()


def buys(row: LedgerEntry | KnownOrder, draft_id: int, since: datetime | None) -> bool:
    """Tell whether an order was placed since a cart was first seen, or is what became of the cart's own draft."""
    own = row.order_id == draft_id
    return is_placed(row.status, own=own) and (own or is_later(row.ordered_at, since))
