"""Why records are skipped, code by code, and where that is changed (D5)."""

from __future__ import annotations

from dataclasses import dataclass

from integration.events import Kind


@dataclass(frozen=True, slots=True)
class Explanation:
    """A reason in one sentence; `where` says where it is changed, `page` is that page: a blueprint, store or mautic."""

    sentence: str
    where: str
    page: str


_CONTACT = {
    "module_off": Explanation("Contact Sync is switched off.", "Contact Sync, Enable", "contacts"),
    "no_email": Explanation(
        "The customer has no e-mail address, and Mautic finds its contacts by it.", "the customer in the store", "store"
    ),
}
_ANY = {
    "module_off": Explanation("Order Sync is switched off.", "Order Sync, Enable", "orders"),
    "no_email": Explanation(
        "The order has no e-mail address, and Mautic finds its contacts by it.",
        "the order's billing address in the store",
        "store",
    ),
    "draft": Explanation(
        "The order is a draft; it is synced by itself once it is placed.", "the order's status in the store", "store"
    ),
    "sku_filter": Explanation(
        "No product of the order has a SKU with one of the texts of the SKU filter.", "Order Sync, SKU filter", "orders"
    ),
    "status_not_synced": Explanation(
        "Orders with this status are not synced.", "Order Sync, Statuses: tick the status", "orders"
    ),
    "removed": Explanation(
        "The order was deleted or put into the trash, and nothing of it has to change in Mautic.",
        "the trash of the store: restore the order",
        "store",
    ),
    "moved": Explanation(
        "The order was given to another e-mail address, and nothing has to change at its former one.",
        "the order's billing address in the store",
        "store",
    ),
    "gone": Explanation(
        "The record is no longer in the store, so it could not be read again.",
        "the trash of the store: restore the record, then send it again",
        "store",
    ),
    "contact_gone": Explanation(
        "The contact was deleted in Mautic, so nothing of it has to change.",
        "Runs: a run that sends unchanged records too makes the contact again",
        "runs",
    ),
    "deleted_in_store": Explanation(
        "The customer was deleted in the store; the contact stays in Mautic.",
        "the contact in Mautic: delete it there by hand",
        "mautic",
    ),
    "not_on_change": Explanation(
        "Contact Sync leaves out customers who register or change their profile.",
        "Contact Sync, Sync on registration and profile change",
        "contacts",
    ),
    "older_account": Explanation(
        "Another account with the same e-mail address was changed later; its values stand in Mautic.",
        "the accounts in the store: give each an address of its own",
        "store",
    ),
    "role": Explanation("Customers with this role are not synced.", "Contact Sync, Roles", "contacts"),
    "unchanged": Explanation(
        "Mautic has all of it already: nothing has changed since the last sync.",
        "Runs: a run can be told to send unchanged records too",
        "runs",
    ),
}
CODES = frozenset(_ANY)
_OTHER = Explanation("Nothing had to be sent.", "the record's own page, which has the details", "records")


def explain(code: str, kind: str = Kind.ORDER) -> Explanation:
    """Return why a record was skipped with this code; `kind` tells what it was."""
    own = _CONTACT.get(code) if kind == Kind.CONTACT else None
    return own or _ANY.get(code, _OTHER)
