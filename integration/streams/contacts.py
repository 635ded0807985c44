"""Registered customers of the store, and who has filled in the subscribe form: each is a contact."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from integration.events import Change, Kind, Origin
from integration.mapping import consent, contacts, customer_deletion, lifetime
from integration.mapping.consent import Consent
from integration.plans import Plan, Skip
from integration.records import Customer, Subscriber
from integration.settings import ConsentModule, Modules, where
from integration.store import parse, reading
from integration.store.client import StoreClient
from integration.store.sanitizing import text_of
from integration.store.webhooks import admin_user_url
from integration.streams import consents, samples, subscriptions
from integration.streams.base import WRITE, Explanation, Labels, Payload, Phase, PlanContext, Sighted

KIND = Kind.CONTACT
#: What a person does in the shop; whatever else is read is not their doing.
_LIVE = (Origin.WEBHOOK, Origin.POLL)
#: So many of the newest customers are looked at for one with a role that is synced.
_SAMPLES_MAX = 20


def _plan(delivery: Sighted, context: PlanContext) -> Plan | Skip:
    if subscriptions.is_one(delivery.payload):
        return subscriptions.plan(delivery, context)
    modules, live = context.modules, delivery.origin in _LIVE
    return contacts.plan(
        delivery.record, modules.contacts, on_change=live, mapping=modules.mapping, naming=modules.naming
    )


def _with_sums(made: Plan, context: PlanContext) -> Plan:
    """Add what the person's orders come to: of those in a status that is not synced no record may ever say it (P38)."""
    orders = context.lifetime()
    if not (context.modules.orders.enabled and (orders.is_paid or context.has_told_sums)):
        return made
    sums, said = lifetime.told(orders, context.modules, context.currency)
    contact = replace(made.contact, fields={**made.contact.fields, **sums})
    return replace(made, contact=contact, adjustments=(*made.adjustments, *said))


class Contacts:
    """The stream of customers."""

    kind: Kind = KIND
    labels = Labels("Contact", "Contacts", "Customer", "Contact Sync")
    module = "contacts"
    phases: Sequence[Phase] = (Phase("customers", 2),)
    change_phases: Sequence[Phase] = (Phase("moved", 3),)
    numbered = False
    is_account = True
    in_ledger = False
    kept_here = False
    store_path = "customers"
    holds_tags = False
    collapses = True
    recurs = False
    optional = False
    is_cart = False
    nameless = False
    skip_reasons: Mapping[str, Explanation] = {
        "module_off": Explanation("Contact Sync is switched off.", where("contacts.enabled"), "contacts"),
        "no_email": Explanation(
            "The customer has no e-mail address, and Mautic finds its contacts by it.",
            "the customer in the store",
            "store",
        ),
        "deleted_in_store": Explanation(
            "The customer was deleted in the store; the contact stays in Mautic.",
            where("contacts.on_delete"),
            "contacts",
        ),
        customer_deletion.UNKNOWN.code: Explanation(
            "The customer was deleted in the store, and no contact of theirs is known.",
            "the contact in Mautic, if there is one: it was not made by this connector",
            "mautic",
        ),
        customer_deletion.NO_SEGMENT.code: Explanation(
            "The customer was deleted in the store, and no segment is set that the contact could leave.",
            where("contacts.deleted_segment"),
            "contacts",
        ),
        "contact_kept": Explanation(
            "The customer was deleted in the store, but something else holds the contact, so it stays in Mautic.",
            "the contact in Mautic: delete it there by hand, or erase the person under Privacy",
            "mautic",
        ),
        "not_on_change": Explanation(
            "Contact Sync leaves out customers who register or change their profile.",
            where("contacts.on_change"),
            "contacts",
        ),
        "older_account": Explanation(
            "Another account with the same e-mail address was changed later; its values stand in Mautic.",
            "the accounts in the store: give each an address of its own",
            "store",
        ),
        "role": Explanation("Customers with this role are not synced.", where("contacts.roles"), "contacts"),
        **subscriptions.SKIP_REASONS,
        **consents.SKIP_REASONS,
    }

    def is_enabled(self, modules: Modules) -> bool:
        """Return whether Contact Sync is on."""
        return modules.contacts.enabled

    def parse(self, payload: Payload) -> Customer | Subscriber:
        """Return the customer or the subscriber; raises MappingError."""
        return subscriptions.parse(payload) if subscriptions.is_one(payload) else parse.customer(payload)

    def change(self, payload: Payload, origin: Origin, seen_at: datetime) -> Change:
        """Return the change of a customer as read now, or of a subscription; raises MappingError (no_id)."""
        if subscriptions.is_one(payload):
            return subscriptions.change(payload, origin, seen_at)
        return parse.customer_change(payload, origin, seen_at, created=False)

    def action(self, event: str) -> str:
        """Return what the sync log calls the write."""
        return WRITE

    def plan(self, delivery: Sighted, context: PlanContext) -> Plan | Skip:
        """Return what to write for a customer (P10 to P17) or a subscriber (P100)."""
        if delivery.event == "deleted":
            return customer_deletion.plan(delivery.source_id, context.modules, known=context.known)
        made = _plan(delivery, context)
        return made if isinstance(made, Skip) else _with_sums(made, context)

    def consents(self, delivery: Sighted, module: ConsentModule, known: Sequence[Consent]) -> Sequence[Consent] | None:
        """Return what an account says; who has filled in the subscribe form has agreed there."""
        if subscriptions.is_one(delivery.payload):
            return subscriptions.consents(delivery, known)
        if delivery.event == "deleted":
            return None
        customer: Customer = delivery.record
        return consent.of_customer(customer, contacts.email_of(customer), module, delivery.payload_at)

    def refresh(self, store: StoreClient, ids: Collection[str]) -> Mapping[str, Payload]:
        """Read customers again."""
        return {str(row["id"]): row for row in reading.fetch_customers(store, sorted(map(int, ids)))}

    def lacks_email(self, delivery: Sighted) -> bool:
        """Return False: what becomes of a deleted customer's contact needs no address."""
        return False

    def look_up(self, store: StoreClient, source_id: str) -> Payload | None:
        """Read one customer."""
        return self.refresh(store, [source_id]).get(source_id)

    def find_email(self, store: StoreClient, source_id: str) -> str | None:
        """Return None: it is never asked for."""
        return None

    def last_word(self, delivery: Sighted) -> str:
        """Return comparable text of when the account was changed, its id at the end; "" for what is no account."""
        if subscriptions.is_one(delivery.payload):
            return ""
        customer: Customer = delivery.record
        at = customer.modified_at or customer.created_at
        return f"{at.isoformat() if at else ''}/{delivery.source_id:0>20}"

    def sample(self, store: StoreClient, modules: Modules, record_id: int | None) -> Payload:
        """Read one customer, the newest with a role that is synced without an id."""
        if record_id is not None:
            return samples.given(self.look_up(store, str(record_id)), "customer", record_id)
        asked = store.access.asked_of(KIND)
        rows = samples.newest(store, "customers", reading.customer_fields(asked), _SAMPLES_MAX, asked, role="all")
        if not rows:
            samples.none("The store has no customers yet.", "Try again when somebody has registered.")
        return next((row for row in rows if modules.contacts.takes(text_of(row.get("role")))), rows[0])

    def admin_url(self, home: str, source_id: str) -> str:
        """Return the customer's page in the store's administration, "" for who is none."""
        return "" if subscriptions.number_of(source_id) else admin_user_url(home, source_id)
