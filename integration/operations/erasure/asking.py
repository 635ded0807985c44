"""Asking for an erasure: what would go is counted first, then the job is written down, the person in it sealed."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from integration.digests import digest
from integration.errors import SettingError
from integration.identity import normalise_email, person_key_of, visible
from integration.models.connector import Connector
from integration.models.delivery import Delivery
from integration.models.erasure import BlockedAddress, Erasure, ErasureState
from integration.models.sql import upsert
from integration.models.user import User
from integration.operations.erasure import rows
from integration.operations.erasure.in_systems import CHOICES
from integration.operations.erasure.traces import gather
from integration.pipeline.audited import Audit, unaudited
from integration.pipeline.ingest import blocked
from integration.pipeline.services import Services


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for: whose address, in which connector (None is all), and what becomes of the rest."""

    email: str
    connector_id: int | None
    in_mautic: str
    block: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What an erasure would remove: `counts` by what it is, how many contacts are linked, and how many other addresses.

    `works_here` says that a user of the application has the address, which stays.
    """

    counts: Mapping[str, int]
    contacts: int
    others: int
    works_here: bool


def checked(email: str, connector_id: int | None, in_mautic: str, block: bool = False) -> Asked:
    """Return what is asked for; raises SettingError (email, in_mautic)."""
    address = visible(email)
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        # What a store has taken may be no address by the rules, and has to go all the same.
        if address.strip("@ ").count("@") != 1 or any(letter.isspace() for letter in address):
            hint = "Write one whole address, such as ada@example.com."
            raise SettingError("email", "That is no e-mail address.", hint) from None
    if in_mautic not in CHOICES:
        raise SettingError("in_mautic", "Say what becomes of the contact in Mautic.", f"Choose {', '.join(CHOICES)}.")
    return Asked(address, connector_id, in_mautic, block)


def preview(services: Services, organisation_id: int, asked: Asked) -> Preview:
    """Return what would be removed now; raises SettingError (connector) where there is none."""
    ids = connectors_of(services, organisation_id, asked.connector_id)
    person = gather(services.db, asked.email, ids)
    counts: Counter[str] = Counter()
    with services.db.read() as session:
        for one in person.traces:
            for part in rows.of(one.connector_id, one):
                counts[part.name] += rows.count(session, part)
            open_ = rows.Part("records that wait", Delivery, rows.waiting(one.connector_id, one))
            counts[open_.name] += rows.count(session, open_)
        same = User.email == asked.email.casefold()
        works_here = bool(session.scalar(select(exists().where(same, User.organisation_id == organisation_id))))
    contacts = sum(len(one.contacts) for one in person.traces)
    keys = {key for one in person.traces for key in one.keys}
    return Preview({name: number for name, number in counts.items() if number}, contacts, len(keys) - 1, works_here)


def ask(
    services: Services, organisation_id: int, asked: Asked, asked_by: str, *, audit: Audit[Erasure] = unaudited
) -> int:
    """Write an erasure down and return its id; the job begins at once. Raises SettingError (connector, email)."""
    ids = connectors_of(services, organisation_id, asked.connector_id)
    person = gather(services.db, asked.email, ids)
    now, key = services.clock.now(), person_key_of(asked.email)
    with services.db.write() as session:
        _refuse_twice(session, organisation_id, asked, hash_of(asked.email))
        made = Erasure(
            receipt=str(uuid.uuid4()),
            organisation_id=organisation_id,
            connector_id=asked.connector_id,
            address_hash=hash_of(asked.email),
            in_mautic=asked.in_mautic,
            block=asked.block,
            state=ErasureState.WAITING,
            asked_by=asked_by[:254],
            asked_at=now,
            due_at=now,
            traces=services.vault.seal(person.to_json()),
        )
        session.add(made)
        if asked.block:
            where = {"organisation_id": organisation_id, "connector_id": asked.connector_id or blocked.ALL}
            keys = sorted({key, *(each for one in person.traces for each in one.keys)})
            upsert(session, BlockedAddress, [{**where, "person_key": each, "blocked_at": now} for each in keys])
        session.flush()
        audit(session, made)
        return made.id


def unblock(services: Services, organisation_id: int, email: str, *, audit: Audit[str] = unaudited) -> bool:
    """Take an address up again, everywhere; tell whether it was blocked. `audit` gets the hash of the address."""
    mine = BlockedAddress.organisation_id == organisation_id, BlockedAddress.person_key == person_key_of(email)
    with services.db.write() as session:
        gone = session.execute(delete(BlockedAddress).where(*mine).returning(BlockedAddress.person_key)).all()
        if gone:
            audit(session, hash_of(email))
    return bool(gone)


def hash_of(email: str) -> str:
    """Return the SHA-256 of the normalised address in hex digits: whoever has the address can compare it."""
    return digest(normalise_email(email))


def connectors_of(services: Services, organisation_id: int, connector_id: int | None) -> Sequence[int]:
    """Return the connectors of an organisation, or the one; raises SettingError (connector) where it is not theirs."""
    query = select(Connector.id).where(Connector.organisation_id == organisation_id).order_by(Connector.id)
    if connector_id is not None:
        query = query.where(Connector.id == connector_id)
    with services.db.read() as session:
        found = session.scalars(query).all()
    if connector_id is not None and not found:
        raise SettingError("connector", f"There is no connector {connector_id}.", "Choose one of the list, or all.")
    return found


def _refuse_twice(session: Session, organisation_id: int, asked: Asked, address_hash: str) -> None:
    same = (
        Erasure.organisation_id == organisation_id,
        Erasure.address_hash == address_hash,
        Erasure.ended_at.is_(None),
    )
    going = session.scalar(select(Erasure.receipt).where(*same))
    if going is not None:
        raise SettingError(
            "email", "This person is being erased already.", f"Wait for the receipt {going}, then ask again."
        )
