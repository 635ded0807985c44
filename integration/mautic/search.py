"""What list answers hold: entities, and the address of a contact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def entries(value: object, noun: str) -> list[dict[str, Any]]:
    """Return the entities of a list answer, whether a list, an object by id, or empty as [] or {} (mautic:020,
    mautic:021, mautic:343).
    """
    found = value.get(noun) if isinstance(value, dict) else None
    inner: Iterable[object] = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return [entity for entity in inner if isinstance(entity, dict)]


def email_of(contact: Mapping[str, Any]) -> str:
    """Return the address of a contact, "" when it has none or was refused in an edit (mautic:162)."""
    fields = contact.get("fields")
    if not isinstance(fields, dict):
        return ""
    every = fields.get("all")
    if isinstance(every, dict):
        return str(every.get("email") or "").strip()
    core = fields.get("core")
    field = core.get("email") if isinstance(core, dict) else fields.get("email")
    value = field.get("value") if isinstance(field, dict) else field
    return str(value or "").strip()
