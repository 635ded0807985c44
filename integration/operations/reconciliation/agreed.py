"""Stamps of people: how a reconciliation knows again of whom nothing differed when they were compared last.

A stamp is a digest of all that decides what a comparison finds of a person: the connector's settings and Mautic's
fields, all that is stored of the person, the records as the store gave them to this program, and the contact as Mautic
showed it, as far as a comparison may look at it. So nobody has to think of taking a stamp away: whatever changes gives
another digest, and the person is compared again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from integration import program
from integration.digests import short
from integration.events import Change
from integration.identity import normalise_email, person_key_of
from integration.models.connector import Connector
from integration.models.membership import among
from integration.models.person_stamp import PersonStamp
from integration.models.sql import upsert
from integration.pipeline.delivery import read_back, stamps

_KNOWN = select(PersonStamp.person_key, PersonStamp.stamp).where(
    PersonStamp.connector_id == bindparam("connector_id"), among(PersonStamp.person_key, bindparam("person_keys"))
)


def known(session: Session, connector_id: int, person_keys: Collection[str]) -> dict[str, str]:
    """Return the stamps of those of these people who have one."""
    values = {"connector_id": connector_id, "person_keys": list(person_keys)}
    return dict(session.execute(_KNOWN, values).tuples().all())


def keep(session: Session, connector_id: int, found: Mapping[str, str]) -> None:
    """Write stamps over those that the people have."""
    rows = [{"connector_id": connector_id, "person_key": key, "stamp": found[key]} for key in sorted(found)]
    upsert(session, PersonStamp, rows, ("stamp",))


def stored(session: Session, connector: Connector, person_keys: Collection[str]) -> dict[str, str]:
    """Return by person a digest of the connector and of all that is stored of the person.

    It is asked for before what a comparison is made of: what changes between makes a stamp that never holds.
    """
    return digests(connector, stamps.stored(session, connector, sorted(person_keys)))


def digests(connector: Connector, found: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return the same of what `stamps.stored` has found."""
    # The address of the shop is in the comment by which our own Do Not Contact is known (consents/gate.py).
    ground = (stamps.ground(connector), connector.store_url)
    return {person_key: short(repr((ground, sorted(rows)))) for person_key, rows in found.items()}


def stamp(kept: str, rows: Iterable[str], further: Iterable[Change], contact: str) -> str:
    """Return a person's stamp; `kept` is what `stored` gave, `further` is what is beside profile and orders.

    `rows` are the digests of these as the store gave them, `contact` is what `of_contact` gave of the only one with the
    person's address.
    """
    return short(repr((program.digest(), kept, sorted(rows), sorted(map(_said, further)), contact)))


def of_contact(contact: Mapping[str, Any]) -> str:
    """Return a digest of all of a contact that a comparison may look at."""
    return short(repr(read_back.looked_at(contact)))


def address_of(person_key: str, addresses: Iterable[str]) -> str:
    """Return that of the addresses by which the person is known, normalised, "" where none is."""
    return next((normalise_email(each) for each in addresses if each and person_key_of(each) == person_key), "")


def only(contacts: Mapping[str, Sequence[Mapping[str, Any]]], address: str) -> Mapping[str, Any] | None:
    """Return the contact that has a normalised address, None where there is none or another one beside it."""
    found = contacts.get(address, ())
    return found[0] if len(found) == 1 else None


def _said(change: Change) -> str:
    return repr((change.kind, change.source_id, change.event, change.modified_at, change.payload))
