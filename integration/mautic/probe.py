"""Small questions to a Mautic, each of which raises the error that names what is wrong: used by the diagnostics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from integration.errors import AuthRejected, NotSetUp, Rejected
from integration.http.transport import Answer, Transport
from integration.mautic import causes
from integration.mautic.access import MauticAccess, root
from integration.mautic.answers import SERVICE, classify, first_problem
from integration.mautic.client import MauticClient

#: Area -> the cheapest read that needs its right (346-351, dossier 2.5).
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


def reach(access: MauticAccess, transport: Transport) -> Answer:
    """Ask without credentials and return the answer, which must be Mautic's own refusal (mautic:001) or a good one.

    Raises NotSetUp (redirected, not_mautic, api_disabled, no_route, …), Unreachable, Throttled or ServerFault.
    """
    answer = transport.send("GET", f"{root(access.url)}/api/users/self")
    problem = first_problem(_json(answer))
    if answer.status == 401 and problem is not None:
        return answer
    error = classify(answer, datetime.now(UTC), basic=False, path="users/self")
    if error is not None:
        raise error
    if not isinstance(_json(answer), dict):
        raise NotSetUp(SERVICE, "not_mautic", *causes.NOT_MAUTIC, status=answer.status)
    return answer


def _json(answer: Answer) -> object:
    try:
        return answer.json()[0]
    except ValueError:
        return None


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


def version(client: MauticClient) -> str:
    """Return the Mautic-Version, "" when a proxy drops the header; it comes only once authenticated (mautic:001,
    mautic:019).
    """
    if not client.version:
        check(client, "contacts")
    return client.version


def check(client: MauticClient, area: str) -> None:
    """Read one entry of an area (a key of AREAS); raises AuthRejected (no_right) naming the right, or other errors."""
    path, params = AREAS[area]
    client.get(path, params)


def writable(client: MauticClient) -> None:
    """Send an empty batch, which changes nothing (mautic:145); raises what stops every write, such as a firewall."""
    client.post("contacts/batch/new", [])
