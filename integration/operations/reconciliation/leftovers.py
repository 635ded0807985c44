"""Who is in the ledger or linked to a contact, and who of them the store has no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.identity import person_key_of
from integration.mautic.paging import number_of
from integration.mautic.search import email_of
from integration.models.contact_link import ContactLink
from integration.models.ledger import CustomerMark, LedgerEntry
from integration.models.membership import among
from integration.operations.reconciliation import findings as found_rows
from integration.operations.reconciliation.findings import Finding
from integration.pipeline.ingest import order_ledger

GONE = "The store has no customer and no order of this person any more; the contact stays in Mautic."
STRANGE = "This contact carries our fields, but the store has nobody with its e-mail address."


@dataclass(frozen=True, slots=True)
class Link:
    """One contact link."""

    person_key: str
    contact_id: int


def buyers(session: Session, connector_id: int, after: str, limit: int | None, until: str | None = None) -> list[str]:
    """Return the next people with orders, in order of person key; without a limit up to one of them, that one too."""
    query = (
        select(LedgerEntry.person_key)
        .where(
            LedgerEntry.connector_id == connector_id,
            LedgerEntry.person_key > after,
            LedgerEntry.status != order_ledger.GONE,
            *(() if until is None else (LedgerEntry.person_key <= until,)),
        )
        .group_by(LedgerEntry.person_key)
        .order_by(LedgerEntry.person_key)
    )
    return list(session.scalars(query.limit(limit)))


def links(session: Session, connector_id: int, after: str, limit: int) -> list[Link]:
    """Return the next contact links, in order of person key."""
    query = (
        select(ContactLink.person_key, ContactLink.contact_id)
        .where(ContactLink.connector_id == connector_id, ContactLink.person_key > after)
        .order_by(ContactLink.person_key)
    )
    return [Link(person_key, number) for person_key, number in session.execute(query.limit(limit)).tuples()]


def sent_here(session: Session, connector_id: int, person_keys: Collection[str]) -> set[str]:
    """Return those of the people whom a program has told us of: that the store knows nothing of them is no finding."""
    orders = select(LedgerEntry.person_key).where(
        LedgerEntry.connector_id == connector_id,
        among(LedgerEntry.person_key, person_keys),
        LedgerEntry.order_id < 0,
        LedgerEntry.status != order_ledger.GONE,
    )
    accounts = select(CustomerMark.person_key).where(
        CustomerMark.connector_id == connector_id,
        among(CustomerMark.person_key, person_keys),
        CustomerMark.customer_id < 0,
    )
    return set(session.scalars(orders)) | set(session.scalars(accounts))


def linked(link: Link) -> Finding:
    """Return the surplus of a link whose person the store has no more."""
    return Finding("surplus", link.person_key, GONE, contact_id=link.contact_id)


def strangers(
    session: Session, connector_id: int, reconciliation_id: int, contacts: Sequence[Mapping[str, Any]]
) -> list[Finding]:
    """Return the surplus among contacts that carry our fields: nobody of the store has their address or their id."""
    person_keys = {number_of(contact): _person_key(contact) for contact in contacts}
    known = found_rows.met(session, reconciliation_id, person_keys.values())
    query = select(ContactLink.contact_id).where(
        ContactLink.connector_id == connector_id, among(ContactLink.contact_id, person_keys)
    )
    ours = set(session.scalars(query))
    return [
        Finding("surplus", person_key, STRANGE, contact_id=number)
        for number, person_key in person_keys.items()
        if number not in ours and person_key not in known
    ]


def _person_key(contact: Mapping[str, Any]) -> str:
    address = email_of(dict(contact))
    return person_key_of(address) if address else f"mautic:{number_of(contact)}"
