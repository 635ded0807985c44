"""A customer who was deleted in the store: what becomes of the contact, as Contact Sync says."""

from __future__ import annotations

from integration.mapping import contacts
from integration.mapping.tags import spaced
from integration.plans import ContactWrite, DeleteContact, FollowUp, Plan, SegmentRemove, Skip
from integration.settings import Modules, where

KEPT = Skip("deleted_in_store", "The customer was deleted in the store; the contact stays in Mautic.")
UNKNOWN = Skip(
    "deleted_unknown", "The customer was deleted in the store, and no contact of theirs is known, so nothing is done."
)
NO_SEGMENT = Skip(
    "no_segment_to_leave",
    "The customer was deleted in the store, and no segment is set that the contact could leave; choose one under "
    f"{where('contacts.deleted_segment')}.",
)
_STATUS = "deleted"


def plan(customer_id: str, modules: Modules, *, known: bool) -> Plan | Skip:
    """Return what is done to the contact of a customer who is gone; `known` says that we know which one it is.

    It goes by the contact's id, for the store tells no address of who is gone.
    """
    module = modules.contacts
    if not module.enabled:
        return contacts.MODULE_OFF
    if module.on_delete == "keep":
        return KEPT
    if not known:
        return UNKNOWN
    if module.on_delete == "tag":
        return Plan(ContactWrite("", tags=(spaced(module.deleted_tag, modules.naming.name_space),)))
    acts = _acts(customer_id, modules)
    return Plan(ContactWrite(""), acts) if acts else NO_SEGMENT


def segments_set(modules: Modules) -> tuple[int, ...]:
    """Return the segments that the settings of the modules put contacts into, each once."""
    found = [*modules.orders.segments.values(), modules.carts.segment, modules.subscribe.segment]
    return tuple(sorted({number for number in found if number}))


def _acts(customer_id: str, modules: Modules) -> tuple[FollowUp, ...]:
    mark = f"customer-{customer_id}"
    if modules.contacts.on_delete == "delete":
        return (DeleteContact(mark, _STATUS, int(customer_id)),)
    chosen = modules.contacts.deleted_segment
    numbers = (chosen,) if chosen else segments_set(modules)
    return tuple(SegmentRemove(number, mark, _STATUS) for number in numbers)
