"""Recurring orders: the subscriptions of a store with WooCommerce Subscriptions (P44); each gives tags by its status.

Their routes are those of orders under another name (`wc/v3/subscriptions`), by the plugin's public REST documentation;
no recording of one exists. The orders they bring, renewals too, are orders and counted as such.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from integration.events import Change, Kind, Origin
from integration.mapping import recurring
from integration.mapping.consent import Consent
from integration.plans import Plan, Skip
from integration.records import Order
from integration.settings import ConsentModule, Modules, where
from integration.store import parse, reading
from integration.store.client import StoreClient
from integration.store.webhooks import admin_order_url
from integration.streams import samples
from integration.streams.base import LEAVES, WRITE, Explanation, Labels, Payload, Phase, PlanContext, Sighted

KIND = Kind.RECURRING


class Recurring:
    """The stream of recurring orders."""

    kind: Kind = KIND
    labels = Labels("Store subscription", "Store subscriptions", "Store subscription", "Order Sync", "status")
    module = "orders"
    #: Behind the orders: what they say of a buyer stands, and tags are all that a subscription adds.
    phases: Sequence[Phase] = (Phase("recurring", 4, everything=True),)
    change_phases: Sequence[Phase] = (Phase("recurring_changes", 4, everything=True),)
    numbered = False
    is_account = False
    in_ledger = False
    kept_here = False
    holds_tags = False
    collapses = False
    recurs = True
    optional = True
    is_cart = False
    nameless = False
    store_path = "subscriptions"
    skip_reasons: Mapping[str, Explanation] = {
        recurring.OFF.code: Explanation(
            "Tags of the store's subscriptions are switched off.", where("orders.subscriptions"), "orders"
        ),
        recurring.NO_TAG.code: Explanation(
            "Subscriptions in this status give no tag, and none of an earlier status has to go.",
            "nothing: this is how it should be",
            "store",
        ),
        "no_email": Explanation(
            "The subscription has no e-mail address, and Mautic finds its contacts by it.",
            "the subscription's billing address in the store",
            "store",
        ),
        recurring.REMOVED.code: Explanation(
            "The subscription was deleted, or given to another address, and no tag of it has to go.",
            "nothing: this is how it should be",
            "store",
        ),
    }

    def is_enabled(self, modules: Modules) -> bool:
        """Return whether the store's subscriptions are synced."""
        return modules.orders.enabled and modules.orders.subscriptions

    def parse(self, payload: Payload) -> Order:
        """Return the subscription, which has the shape of an order; raises MappingError."""
        return parse.order(payload)

    def change(self, payload: Payload, origin: Origin, seen_at: datetime) -> Change:
        """Return the change of a subscription as read now: its status; raises MappingError (no_id)."""
        return replace(parse.order_change(payload, origin, seen_at), kind=KIND)

    def action(self, event: str) -> str:
        """Return what the sync log calls the write."""
        return WRITE

    def plan(self, delivery: Sighted, context: PlanContext) -> Plan | Skip:
        """Return the tags of all the person's subscriptions as they are now, and those that go (P44)."""
        gone = delivery.event in LEAVES
        order: Order | None = None if gone else delivery.record
        return recurring.plan(
            order.email if order is not None else "",
            context.modules,
            standing=context.leaves(delivery.source_id) if order is None else context.recurring(order),
            given=context.tags_given_by(KIND),
            of_orders=context.given_tags,
            known=context.known,
            gone=gone,
            locale=context.shop.locale,
        )

    def consents(self, delivery: Sighted, module: ConsentModule, known: Sequence[Consent]) -> Sequence[Consent] | None:
        """Return nothing: what its first order, or its buyer's account, has said counts."""
        return ()

    def refresh(self, store: StoreClient, ids: Collection[str]) -> Mapping[str, Payload]:
        """Read subscriptions again; those in the trash are left out."""
        return {str(row["id"]): row for row in reading.fetch_recurring(store, sorted(map(int, ids)))}

    def lacks_email(self, delivery: Sighted) -> bool:
        """Return False: a subscription that is gone takes its tags from the contact it is known by."""
        return False

    def look_up(self, store: StoreClient, source_id: str) -> Payload | None:
        """Read one subscription, from the trash too."""
        return reading.fetch_one(store, "subscriptions", int(source_id))

    def find_email(self, store: StoreClient, source_id: str) -> str | None:
        """Return None: it is never asked for."""
        return None

    def last_word(self, delivery: Sighted) -> str:
        """Return "": each says something of its own."""
        return ""

    def sample(self, store: StoreClient, modules: Modules, record_id: int | None) -> Payload:
        """Read one subscription, the newest without an id."""
        if record_id is not None:
            return samples.given(self.look_up(store, str(record_id)), "subscription", record_id)
        rows = samples.newest(store, "subscriptions", reading.order_fields(), 1)
        if not rows:
            samples.none("The store has no subscriptions yet.", "Try again when somebody has subscribed.")
        return rows[0]

    def admin_url(self, home: str, source_id: str) -> str:
        """Return the subscription's page in the store's administration."""
        return admin_order_url(home, source_id).replace("page=wc-orders", "page=wc-orders--shop_subscription", 1)


def moved(number: int, former: str, at: datetime | None, origin: Origin, seen_at: datetime) -> Change:
    """Return the change for the person `former` whose subscription was given to another address at `at`."""
    payload = {"id": number, "left": former, "at": str(at)}
    return Change(KIND, str(number), "moved", former, payload, seen_at, origin)
