"""Small habits of PHP that show in Mautic's answers."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Any

TAGS = re.compile(r"<[^<>]*>")
NUMERIC = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$")


def serialize(value: Any) -> str:
    """Return PHP's serialize() of a JSON value, as fields show their properties."""
    match value:
        case None:
            return "N;"
        case bool():
            return f"b:{int(value)};"
        case int():
            return f"i:{value};"
        case float():
            return f"d:{value};"
        case str():
            return f's:{len(value.encode())}:"{value}";'
        case _:
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            inner = "".join(serialize(key) + serialize(each) for key, each in pairs)
            return f"a:{len(value)}:{{{inner}}}"


def text(value: Any) -> str:
    """Return a scalar as PHP writes it into a string: true is 1, false is nothing (mautic:049, mautic:050)."""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def trim(value: str) -> str:
    """Return a text as Symfony's forms trim it: no separators, control or format characters at its ends.

    U+202B, U+200F, U+200B, U+FEFF and U+00A0 are among them.
    """
    first, last = 0, len(value)
    while first < last and _is_trimmed(value[first]):
        first += 1
    while last > first and _is_trimmed(value[last - 1]):
        last -= 1
    return value[first:last]


def _is_trimmed(char: str) -> bool:
    kind = unicodedata.category(char)
    return kind[0] == "Z" or kind in ("Cc", "Cf")


def strip_tags(value: str) -> str:
    """Return the text without HTML tags (mautic:051, mautic:128, mautic:274)."""
    return TAGS.sub("", value)


def is_zero(value: Any) -> bool:
    """Tell whether a value is numeric with integer part 0: POST and PATCH drop it (mautic:110, mautic:283)."""
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, int | float):
        return int(value) == 0
    return isinstance(value, str) and NUMERIC.match(value) is not None and int(float(value)) == 0


def moment(value: Any) -> datetime | None:
    """Return the time in UTC that was meant, None if it cannot be read (mautic:274-278)."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def day(value: Any) -> date | None:
    """Return the date that was meant, None if it cannot be read (mautic:279)."""
    read = moment(value)
    return read.date() if read else None


def iso(at: datetime | None) -> str | None:
    """Return a time as entities show it: 2026-11-20T19:52:29+00:00."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+00:00") if at else None


def sql(at: datetime) -> str:
    """Return a time as columns show it: 2026-11-20 19:52:29."""
    return at.strftime("%Y-%m-%d %H:%M:%S")
