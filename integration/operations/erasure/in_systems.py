"""What an erasure does in Mautic, as it was chosen, and in the store: coupons of carts name the person there."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integration.identity import person_key_of
from integration.mapping import aliases, field_map, places
from integration.mautic import reading
from integration.mautic.batches import BatchSize
from integration.mautic.client import MauticClient
from integration.mautic.contacts import ContactWriter
from integration.mautic.fields import unique_aliases
from integration.mautic.paging import number_of
from integration.mautic.results import ContactRow, Interrupted
from integration.mautic.search import email_of
from integration.models.connector import Connector
from integration.models.database import Database
from integration.operations.erasure.traces import Person, Traces, written
from integration.pipeline.connectors import neighbours
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
_SHARED = (
    "{}: contact {} stays in Mautic with what another connector has written there, for that one keeps the person; our "
    "own fields were emptied and our own tags taken off."
)


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
        _contacts(services.open_mautic(connector), _Beside.of(services, connector, person), one, person, chosen, done)
    return done


@dataclass(frozen=True)
class _Beside:
    """The connector, and the others that go to its Mautic: `staying` are those that keep the person."""

    db: Database
    connector: Connector
    staying: Sequence[int]
    name_space: str
    others_spaces: Collection[str]

    @classmethod
    def of(cls, services: Services, connector: Connector, person: Person) -> _Beside:
        leaving = {each.connector_id for each in person.traces}
        with services.db.read() as session:
            beside = neighbours.ids(session, connector.id)
            spaces = neighbours.name_spaces(session, beside)
        staying = [number for number in beside if number not in leaving]
        return cls(services.db, connector, staying, services.modules(connector).naming.name_space, spaces)

    def keeps(self, contact_id: int) -> frozenset[str] | None:
        """Return the fields and tags that those who stay have given a contact, None where none of them has it."""
        with self.db.read() as session:
            links = neighbours.links_to(session, self.staying, contact_id)
        return frozenset(name for fields in links for name in written(fields)) if links else None

    def may_be_ours(self, alias: str) -> bool:
        """Tell whether a field is one that only we can have filled, in the name space of today or a former one."""
        space = aliases.name_space_of(alias)
        return field_map.is_made_by_us(alias) and (space == self.name_space or space not in self.others_spaces)


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


def _contacts(client: MauticClient, beside: _Beside, one: Traces, person: Person, chosen: str, done: Done) -> None:
    shown = reading.by_ids(client, one.contacts)
    for contacts in reading.by_emails(client, person.words.addresses).values():
        shown |= {number_of(contact): contact for contact in contacts}
    name = beside.connector.name
    for number, contact in sorted(shown.items()):
        kept = beside.keeps(number)
        if person_key_of(email_of(contact)) not in one.keys:
            done.remains.append(f"{name}: contact {number} has another address by now and was left alone.")
        elif chosen == DELETE and kept is None:
            done.contacts += not contact_deletion.delete(client, number, one.keys).kept
        else:
            if kept is not None:
                done.remains.append(_SHARED.format(name, number))
            ours = [each for each in one.contacts.get(number, []) if each not in (kept or ())]
            done.contacts += _stripped(client, beside, contact, ours, kept or frozenset(), done)


def _stripped(
    client: MauticClient,
    beside: _Beside,
    contact: Mapping[str, Any],
    ours: list[str],
    theirs: Collection[str],
    done: Done,
) -> bool:
    """Empty what we filled and take our tags off, but nothing of `theirs`; tell whether Mautic took it."""
    known = fields_from_json(beside.connector.fields)
    held = reading.values_of(contact)
    # Our own fields are emptied even where it is not known any more who filled them.
    filled = [*ours, *(alias for alias in known if beside.may_be_ours(alias) and alias not in theirs)]
    empty = {alias: _nothing(known[alias]) for alias in filled if alias in known and held.get(alias) not in (None, "")}
    tags = {tag.casefold() for tag in reading.tags_of(contact)}
    gone = tuple(f"-{name.removeprefix('tag:')}" for name in ours if _is_given(name, tags))
    if not empty and not gone:
        return True
    number = number_of(contact)
    row = ContactRow(f"erasure-{number}", ContactWrite(email_of(contact), empty, gone), number, True, frozenset())
    try:
        (receipt,) = ContactWriter(client, BatchSize(1), places.alternates, unique_aliases(known)).upsert([row])
    except Interrupted as stop:
        raise stop.error from stop
    if receipt.error is not None:
        done.remains.append(f"{beside.connector.name}: contact {number} could not be emptied ({receipt.error.code}).")
    return receipt.error is None


def _is_given(name: str, tags: set[str]) -> bool:
    return name.startswith("tag:") and name.removeprefix("tag:").casefold() in tags


def _nothing(field: MauticField) -> str | None:
    """Return what empties a field: Mautic ignores "" for a date (mautic:465)."""
    return None if field.type in ("date", "datetime", "time") else ""
