"""Small questions to a Mautic, each of which raises the error that names what is wrong: used by the diagnostics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from integration.errors import AuthRejected, Rejected
from integration.mautic.client import MauticClient

#: Area -> the cheapest read that needs its right (mautic:346 to mautic:351, dossier 2.5).
AREAS = {
    "contacts": ("contacts", {"limit": 1, "minimal": 1}),
    "fields": ("fields/contact", {"limit": 1}),
    "segments": ("segments", {"limit": 1}),
    "emails": ("emails", {"limit": 1}),
    "notes": ("notes", {"limit": 1}),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who Mautic takes us for; `admin` by the role."""

    id: int
    name: str
    role: str
    admin: bool


def identity(client: MauticClient) -> Identity | None:
    """Return who we are (mautic:019); None for client credentials whose pseudo user cannot be read (dossier 2.5).

    Raises what is wrong with the credentials.
    """
    try:
        value = client.get("users/self")
    except Rejected:
        return None
    except AuthRejected as error:
        if error.code != "no_right":
            raise
        return None
    return _identity(value) if isinstance(value, dict) else None


def _identity(value: dict[str, Any]) -> Identity:
    role = value.get("role")
    role = role if isinstance(role, dict) else {}
    number = value.get("id")
    name = str(value.get("username") or value.get("email") or "")
    return Identity(
        number if isinstance(number, int) else 0, name, str(role.get("name") or ""), bool(role.get("isAdmin"))
    )


def check(client: MauticClient, area: str) -> None:
    """Read one entry of an area (a key of AREAS); raises AuthRejected (no_right) naming the right, or other errors."""
    path, params = AREAS[area]
    client.get(path, params)


def writable(client: MauticClient) -> None:
    """Send an empty batch, which changes nothing (mautic:145); raises what stops every write, such as a firewall."""
    client.post("contacts/batch/new", [])
