"""The store's dates: the one reader of what PHP and plugins write for a moment, or for none."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from integration.errors import MappingError
from integration.store.sanitizing import text_of

#: The first and last years of the calendar cannot be shown in every time zone.
FIRST_YEAR, LAST_YEAR = 1000, 9998
#: What PHP makes of no date: "0", "0000-00-00 00:00:00", and that read as a date, "-0001-11-30T00:00:00".
_NONE = ("0000", "-")


def moment(value: Any, field: str) -> datetime | None:
    """Return a *_gmt date, which has no zone, as aware UTC; None for a missing one; raises MappingError."""
    text = text_of(value).strip()
    if text in ("", "0") or text.startswith(_NONE):
        return None
    try:
        at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        at = datetime.min
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise MappingError("bad_date", f"“{text[:40]}” in {field} is no date.", "Correct it in the store.")
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def lenient(value: Any) -> datetime | None:
    """Return a date as aware UTC, None for whatever cannot be read as one."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    try:
        return moment(value, "")
    except MappingError:
        return None
