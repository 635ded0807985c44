"""Finds contacts by e-mail address."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from integration.mautic.client import MauticClient

#: Contacts looked at in one search: more of one address than that need no longer list.
MOST = 200


def entries(value: object, noun: str) -> list[dict[str, Any]]:
    """Return the entities of a list answer, whether a list, an object by id, or empty as [] or {} (020, 021, 343)."""
    found = value.get(noun) if isinstance(value, dict) else None
    inner: Iterable[object] = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return [entity for entity in inner if isinstance(entity, dict)]


def email_of(contact: dict[str, Any]) -> str:
    """Return the address of a contact, "" when it has none or was refused in an edit (162)."""
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


def find_by_email(client: MauticClient, addresses: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Return the ids of the contacts with each address, oldest first, by case-folded address (078-085, 178)."""
    query = " or ".join(f"email:{address}" for address in addresses)
    params = {"search": query, "limit": MOST, "orderBy": "id", "minimal": 1}
    found: dict[str, list[int]] = {}
    for contact in entries(client.get("contacts", params), "contacts"):
        found.setdefault(email_of(contact).casefold(), []).append(int(contact["id"]))
    return {address: tuple(sorted(ids)) for address, ids in found.items()}
