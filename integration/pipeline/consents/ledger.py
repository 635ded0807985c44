"""Keeps the consent ledger: the one place where a consent is written down, whoever says it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from integration.events import content_hash
from integration.mapping.consent import Consent
from integration.models.consent import ConsentEntry
from integration.models.sql import is_sqlite, table_of

#: What an entry's `write_back` says until the store has it, and then.
WAITING, WRITTEN = "waiting", "written"
_VERSION_BYTES = 4


def add(
    session: Session,
    now: datetime,
    connector_id: int,
    consents: Iterable[tuple[str, Consent]],
    write_back: str = "",
) -> None:
    """Add entries, each a person key with what was said, in the caller's transaction; one that is there stays one."""
    rows = [_row(now, connector_id, person_key, each) | {"write_back": write_back} for person_key, each in consents]
    if rows:
        insert = (sqlite if is_sqlite(session) else postgresql).insert(table_of(ConsentEntry))
        session.execute(insert.on_conflict_do_nothing(), rows)


def _row(now: datetime, connector_id: int, person_key: str, said: Consent) -> dict[str, Any]:
    return {
        "connector_id": connector_id,
        "person_key": person_key,
        "email": said.email[:320],
        "state": said.state,
        "source": said.source,
        "ref": said.ref[:60],
        "key": said.key[:255],
        "value": said.value[:200],
        "wording": said.wording[:500],
        "version": version_of(said.wording),
        "said_at": said.at,
        "created_at": now,
        "mark": content_hash([person_key, *said.place, said.state, said.at.isoformat()]),
    }


def version_of(wording: str) -> str:
    """Return what tells a wording from another one, "" where none is known."""
    digest = hashlib.blake2b(wording.encode("utf-8", "surrogatepass"), digest_size=_VERSION_BYTES)
    return digest.hexdigest() if wording else ""


def known(session: Session, connector_id: int, person_keys: Iterable[str]) -> Mapping[str, Sequence[Consent]]:
    """Return person key -> what the ledger has of the person, in the order in which it was said."""
    mine = (ConsentEntry.connector_id == connector_id) & ConsentEntry.person_key.in_(sorted(set(person_keys)))
    query = select(ConsentEntry).where(mine).order_by(ConsentEntry.said_at, ConsentEntry.id)
    found: dict[str, list[Consent]] = {}
    for row in session.scalars(query):
        found.setdefault(row.person_key, []).append(of_row(row))
    return found


def of_row(row: ConsentEntry) -> Consent:
    """Return an entry as the rules see it."""
    return Consent(row.state, row.source, row.ref, row.said_at, row.email, row.key, row.value, row.wording)


def forget(session: Session, connector_id: int, source: str, ref: str) -> None:
    """Delete what one form or cart has said, because the person wants nothing of it kept."""
    mine = (ConsentEntry.connector_id == connector_id) & (ConsentEntry.source == source) & (ConsentEntry.ref == ref)
    session.execute(delete(ConsentEntry).where(mine).execution_options(synchronize_session=False))
