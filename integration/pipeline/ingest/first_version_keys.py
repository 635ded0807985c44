"""Moves what the first version stored of a person to the key of today, when a record of the person arrives.

A key cannot be turned back into an address, so that only a record that comes again can tell whose rows they are. It
concerns odd addresses alone: plain ones have kept their key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.errors import MappingError
from integration.identity import first_version_key, is_first_version_key_shared, normalise_email, person_key_of, visible
from integration.mapping.emails import fit_email
from integration.models.contact_link import ContactLink
from integration.models.delivery import Delivery
from integration.models.ledger import LedgerEntry
from integration.models.rekeying import rekey
from integration.pipeline.delivery.batch_context import fingerprint
from integration.plans import MauticField

_ANY_LENGTH = MauticField("email", "email", limit=None)


def move(session: Session, connector_id: int, addresses: Iterable[str]) -> None:
    """Give the rows of these people their key of today, in the caller's transaction."""
    odd = {address: key for address in set(addresses) if (key := first_version_key(address)) != person_key_of(address)}
    stored = _stored(session, connector_id, {key for address, key in odd.items() if visible(address)})
    for address, key in sorted(odd.items()):
        if key in stored and (not is_first_version_key_shared(address) or _is_theirs(session, connector_id, address)):
            session.flush()
            rekey(session.connection(), connector_id, key, person_key_of(address))
            stored.discard(key)


def _stored(session: Session, connector_id: int, keys: Collection[str]) -> set[str]:
    found: set[str] = set()
    for table in (ContactLink, LedgerEntry, Delivery) if keys else ():
        query = select(table.person_key).where(table.connector_id == connector_id, table.person_key.in_(sorted(keys)))
        found |= set(session.scalars(query.distinct()))
    return found


def _is_theirs(session: Session, connector_id: int, address: str) -> bool:
    """Tell whether a key that two mailboxes had was last used for this one: by the address that was sent with it."""
    query = select(ContactLink.fields).where(
        ContactLink.connector_id == connector_id, ContactLink.person_key == first_version_key(address)
    )
    sent = {value for name, value in (session.scalar(query) or {}).items() if name.endswith(".email")}
    return bool(sent) and sent <= set(_fingerprints(address))


def _fingerprints(address: str) -> Iterable[str]:
    try:
        email, _ = fit_email(address, _ANY_LENGTH)
    except MappingError:
        return ()
    return map(fingerprint, (email, normalise_email(email)))
