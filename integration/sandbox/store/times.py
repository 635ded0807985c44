"""Times as WordPress writes and reads them: epoch seconds inside, local and GMT text outside."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_DATE = re.compile(r"^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.\d+)?(Z|z|[+-]\d\d(?::?\d\d)?)?$")


def gmt(at: int | None) -> str | None:
    """Write epoch seconds as WooCommerce's *_gmt fields do: UTC without a zone."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def local(at: int | None, zone: ZoneInfo) -> str | None:
    """Write epoch seconds in the store's own time without a zone; one hour a year is ambiguous (woo:021)."""
    if at is None:
        return None
    return datetime.fromtimestamp(at, zone).strftime("%Y-%m-%dT%H:%M:%S")


def from_gmt(text: str | None) -> int | None:
    """Read a *_gmt field back to epoch seconds."""
    if not text:
        return None
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def from_local(text: str, zone: ZoneInfo) -> int:
    """Read a local time without zone to epoch seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def is_date(text: str) -> bool:
    """Say whether WordPress takes the text as a date: a time of day is needed (woo:198 and woo:199)."""
    found = _DATE.match(text)
    if not found:
        return False
    try:
        datetime.fromisoformat(f"{found[1]}T{found[2]}")
    except ValueError:
        return False
    return True


def bound(text: str, zone: ZoneInfo, are_gmt: bool) -> int:
    """Read an after/before filter to epoch seconds.

    A zone together with dates_are_gmt=true is wrong by the store's offset, as in the real store: the moment is
    turned into local time and that is compared with the GMT column (woo:014, woo:016 and woo:017).
    """
    found = _DATE.match(text)
    if not found:
        raise ValueError(text)
    plain = datetime.fromisoformat(f"{found[1]}T{found[2]}")
    if found[3] is None:
        return int(plain.replace(tzinfo=UTC if are_gmt else zone).timestamp())
    moment = datetime.fromisoformat(f"{found[1]}T{found[2]}{_offset(found[3])}")
    if are_gmt:
        return int(moment.astimezone(zone).replace(tzinfo=UTC).timestamp())
    return int(moment.timestamp())


def _offset(text: str) -> str:
    if text in ("Z", "z"):
        return "+00:00"
    return text if len(text) > 3 else f"{text}:00"
