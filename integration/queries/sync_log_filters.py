"""A validated request for one page of the sync log, as its URL says it (P86, P88)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from integration import streams
from integration.events import Kind

TYPES = {kind.value: streams.labels(kind).entity for kind in Kind}
STATUSES = {"success": "Success", "error": "Error"}
ACTIONS = {
    "create_or_update": "Create or update",
    "create_note": "Create note",
    "send_email": "Send e-mail",
    "add_to_segment": "Add to segment",
    "cart_sync": "Cart sync",
    "cart_recovery": "Cart recovery",
    "skip": "Skip",
    "create_field": "Create field",
    "remove_tag": "Remove tag",
    "create_coupon": "Create coupon",
    "verify": "Read back",
}
SIZES = (10, 25, 50, 100)
SMALLEST, USUAL, LARGEST = 10, 25, 100
LAST_PAGE = 10**9
#: Longest text of a filter that is looked for.
LONGEST = 254


@dataclass(frozen=True)
class LogQuery:
    """A page of the sync log; dates are whole days of the site's zone, `until` is included."""

    connector_id: int
    size: int = USUAL
    page: int = 1
    type: str = ""
    status: str = ""
    action: str = ""
    object: str = ""
    contact: str = ""
    text: str = ""
    since: date | None = None
    until: date | None = None
    zone: str = "UTC"

    @classmethod
    def parse(cls, connector_id: int, args: Mapping[str, str], zone: str = "UTC") -> tuple[LogQuery, list[str]]:
        """Return the query of a URL and a notice for each value that could not be used and was left out."""
        notices: list[str] = []
        query = cls(
            connector_id,
            size=_clamped(args.get("size"), notices),
            page=_page(args.get("page"), notices),
            type=_one_of("type", args, TYPES, notices),
            status=_one_of("status", args, STATUSES, notices),
            action=_one_of("action", args, ACTIONS, notices),
            object=_text(args, "object"),
            contact=_text(args, "contact"),
            text=_text(args, "text"),
            since=_day("since", args, notices),
            until=_day("until", args, notices),
            zone=zone,
        )
        if query.since and query.until and query.since > query.until:
            notices.append("The first day is after the last one, so nothing can be found.")
        return query, notices

    def args(self, **changes: Any) -> dict[str, str]:
        """Return the query, with changes, as it stands in a URL; what is usual is left out."""
        wanted = replace(self, **changes)
        values = {name: getattr(wanted, name) for name in _NAMES}
        plain = {name: str(value) for name, value in values.items() if value not in ("", None)}
        usual = {"size": str(USUAL), "page": "1"}
        return {name: value for name, value in plain.items() if usual.get(name) != value}

    @property
    def filtered(self) -> bool:
        """Return whether anything is filtered."""
        return any(getattr(self, name) for name in _NAMES if name not in ("size", "page"))

    @property
    def begin(self) -> datetime | None:
        """Return the first moment that counts."""
        return _midnight(self.since, self.zone) if self.since else None

    @property
    def end(self) -> datetime | None:
        """Return the moment behind the last one that counts."""
        return _midnight(self.until + timedelta(days=1), self.zone) if self.until else None


_NAMES = ("type", "status", "action", "object", "contact", "text", "since", "until", "size", "page")


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _clamped(value: str | None, notices: list[str]) -> int:
    number = _number(value)
    if number is None:
        if value:
            notices.append(f"“{value}” is no number of rows; {USUAL} are shown.")
        return USUAL
    return max(SMALLEST, min(number, LARGEST))


def _page(value: str | None, notices: list[str]) -> int:
    number = _number(value)
    if number is None and value:
        notices.append(f"“{value}” is no page; the first one is shown.")
    return max(1, min(number or 1, LAST_PAGE))


def _number(value: str | None) -> int | None:
    text = (value or "").strip()
    return int(text) if text.isascii() and text.lstrip("-").isdigit() and len(text) < 12 else None


def _one_of(name: str, args: Mapping[str, str], known: Mapping[str, str], notices: list[str]) -> str:
    value = _text(args, name)
    if value and value not in known:
        notices.append(f"There is no {name} “{value}”; that filter was left out.")
        return ""
    return value


def _text(args: Mapping[str, str], name: str) -> str:
    return (args.get(name) or "").replace("\x00", "").strip()[:LONGEST]


def _day(name: str, args: Mapping[str, str], notices: list[str]) -> date | None:
    value = _text(args, name)
    if not value:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        notices.append(f"“{value}” is no date; write it like 2026-11-20. That filter was left out.")
        return None
    return day if date(2000, 1, 1) <= day <= date(2999, 12, 30) else None
