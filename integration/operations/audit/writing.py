"""Writes entries of the audit log: each carries the hash of the one before it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from integration.models.audit import AuditAction, AuditEntry
from integration.operations.audit import chain
from integration.operations.audit.diffs import masked_diff


class AppendOnly(RuntimeError):
    """Raised when code tries to alter or delete an entry of the audit log."""


def record(
    session: Session,
    *,
    clock_now: datetime,
    organisation_id: int | None,
    connector_id: int | None = None,
    actor: str,
    ip: str = "",
    action: AuditAction,
    entity: str = "",
    diff: Mapping[str, Any] | None = None,
) -> None:
    """Add one entry within the caller's write session and flush; `diff` is {field: [before, after]}, masked here.

    Until the transaction ends, other writers of the organisation's chain wait: record last.
    """
    fields = {
        "organisation_id": organisation_id,
        "connector_id": connector_id,
        "at": clock_now,
        "actor": _text(actor, 254),
        "ip": _text(ip, 45),
        "action": str(action),
        "entity": _text(entity, 120),
        "diff": masked_diff(diff or {}),
    }
    chain.lock(session, organisation_id)
    previous = chain.newest_hash(session, organisation_id)
    session.add(AuditEntry(**fields, previous_hash=previous, hash=chain.digest(previous, fields)))
    session.flush()


def _text(value: str, longest: int) -> str:
    # PostgreSQL stores no NUL, and the hash must cover what is stored.
    return value.replace("\x00", "")[:longest]


def _refuse(mapper: object, connection: object, target: AuditEntry) -> None:
    raise AppendOnly(f"audit entry {target.id} must stay as it was written")


event.listen(AuditEntry, "before_update", _refuse)
event.listen(AuditEntry, "before_delete", _refuse)
