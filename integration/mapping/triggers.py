"""Since when a note or an e-mail of a status is wanted: what was reached before that sends nothing (P39, P40)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from integration.settings import OrderModule

NOTES = "orders.notes"


def email_of(status: str) -> str:
    """Return the name of the trigger of a status' e-mail, as the form names its input."""
    return f"orders.emails:{status}"


def renewed(stored: Mapping[str, str], before: OrderModule, after: OrderModule, now: datetime) -> dict[str, str]:
    """Return trigger -> moment it was set (ISO) after a change of settings; what did not change keeps its moment.

    A trigger without a moment was set before moments were kept, or by code: it counts since ever.
    """
    old, new = _wanted(before), _wanted(after)
    kept = {name: stored[name] for name, value in new.items() if old.get(name) == value and name in stored}
    return kept | {name: now.isoformat() for name, value in new.items() if old.get(name) != value}


def is_before(reached_at: datetime, trigger: str, stored: Mapping[str, str]) -> bool:
    """Tell whether a status was reached before its trigger was set; the store's dates have whole seconds."""
    since = stored.get(trigger)
    return since is not None and reached_at < datetime.fromisoformat(since).replace(microsecond=0)


def _wanted(module: OrderModule) -> dict[str, int]:
    emails = {email_of(status): number for status, number in module.emails.items() if number > 0}
    return emails | ({NOTES: 1} if module.notes else {})
