"""Orders of the store, of guests too: each is written to its buyer's contact."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from integration.events import HISTORICAL, Change, Kind, Origin
from integration.identity import person_key_of
from integration.mapping import consent, orders
from integration.mapping.consent import Consent
from integration.mapping.follow_ups import Sighting
from integration.plans import Lifetime, Plan, Skip
from integration.records import Order
from integration.settings import ConsentModule, Modules, where
from integration.store import parse, reading
from integration.store.client import StoreClient
from integration.store.webhooks import admin_order_url
from integration.streams import consents, samples
from integration.streams.base import LEAVES, WRITE, Explanation, Labels, Payload, Phase, PlanContext, Sighted

KIND = Kind.ORDER
_RESTORE = "the trash of the store: restore the order"


class Orders:
    """The stream of orders."""

    kind: Kind = KIND
    labels = Labels("Order", "Orders", "Order", "Order Sync", "status")
    module = "orders"
    phases: Sequence[Phase] = (Phase("ledger", 1, always=True, everything=True), Phase("orders", 3))
    change_phases: Sequence[Phase] = (Phase("changes", 1, always=True), Phase("trash", 2, always=True))
    numbered = True
    is_account = False
    in_ledger = True
    kept_here = False
    store_path = "orders"
    holds_tags = True
    collapses = False
    recurs = False
    optional = False
    is_cart = False
    nameless = False
    skip_reasons: Mapping[str, Explanation] = {
        **consents.SKIP_REASONS,
        "module_off": Explanation("Order Sync is switched off.", where("orders.enabled"), "orders"),
        "no_email": Explanation(
            "The order has no e-mail address, and Mautic finds its contacts by it.",
            "the order's billing address in the store",
            "store",
        ),
        "draft": Explanation(
            "The order is a draft; it is synced by itself once it is placed.",
            "the order's status in the store",
            "store",
        ),
        "sku_filter": Explanation(
            "No product of the order has a SKU with one of the texts that are looked for.",
            where("orders.sku_filter"),
            "orders",
        ),
        "status_not_synced": Explanation(
            "Orders with this status are not synced.", f"{where('orders.statuses')}: tick the status", "orders"
        ),
        "removed": Explanation(
            "The order was deleted or put into the trash, and nothing of it has to change in Mautic.",
            _RESTORE,
            "store",
        ),
        "moved": Explanation(
            "The order was given to another e-mail address, and nothing has to change at its former one.",
            "the order's billing address in the store",
            "store",
        ),
    }

    def is_enabled(self, modules: Modules) -> bool:
        """Return whether Order Sync is on."""
        return modules.orders.enabled

    def parse(self, payload: Payload) -> Order:
        """Return the order; raises MappingError."""
        return parse.order(payload)

    def change(self, payload: Payload, origin: Origin, seen_at: datetime) -> Change:
        """Return the change of an order as read now: its status; raises MappingError (no_id)."""
        return parse.order_change(payload, origin, seen_at)

    def action(self, event: str) -> str:
        """Return what the sync log calls the write."""
        return WRITE

    def plan(self, delivery: Sighted, context: PlanContext) -> Plan | Skip:
        """Return what to write for an order, or for what is left without it (P30 to P41)."""
        if delivery.event in LEAVES:
            return _removal(delivery, context)
        order: Order = delivery.record
        # A retry reads the store again; what happened stays what happened.
        status = order.status if delivery.event == "updated" else delivery.event
        since = order.status if order.status != status else context.overtaken(order)
        order = replace(order, status=status)
        # Who is new in Mautic has no newer values there that could be overwritten.
        overtaken = context.known and bool(since)
        return orders.plan(
            order,
            context.modules,
            lifetime=context.lifetime(),
            latest=not overtaken and context.is_latest(order),
            named=not overtaken and context.names(order),
            data_left=context.data_left,
            since=since,
            known=context.known,
            seen=Sighting(delivery.reached_at, delivery.origin in HISTORICAL, context.triggers),
            shop_currency=context.currency,
            shop=context.shop,
            history=orders.History(context.other_orders(order.id), context.given_tags),
            categories=context.categories(order),
        )

    def consents(self, delivery: Sighted, module: ConsentModule, known: Sequence[Consent]) -> Sequence[Consent] | None:
        """Return what an order says, and what its buyer's account said when it was asked."""
        if delivery.event in LEAVES:
            return None
        order: Order = delivery.record
        said = consent.of_order(order, module, known, delivery.payload_at)
        return (*said, *consents.of_account(delivery, order, module))

    def refresh(self, store: StoreClient, ids: Collection[str]) -> Mapping[str, Payload]:
        """Read orders again; those in the trash are left out."""
        return {str(row["id"]): row for row in reading.fetch_orders(store, sorted(map(int, ids)))}

    def lacks_email(self, delivery: Sighted) -> bool:
        """Return whether it is a deleted order, whose webhook names only the id."""
        return delivery.event == "deleted" and not delivery.payload.get("email")

    def look_up(self, store: StoreClient, source_id: str) -> Payload | None:
        """Read one order, from the trash too (woo:155)."""
        return reading.fetch_order(store, int(source_id))

    def find_email(self, store: StoreClient, source_id: str) -> str | None:
        """Return the address of an order; None when it is gone."""
        row = self.look_up(store, source_id)
        return parse.billing_email(row) if row else None

    def last_word(self, delivery: Sighted) -> str:
        """Return "": each order says something of its own."""
        return ""

    def sample(self, store: StoreClient, modules: Modules, record_id: int | None) -> Payload:
        """Read one order, the newest in a status that is synced without an id."""
        if record_id is not None:
            return samples.given(self.look_up(store, str(record_id)), "order", record_id)
        statuses = list(modules.orders.statuses)
        asked = store.access.asked_of(KIND)
        fields = reading.order_fields(asked)
        rows = samples.newest(store, "orders", fields, 1, asked, status=statuses) if statuses else []
        if not rows:
            listed = ", ".join(statuses) or "none is ticked"
            sentence = f"The store has no order in a status that is synced ({listed})."
            samples.none(sentence, f"Choose statuses under {where('orders.statuses')}, or give the id of an order.")
        return rows[0]

    def admin_url(self, home: str, source_id: str) -> str:
        """Return the order's page in the store's administration."""
        return admin_order_url(home, source_id)


def moved(order: Order, former: str, origin: Origin, seen_at: datetime) -> Change:
    """Return the change for the person `former` whose order was given to another address: their sums without it.

    The address is known no more: the contact is found by its link. The payload makes each move a change of its own.
    """
    return Change(
        kind=KIND,
        source_id=order.source_id,
        event="moved",
        person_key=former,
        payload={"id": order.given_id or order.id, "left": former, "at": str(order.modified_at)},
        seen_at=seen_at,
        origin=origin,
        number=order.number,
    )


def _removal(delivery: Sighted, context: PlanContext) -> Plan | Skip:
    lifetime: Lifetime = context.lifetime()
    email = str(delivery.payload.get("email") or "")
    made = orders.removal(
        # An order may have been given to somebody else before it went: whose it was is found by the link alone.
        email if person_key_of(email) == delivery.person_key else "",
        context.modules,
        lifetime=lifetime,
        known=context.known,
        shop_currency=context.currency,
        data_left=context.data_left,
    )
    return orders.MOVED if made is orders.REMOVED and delivery.event == "moved" else made
