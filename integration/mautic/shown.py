"""What the contact of an answer shows of the row that was sent: Mautic says 200 also to what it did not take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integration.mautic import reading
from integration.plans import Value, below_one, is_blank

_DATES = frozenset({"date", "datetime", "time"})


def unknown(fields: Mapping[str, Value], contact: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the aliases that the contact does not have: the field was deleted, and its value ignored (mautic:041,
    mautic:303).

    Nothing, when the answer describes no fields.
    """
    held = reading.values_of(contact)
    if not reading.described(contact):
        return ()
    return tuple(alias for alias, value in fields.items() if alias not in held and not is_blank(value))


def behind(fields: Mapping[str, Value], contact: Mapping[str, Any]) -> frozenset[str]:
    """Return the aliases that hold another value although they are to be empty, or below 1.

    POST does not do that without emptying every field that is not sent (mautic:027).
    """
    held = reading.values_of(contact)
    wanted = {alias: value for alias, value in fields.items() if is_blank(value) or below_one(value)}
    return frozenset(alias for alias, value in wanted.items() if not _is_so(value, held.get(alias)))


def kept(fields: Mapping[str, Value], contact: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the date fields that still hold a date although the row emptied them (mautic:465, mautic:566)."""
    about = reading.described(contact)
    dates = (alias for alias, value in fields.items() if is_blank(value) and about.get(alias, {}).get("type") in _DATES)
    return tuple(alias for alias in dates if not is_nothing(about[alias].get("value")))


def is_nothing(held: Any) -> bool:
    """Tell whether Mautic holds nothing: an emptied number may be shown as 0 (mautic:467)."""
    return held in (None, "", 0) or held == [] or (isinstance(held, str) and not held.strip())


def _is_so(value: Value, held: Any) -> bool:
    if is_nothing(held):
        return True
    try:
        return not is_blank(value) and float(str(value)) == float(str(held))
    except ValueError:
        return False
