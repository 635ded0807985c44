"""How a value that was sent becomes the value that is stored, per type of field."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
)
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from babel.localedata import locale_identifiers

from integration.sandbox.mautic import php_format
from integration.sandbox.mautic.field_definitions import DEFAULT_LIMIT, TEXT_LIKE, TEXT_MAX_CHARS, data

BLANK = "This value should not be blank."
NOT_VALID = "This value is not valid."
NOT_LISTED = "The selected choice is invalid."
NO_NUMBER = "Please enter a number."
CHOICES = frozenset({"country", "locale", "multiselect", "region", "select", "timezone"})
TOO_LONG = "This value is too long. It should have {} characters or less."
EMAIL_CHARACTERS = re.compile(r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~@.\[\]-]")
EMAIL = re.compile(r"[^@\s.]+(\.[^@\s.]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}$")
FORBIDDEN = re.compile(r"[\^&*%]")
NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)?|[.,]\d+)$")
#: What goes with a < that begins no tag (mautic:472).
STRAY = re.compile(r"<\s[^<>&]*")
TRUE = frozenset({"1", "true", "yes", "on"})
ROUNDING = (ROUND_CEILING, ROUND_FLOOR, ROUND_DOWN, ROUND_UP, ROUND_HALF_EVEN, ROUND_HALF_DOWN, ROUND_HALF_UP)
LATER_NAMES = {"Turkey": "Türkiye", "Swaziland": "Eswatini"}
#: How a Mautic before 5.0 wrote regions (mautic/mautic#12391, #13877).
EARLIER_REGIONS = {
    "Baden-Württemberg": "Baden-Wuerttemberg",
    "Fukushima": "Fukusima",
    "Genève": "Geneva",
    "Graubünden": "Graubunden",
    "Neuchâtel": "Neuchatel",
    "Niederösterreich": "Niederosterreich",
    "Oberösterreich": "Oberosterreich",
    "St. Gallen": "Sankt Gallen",
    "Thüringen": "Thueringen",
    "Zürich": "Zurich",
}


class Unreadable(Exception):
    """A date that cannot be read: Mautic leaves the old one (mautic:277, mautic:279)."""


class NotValid(Exception):
    """The value is refused with this message."""


def in_words_of(major: int, kind: str, said: str) -> str:
    """Return a refusal of a field of that type as that version of Mautic words it.

    Recorded as mautic:042 to mautic:046, mautic:280, mautic:290.
    """
    if major < 7 or said != NOT_VALID:
        return said
    return NO_NUMBER if kind == "number" else NOT_LISTED if kind in CHOICES else said


@cache
def countries(old: bool) -> frozenset[str]:
    """Return Mautic's names of countries; `old` is a Mautic before 5.0."""
    names = data("countries")
    return frozenset(names if old else [LATER_NAMES.get(name, name) for name in names])


@cache
def regions(old: bool) -> frozenset[str]:
    """Return Mautic's names of regions, `old` as for countries; a region of any country is taken with any country."""
    names = [name for names in data("regions").values() for name in names]
    return frozenset(EARLIER_REGIONS.get(name, name) if old else name for name in names)


@cache
def timezones() -> frozenset[str]:
    """Return the names of time zones."""
    return frozenset(available_timezones())


@cache
def locales() -> frozenset[str]:
    """Return the names of locales, as de or de_DE."""
    return frozenset(locale_identifiers())


def clean_email(value: Any) -> str:
    """Return an address as Mautic reads it: no blanks around, other than ASCII dropped (mautic:025, mautic:032)."""
    return EMAIL_CHARACTERS.sub("", php_format.trim(php_format.text(value)))


def cast(field: dict[str, Any], value: Any, old: bool = False) -> Any:
    """Return what is stored; NotValid with the message, or Unreadable, if it cannot be."""
    kind = field["type"]
    if isinstance(value, list | dict) and kind != "multiselect":
        raise NotValid(NOT_VALID)  # mautic:047.
    if kind in TEXT_LIKE or kind in ("textarea", "html"):
        return _text(field, kind, value, old)
    return _CASTS[kind](field, value, old)


def _text(field: dict[str, Any], kind: str, value: Any, old: bool) -> str:
    said = php_format.trim(php_format.text(value))
    if kind == "email":
        said = _email(clean_email(said), said)
    elif kind == "url":
        said = said if "://" in said else f"http://{said}"  # mautic:285, mautic:286.
    elif kind == "html":
        said = STRAY.sub("", said)
    else:
        said = html.unescape(php_format.strip_tags(said))  # mautic:471.
    if kind in TEXT_LIKE:
        _fit(field, said, old)
    return said


def _email(cleaned: str, said: str) -> str:
    if FORBIDDEN.search(cleaned):
        raise NotValid(f"{said} has characters not allowed in email addresses.")
    if not EMAIL.match(cleaned) or len(cleaned.split("@")[0]) > 64:
        raise NotValid(f"{said} is invalid.")  # mautic:030, mautic:031.
    return cleaned


def _fit(field: dict[str, Any], said: str, old: bool) -> None:
    limit = field.get("charLengthLimit") or TEXT_MAX_CHARS
    if old and limit == DEFAULT_LIMIT:
        limit = TEXT_MAX_CHARS
    if len(said) > TEXT_MAX_CHARS and field["type"] not in ("email", "url"):  # mautic:036, mautic:469.
        raise NotValid(TOO_LONG.format(TEXT_MAX_CHARS))  # mautic:038.
    if len(said) > limit:
        raise NotValid(TOO_LONG.format(limit))  # mautic:039, mautic:066, mautic:293.


def _number(field: dict[str, Any], value: Any, old: bool) -> int | float:
    said = php_format.text(value).strip()
    if isinstance(value, float) and abs(value) >= 1e15:
        raise NotValid(NOT_VALID)  # PHP writes it 1.0E+20, which is no number to it (mautic:282).
    if not NUMBER.match(said):
        raise NotValid(NOT_VALID)
    exact = Decimal(said.replace(",", "."))  # mautic:281.
    scale = (field["properties"] or {}).get("scale")
    if scale not in (None, ""):
        exact = exact.quantize(Decimal(1).scaleb(-int(scale)), _rounding(field))
    return int(exact) if field["alias"] == "points" else float(exact)


def _rounding(field: dict[str, Any]) -> str:
    return ROUNDING[int(field["properties"].get("roundmode") or 0)]


def _boolean(field: dict[str, Any], value: Any, old: bool) -> bool:
    return php_format.text(value).strip().lower() in TRUE


def _choices(field: dict[str, Any]) -> dict[str, str]:
    """Return what may be chosen, by value."""
    return {html.unescape(value): label for value, label in _as_kept(field).items()}


def _as_kept(field: dict[str, Any]) -> dict[str, str]:
    """Return the choices as they are kept, with entities: a label with an ampersand is not found (mautic:437,
    mautic:458).
    """
    listed = (field["properties"] or {}).get("list") or []
    pairs = [(each["value"], each["label"]) if isinstance(each, dict) else (each, each) for each in listed]
    return {str(value): str(label) for value, label in pairs}


def _select(field: dict[str, Any], value: Any, old: bool) -> str:
    return _listed(php_format.text(value), _choices(field))


def _multiselect(field: dict[str, Any], value: Any, old: bool) -> str:
    chosen = list(value.values()) if isinstance(value, dict) else value
    members = chosen if isinstance(chosen, list) else php_format.text(chosen).split("|")
    return "|".join(_listed(php_format.text(member), _choices(field)) for member in members)


def _listed(said: str, known: Any) -> str:
    if said not in known:
        raise NotValid(NOT_VALID)
    return said


def _datetime(field: dict[str, Any], value: Any, old: bool) -> str:
    read = php_format.moment(value)
    if read is None:
        raise Unreadable
    return php_format.sql(read)


def _date(field: dict[str, Any], value: Any, old: bool) -> str:
    read = php_format.day(value)
    if read is None:
        raise Unreadable
    return read.isoformat()


def _time(field: dict[str, Any], value: Any, old: bool) -> str:
    said = php_format.text(value).strip()
    if not re.match(r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?$", said):
        raise Unreadable
    return said if said.count(":") == 2 else f"{said}:00"  # mautic:458.


_CASTS: dict[str, Callable[[dict[str, Any], Any, bool], Any]] = {
    "number": _number,
    "boolean": _boolean,
    "select": _select,
    "multiselect": _multiselect,
    "datetime": _datetime,
    "date": _date,
    "time": _time,
    "country": lambda _, value, old: _listed(php_format.text(value), countries(old)),
    "region": lambda _, value, old: _listed(php_format.text(value), regions(old)),
    "timezone": lambda _, value, old: _listed(php_format.text(value), timezones()),
    "locale": lambda _, value, old: _listed(php_format.text(value), locales()),
}


def label_of(field: dict[str, Any], value: Any) -> Any:
    """Return `normalizedValue`: labels of choices, "" for nothing (mautic:274, mautic:275)."""
    if value is None or value == "":
        return ""
    match field["type"]:
        case "boolean":
            return field["properties"].get("yes" if value else "no", "")
        case "select":
            return _as_kept(field).get(str(value), value)
        case "multiselect":
            known = _as_kept(field)
            return "|".join(known.get(each, each) for each in str(value).split("|"))
    return value
