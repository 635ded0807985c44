"""Takes an erased person's words out of entries of the audit log, in such a way that the chain still proves the rest.

The hash of an entry stays as it was, so that the entries after it still continue from it, but it does not fit what the
entry says now. What does is told by a later entry of the same chain: which entries were redacted, the hash that each
had, and the digest of what is left. Whoever alters a redacted entry, or that one, is found out as before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from integration.models.audit import AuditAction, AuditEntry
from integration.models.database import Database
from integration.models.sql import table_of
from integration.operations.audit import chain
from integration.operations.audit.writing import record

#: So many entries are looked through in one read, and redacted by one vouching entry at most.
ROWS_AT_ONCE = 500
_TEXTS = ("actor", "entity", "diff")
_LONGEST = {"actor": 254, "entity": 120}


class Redactor(Protocol):
    """Tells which texts are of the person and takes the words out of them."""

    def are_in(self, text: str) -> bool:
        """Tell whether a text is of the person."""

    def erased_value(self, value: Any) -> Any:
        """Return a value without the words."""


def redact(
    db: Database,
    organisation_id: int | None,
    words: Redactor,
    now: datetime,
    *,
    actor: str,
    entity: str,
    spared: frozenset[str] = frozenset(),
    then: Callable[[Session, int], None] = lambda session, number: None,
) -> int:
    """Redact the entries of a chain that tell of a person and return how many; `spared` actors keep their name.

    Each batch and the entry that vouches for it are one transaction; `then` is called in it with the number.
    """
    done = 0
    for ids in _found(db, organisation_id, words, spared):
        with db.write() as session:
            chain.lock(session, organisation_id)
            vouched = [each for number in ids if (each := _redacted(session, number, words, spared)) is not None]
            if vouched:
                _vouch(session, organisation_id, vouched, now, actor, entity)
                then(session, len(vouched))
        done += len(vouched)
    return done


def _found(
    db: Database, organisation_id: int | None, words: Redactor, spared: frozenset[str]
) -> Iterator[Sequence[int]]:
    last = 0
    columns = (AuditEntry.id, *(getattr(AuditEntry, name) for name in _TEXTS))
    while True:
        query = select(*columns).where(chain.of(organisation_id), AuditEntry.id > last).order_by(AuditEntry.id)
        with db.read() as session:
            rows = session.execute(query.limit(ROWS_AT_ONCE)).all()
        if ids := [row.id for row in rows if words.are_in(_text(row, spared))]:
            yield ids
        if len(rows) < ROWS_AT_ONCE:
            return
        last = rows[-1].id


def _text(row: Row[Any], spared: frozenset[str]) -> str:
    return "\n".join(str(getattr(row, name)) for name in _TEXTS if not (name == "actor" and row.actor in spared))


def _redacted(session: Session, number: int, words: Redactor, spared: frozenset[str]) -> list[Any] | None:
    """Redact one entry; return what is vouched for, [] for one from before there was a chain, None if it is gone."""
    names = ("id", *chain.COVERED, "previous_hash", "hash")
    row = session.execute(select(*(getattr(AuditEntry, name) for name in names)).where(AuditEntry.id == number)).first()
    if row is None:
        return None
    fields = dict(row._mapping)
    new = {name: words.erased_value(fields[name]) for name in _TEXTS if not (name == "actor" and row.actor in spared)}
    new |= {name: str(new[name])[:longest] for name, longest in _LONGEST.items() if name in new}
    session.execute(update(table_of(AuditEntry)).where(table_of(AuditEntry).c.id == number).values(**new))
    return [number, row.hash, chain.digest(row.previous_hash, fields | new)]


def _vouch(
    session: Session, organisation_id: int | None, vouched: Sequence[list[Any]], now: datetime, actor: str, entity: str
) -> None:
    record(
        session,
        clock_now=now,
        organisation_id=organisation_id,
        actor=actor,
        action=AuditAction.ERASED,
        entity=entity,
        diff={chain.REDACTED: list(vouched)},
    )
