"""What an erasure does in Mautic, as it was chosen, and in the store: coupons of carts name the person there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from integration.identity import person_key_of
from integration.mapping import places
from integration.mautic import reading
from integration.mautic.batches import BatchSize
from integration.mautic.client import MauticClient
from integration.mautic.contacts import ContactWriter
from integration.mautic.fields import unique_aliases
from integration.mautic.paging import number_of
from integration.mautic.results import ContactRow, Interrupted
from integration.mautic.search import email_of
from integration.models.connector import Connector
from integration.operations.erasure.traces import Person, Traces
from integration.pipeline.delivery import contact_deletion
from integration.pipeline.delivery.batch_context import fields_from_json
from integration.pipeline.services import Services
from integration.plans import ContactWrite, MauticField
from integration.store import coupons as store

KEEP, STRIP, DELETE = "keep", "strip", "delete"
#: What becomes of the contact in Mautic -> how people are told.
CHOICES = {
    KEEP: "Leave the contact in Mautic as it is",
    STRIP: "Empty the fields that we filled and take our tags off; the contact and its address stay",
    DELETE: "Delete the contact in Mautic",
}


@dataclass
class Done:
    """What was done in one connector's two systems: numbers, and sentences of what stays."""

    connector: str
    contacts: int = 0
    coupons: int = 0
    remains: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as a receipt has it."""
        return {"connector": self.connector, "contacts": self.contacts, "coupons": self.coupons}


def do(services: Services, connector: Connector, one: Traces, person: Person, chosen: str) -> Done:
    """Do in the store and in Mautic what is to be done; again is harmless. Raises ServiceError and SettingError."""
    done = Done(connector.name)
    if (one.coupons or one.codes) and connector.store_url:
        _coupons(services, connector, one, done)
    if chosen != KEEP and connector.mautic_url:
        _contacts(services.open_mautic(connector), connector, one, person, chosen, done)
    return done


def _coupons(services: Services, connector: Connector, one: Traces, done: Done) -> None:
    """Delete the coupons of the person's carts that no order has used; a used one belongs to the order."""
    client = services.open_store(connector)
    made = [number for code in one.codes if (number := store.id_of(client, code)) is not None]
    cleared = store.delete_unused(client, {*one.coupons, *made})
    done.coupons = len(cleared.deleted)
    if cleared.used:
        named = ", ".join(map(str, sorted(cleared.used)))
        done.remains.append(f"{connector.name}: an order has used coupon {named}, so it stays in the store.")
    if cleared.kept:
        named = ", ".join(map(str, sorted(cleared.kept)))
        done.remains.append(
            f"{connector.name}: the store keeps coupon {named}, or does not tell of it; delete it there."
        )


def _contacts(client: MauticClient, connector: Connector, one: Traces, person: Person, chosen: str, done: Done) -> None:
    shown = reading.by_ids(client, one.contacts)
    for contacts in reading.by_emails(client, person.words.addresses).values():
        shown |= {number_of(contact): contact for contact in contacts}
    for number, contact in sorted(shown.items()):
        if person_key_of(email_of(contact)) not in one.keys:
            done.remains.append(f"{connector.name}: contact {number} has another address by now and was left alone.")
        elif chosen == DELETE:
            done.contacts += not contact_deletion.delete(client, number, one.keys).kept
        else:
            done.contacts += _stripped(client, connector, contact, one.contacts.get(number, []), done)


def _stripped(
    client: MauticClient, connector: Connector, contact: Mapping[str, Any], written: list[str], done: Done
) -> bool:
    """Empty what we filled and take our tags off; tell whether Mautic took it."""
    known = fields_from_json(connector.fields)
    held = reading.values_of(contact)
    # Our own fields are emptied even where it is not known any more who filled them.
    ours = [*written, *(alias for alias in known if alias.startswith("mautic_woo_"))]
    empty = {alias: _nothing(known[alias]) for alias in ours if alias in known and held.get(alias) not in (None, "")}
    tags = {tag.casefold() for tag in reading.tags_of(contact)}
    gone = tuple(f"-{name.removeprefix('tag:')}" for name in written if _is_given(name, tags))
    if not empty and not gone:
        return True
    number = number_of(contact)
    row = ContactRow(f"erasure-{number}", ContactWrite(email_of(contact), empty, gone), number, True, frozenset())
    try:
        (receipt,) = ContactWriter(client, BatchSize(1), places.alternates, unique_aliases(known)).upsert([row])
    except Interrupted as stop:
        raise stop.error from stop
    if receipt.error is not None:
        done.remains.append(f"{connector.name}: contact {number} could not be emptied ({receipt.error.code}).")
    return receipt.error is None


def _is_given(name: str, tags: set[str]) -> bool:
    return name.startswith("tag:") and name.removeprefix("tag:").casefold() in tags


def _nothing(field: MauticField) -> str | None:
    """Return what empties a field: Mautic ignores "" for a date (mautic:465)."""
    return None if field.type in ("date", "datetime", "time") else ""
