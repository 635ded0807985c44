"""Who is in the book, and who of them the store has no more."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.events import subject_of
from integration.mautic.paging import number_of
from integration.mautic.search import email_of
from integration.models.contact_link import ContactLink
from integration.models.ledger import LedgerEntry
from integration.operations.reconciliation import book
from integration.operations.reconciliation.book import Finding
from integration.pipeline import ledger

GONE = "The store has no customer and no order of this person any more; the contact stays in Mautic."
STRANGE = "This contact carries our fields, but the store has nobody with its e-mail address."


@dataclass(frozen=True, slots=True)
class Link:
    """One contact link."""

    subject: str
    contact_id: int


def buyers(session: Session, connector_id: int, after: str, limit: int) -> list[str]:
    """Return the next people with orders, in order of subject."""
    query = (
        select(LedgerEntry.subject)
        .where(LedgerEntry.connector_id == connector_id, LedgerEntry.subject > after, LedgerEntry.status != ledger.GONE)
        .group_by(LedgerEntry.subject)
        .order_by(LedgerEntry.subject)
    )
    return list(session.scalars(query.limit(limit)))


def links(session: Session, connector_id: int, after: str, limit: int) -> list[Link]:
    """Return the next contact links, in order of subject."""
    query = (
        select(ContactLink.subject, ContactLink.contact_id)
        .where(ContactLink.connector_id == connector_id, ContactLink.subject > after)
        .order_by(ContactLink.subject)
    )
    return [Link(subject, number) for subject, number in session.execute(query.limit(limit)).tuples()]


def linked(link: Link) -> Finding:
    """Return the surplus of a link whose person the store has no more."""
    return Finding("surplus", link.subject, GONE, contact_id=link.contact_id)


def strangers(
    session: Session, connector_id: int, reconciliation_id: int, contacts: Sequence[Mapping[str, Any]]
) -> list[Finding]:
    """Return the surplus among contacts that carry our fields: nobody of the store has their address or their id."""
    subjects = {number_of(contact): _subject(contact) for contact in contacts}
    known = book.met(session, reconciliation_id, subjects.values())
    query = select(ContactLink.contact_id).where(
        ContactLink.connector_id == connector_id, ContactLink.contact_id.in_(list(subjects))
    )
    ours = set(session.scalars(query))
    return [
        Finding("surplus", subject, STRANGE, contact_id=number)
        for number, subject in subjects.items()
        if number not in ours and subject not in known
    ]


def _subject(contact: Mapping[str, Any]) -> str:
    address = email_of(dict(contact))
    return subject_of(address) if address else f"mautic:{number_of(contact)}"
