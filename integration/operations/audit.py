"""The audit log (F2): who did what, append-only."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Mapping
from datetime import date
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy import event
from sqlalchemy import select
from sqlalchemy.orm import Session

from integration.masking import is_secret
from integration.masking import mask_value
from integration.models.audit import AuditAction
from integration.models.audit import AuditEntry

CHANGED = "changed"


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
    """Add one entry within the caller's write session; `diff` is {field: [before, after]}, masked here."""
    session.add(
        AuditEntry(
            organisation_id=organisation_id,
            connector_id=connector_id,
            at=clock_now,
            actor=actor[:254],
            ip=ip[:45],
            action=action,
            entity=entity[:120],
            diff=masked_diff(diff or {}),
        )
    )


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return {field: [before, after]} of the fields that differ; a field missing on one side is None there."""
    names = dict.fromkeys([*before, *after])
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}


def masked_diff(diff: Mapping[str, Any]) -> dict[str, Any]:
    """Return the diff ready for JSON, the values of secret-named fields replaced by "changed"."""
    return {name: CHANGED if is_secret(name) else mask_value(_plain(value)) for name, value in diff.items()}


def entries(
    session: Session,
    organisation_id: int | None,
    *,
    connector_id: int | None = None,
    actor: str = "",
    action: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    before_id: int | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """Return an organisation's entries, newest first, from before `before_id`; None means all organisations."""
    wanted: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
        (organisation_id, AuditEntry.organisation_id.__eq__),
        (connector_id, AuditEntry.connector_id.__eq__),
        (actor or None, AuditEntry.actor.__eq__),
        (action or None, AuditEntry.action.__eq__),
        (since, AuditEntry.at.__ge__),
        (until, AuditEntry.at.__lt__),
        (before_id, AuditEntry.id.__lt__),
    ]
    query = select(AuditEntry).where(*[compare(value) for value, compare in wanted if value is not None])
    return list(session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _refuse(mapper: object, connection: object, target: AuditEntry) -> None:
    raise AppendOnly(f"audit entry {target.id} must stay as it was written")


event.listen(AuditEntry, "before_update", _refuse)
event.listen(AuditEntry, "before_delete", _refuse)
