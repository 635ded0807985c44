"""The chain of an organisation's audit entries: each hash covers the entry and the hash of the one before it.

An entry that was altered, added or taken out since shows where the chain breaks. Two things do not show: that the
newest entries were cut off, and that somebody who can write to the database hashed everything anew. Who notes down the
newest hash from time to time can see these, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, select, text
from sqlalchemy.orm import Session

from integration.models.audit import AuditAction, AuditAnchor, AuditEntry
from integration.models.organisation import Organisation

#: What a hash covers beside the hash before it; the id is the database's own.
COVERED = ("organisation_id", "connector_id", "at", "actor", "ip", "action", "entity", "diff")
#: Entries of no organisation, such as failed sign-ins of unknown people, are chain 0.
NOBODY = 0
CHAIN_BATCH_ROWS = 1000
#: Under this name an entry vouches for those that a person was erased from: [id, hash, digest of what is left].
REDACTED = "redacted"
_LOCKS = 7322
_COLUMNS = [AuditEntry.id, *(getattr(AuditEntry, name) for name in (*COVERED, "previous_hash", "hash"))]

ALTERED = "The entry was altered after it was written."
MISSING = "The entry before it was taken out, or another was put in between."
UNHASHED = "The entry has no hash although entries before it have one: it was not written by the application."


@dataclass
class Chain:
    """What verify found; `checked` entries fit, `uncovered` ones were written before there was a chain.

    `redacted` are those of the fitting ones that an erased person was taken out of, as a later entry vouches for.
    `retired` entries were removed by retention and `anchor` is the hash of the newest of them, "" for none. `head` is
    the hash of the newest entry that fits. `broken_id` is the first entry that does not fit and `problem` says why.
    """

    organisation_id: int | None
    checked: int = 0
    uncovered: int = 0
    redacted: int = 0
    retired: int = 0
    anchor: str = ""
    head: str = ""
    broken_id: int | None = None
    problem: str = ""

    @property
    def ok(self) -> bool:
        """Return whether all entries fit."""
        return self.broken_id is None


def digest(previous: str, fields: Mapping[str, Any]) -> str:
    """Return the hash of an entry: SHA-256 of JSON that is the same before and after the database."""
    at: datetime = fields["at"]
    covered = {name: fields[name] for name in COVERED}
    covered["at"] = at.astimezone(UTC).isoformat(timespec="microseconds")
    canonical = json.dumps([previous, covered], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def lock(session: Session, organisation_id: int | None) -> None:
    """Let writers of one chain go one after the other on PostgreSQL; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        key = {"space": _LOCKS, "id": organisation_id or NOBODY}
        session.execute(text("SELECT pg_advisory_xact_lock(:space, :id)"), key)


def newest_hash(session: Session, organisation_id: int | None) -> str:
    """Return the hash that the next entry continues from, "" at the very beginning."""
    newest = select(AuditEntry.hash).where(of(organisation_id)).order_by(AuditEntry.id.desc()).limit(1)
    found = session.scalar(newest)
    return found if found is not None else _anchor(session, organisation_id)[0]


def verify(session: Session, organisation_id: int | None = None) -> list[Chain]:
    """Check an organisation's chain, or all chains for None, a batch of rows at a time; one Chain each."""
    chains = [organisation_id] if organisation_id is not None else _all(session)
    return [_verified(session, each or None) for each in chains]


def _all(session: Session) -> list[int]:
    return [*session.scalars(select(Organisation.id).order_by(Organisation.id)), NOBODY]


def _verified(session: Session, organisation_id: int | None) -> Chain:
    anchor, retired = _anchor(session, organisation_id)
    chain = Chain(organisation_id, retired=retired, anchor=anchor, head=anchor)
    vouched = _vouched(session, organisation_id)
    for row in _rows(session, organisation_id):
        chain.problem = _problem(session, chain, row, vouched)
        if chain.problem:
            chain.broken_id = row.id
            break
        chain.checked += bool(row.hash)
        chain.uncovered += not row.hash
        chain.redacted += bool(row.hash) and not _fits(row)
        chain.head = row.hash
    return chain


def _vouched(session: Session, organisation_id: int | None) -> dict[tuple[int, str], set[str]]:
    """Return (id, hash) of each redacted entry -> the digests that later entries vouch for.

    That those entries are themselves what they were is checked when the walk comes to them.
    """
    wanted = select(AuditEntry.id, AuditEntry.diff).where(of(organisation_id), AuditEntry.action == AuditAction.ERASED)
    found: dict[tuple[int, str], set[str]] = {}
    for voucher, diff in session.execute(wanted).tuples():
        for number, known, left in (diff or {}).get(REDACTED) or ():
            if number < voucher:
                found.setdefault((number, known), set()).add(left)
    return found


def _fits(row: Row[Any]) -> bool:
    return bool(digest(row.previous_hash, dict(row._mapping)) == row.hash)


def _problem(session: Session, chain: Chain, row: Row[Any], vouched: Mapping[tuple[int, str], set[str]]) -> str:
    """Return what is wrong with the entry that follows what was checked so far, "" when it fits."""
    if not row.hash:
        return UNHASHED if chain.head else ""
    left = vouched.get((row.id, row.hash), set())
    if not _fits(row) and digest(row.previous_hash, dict(row._mapping)) not in left:
        return ALTERED
    if row.previous_hash != chain.head and not _retired_meanwhile(session, chain, row.previous_hash):
        return MISSING
    return ""


def _retired_meanwhile(session: Session, chain: Chain, previous: str) -> bool:
    """Return whether retention took the entries up to this one while they were being checked."""
    return bool(previous) and _anchor(session, chain.organisation_id)[0] == previous


def _rows(session: Session, organisation_id: int | None) -> Iterator[Row[Any]]:
    last = 0
    while True:
        query = select(*_COLUMNS).where(of(organisation_id), AuditEntry.id > last).order_by(AuditEntry.id)
        rows = session.execute(query.limit(CHAIN_BATCH_ROWS)).all()
        yield from rows
        if len(rows) < CHAIN_BATCH_ROWS:
            return
        last = rows[-1].id


def _anchor(session: Session, organisation_id: int | None) -> tuple[str, int]:
    where = AuditAnchor.organisation_id == (organisation_id or NOBODY)
    row = session.execute(select(AuditAnchor.hash, AuditAnchor.entries).where(where)).one_or_none()
    return (row.hash, row.entries) if row else ("", 0)


def of(organisation_id: int | None) -> ColumnElement[bool]:
    """Return the condition of one chain."""
    column = AuditEntry.organisation_id
    return column.is_(None) if organisation_id is None else column == organisation_id
