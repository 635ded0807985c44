"""Since when a note, an e-mail of a status or a reminder is wanted: what was before sends nothing (P39, P40, P50)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from integration.settings import Modules

NOTES = "orders.notes"
CARTS = "carts.enabled"
#: No trigger, but as they are: the moment since which fields and tags have their names of today.
NAME_SPACE = "naming.name_space"


def email_of(status: str) -> str:
    """Return the name of the trigger of a status' e-mail, as the form names its input."""
    return f"orders.emails:{status}"


def renewed(stored: Mapping[str, str], before: Modules, after: Modules, now: datetime) -> dict[str, str]:
    """Return trigger -> moment it was set (ISO) after a change of settings; what did not change keeps its moment.

    A trigger without a moment was set before moments were kept, or by code: it counts since ever.
    """
    old, new = _wanted(before), _wanted(after)
    kept = {name: stored[name] for name, value in new.items() if old.get(name) == value and name in stored}
    return kept | {name: now.isoformat() for name, value in new.items() if old.get(name) != value}


def is_before(reached_at: datetime, trigger: str, stored: Mapping[str, str]) -> bool:
    """Tell whether a status was reached before its trigger was set; the store's dates have whole seconds."""
    began = since(trigger, stored)
    return began is not None and reached_at < began.replace(microsecond=0)


def since(trigger: str, stored: Mapping[str, str]) -> datetime | None:
    """Return the moment that a trigger was set, None when it counts since ever."""
    moment = stored.get(trigger)
    return None if moment is None else datetime.fromisoformat(moment)


def _wanted(modules: Modules) -> dict[str, int | str]:
    orders = modules.orders
    emails: dict[str, int | str] = {email_of(status): number for status, number in orders.emails.items() if number > 0}
    switches = {NOTES: orders.notes, CARTS: modules.carts.enabled}
    return emails | {name: 1 for name, is_on in switches.items() if is_on} | {NAME_SPACE: modules.naming.name_space}
