"""What an address asks for: each value is checked, and one that cannot be used is left out with a notice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

#: Longest text of a filter that is looked for.
LONGEST = 254
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2999, 12, 30)


class Asked:
    """Reads the values of an address; `notices` say what could not be used, `used` holds the texts of what was."""

    def __init__(self, args: Mapping[str, str], zone: str = "UTC") -> None:
        self._args = args
        self._zone = ZoneInfo(zone)
        self.used: dict[str, str] = {}
        self.notices: list[str] = []

    def text(self, name: str) -> str:
        """Return a text without blanks around it, cut to LONGEST characters."""
        value = (self._args.get(name) or "").replace("\x00", "").strip()[:LONGEST]
        value = value.encode("utf-8", "replace").decode()
        if value:
            self.used[name] = value
        return value

    def choice(self, name: str, known: Collection[str]) -> str:
        """Return one of the known values, "" for none."""
        value = self.text(name)
        if not value or value in known:
            return value
        self._leave_out(name, f"There is no {name} “{value}”")
        return ""

    def number(self, name: str, least: int = 0, most: int = 10**15) -> int | None:
        """Return a whole number, one beyond its bounds as the bound."""
        value = self.text(name)
        if not value:
            return None
        if value.isascii() and value.isdigit() and len(value) < 19:
            return max(least, min(int(value), most))
        self._leave_out(name, f"“{value}” is no number")
        return None

    def moment(self, name: str) -> datetime | None:
        """Return a moment; one without an offset is in the site's zone."""
        value = self.text(name)
        if not value:
            return None
        try:
            at = datetime.fromisoformat(value)
            fine = 2000 <= at.year < 2999
        except ValueError:
            fine = False
        if not fine:
            self._leave_out(name, f"“{value}” is no time; write it like 2026-11-20T10:30")
            return None
        return at if at.tzinfo else at.replace(tzinfo=self._zone)

    def day(self, name: str) -> date | None:
        """Return a day written like 2026-11-20."""
        value = self.text(name)
        if not value:
            return None
        try:
            found = date.fromisoformat(value)
        except ValueError:
            found = None
        if found is None or not _FIRST_DAY <= found <= _LAST_DAY:
            self._leave_out(name, f"“{value}” is no date; write it like 2026-11-20")
            return None
        return found

    def days(self) -> tuple[date | None, date | None]:
        """Return the days `since` and `until`, both of them included."""
        since, until = self.day("since"), self.day("until")
        if since and until and since > until:
            self.notices.append("The first day is after the last one, so nothing can be found.")
        return since, until

    def _leave_out(self, name: str, why: str) -> None:
        self.used.pop(name, None)
        self.notices.append(f"{why}. That filter was left out.")


def in_address(used: Mapping[str, str] | None, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands in the address of a query, with changes; None, "" and 0 leave a name out."""
    values: dict[str, Any] = {**(used or {}), **changes}
    return {name: value for name, value in values.items() if value not in (None, "", 0)}


def begin_of(day: date | None, zone: str) -> datetime | None:
    """Return the first moment of a day of a zone."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) if day else None


def end_of(day: date | None, zone: str) -> datetime | None:
    """Return the moment behind the last one of a day of a zone."""
    return begin_of(day + timedelta(days=1), zone) if day else None
