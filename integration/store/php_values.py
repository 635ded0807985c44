"""PHP's empties and shapes: the one reader of the store's JSON where a text, number, map or list belongs.

PHP and plugins write false, "", [] or null for nothing, numbers as text, a list with holes as a map, a map as a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from html import unescape
from html.entities import html5
from typing import Any

from integration.errors import MappingError
from integration.store.sanitizing import clean, text_of

#: Python refuses to read longer numbers.
_DIGITS_MAX = 4000
_SHOWN_CHARS = 40
#: PHP decodes only what ends in a semicolon; html.unescape alone would make "R&D¬es" of "R&D&notes".
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")


def is_nothing(value: Any) -> bool:
    """Tell whether PHP means nothing by a value: null, false, blanks, an empty list or map. 0 is a number."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, int | float):
        return value is False
    # What JSON has stands before Mapping, which is slow to tell.
    return value is None or (isinstance(value, dict | list | tuple | Mapping) and not value)


def decoded(value: Any) -> str:
    """Return a text for people as it reads: its HTML entities decoded once, "" for what is no text."""
    text = text_of(value)
    return clean(_ENTITY.sub(lambda entity: _character(entity[0]), text)) if "&" in text else text


def decoded_name(value: Any) -> str:
    """Return a site's name as it reads: WordPress encodes it when it is saved, and often once more when it is shown."""
    return decoded(decoded(value)).strip()


def _character(entity: str) -> str:
    known = entity[1] == "#" or entity[1:] in html5
    return unescape(entity) if known else entity


def whole(value: Any) -> int:
    """Return a whole number that is not negative, written as 11, "11" or 11.0; 0 for anything else."""
    if isinstance(value, float):
        value = int(value) if value.is_integer() and value > 0 else 0
    text = text_of(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX else 0


def amount(value: Any, field: str) -> Decimal:
    """Return an amount, 0 for nothing; raises MappingError (bad_amount) naming the field."""
    if is_nothing(value):
        return Decimal(0)
    try:
        found = Decimal(text_of(value).strip())
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or _is_beyond_money(found):
        raise MappingError("bad_amount", f"“{shown(value)}” in {field} is no amount.", "Correct it in the store.")
    # PHP's floats leave rests such as 1.4e-17 where it means nothing.
    return found if found.adjusted() >= -15 else Decimal(0)


def _is_beyond_money(found: Decimal) -> bool:
    """Tell whether no currency has such an amount: floats, columns and Mautic's numbers break on it."""
    return found.adjusted() > 15 or len(found.as_tuple().digits) > 30


def map_of(value: Any) -> Mapping[str, Any] | None:
    """Return a map, also one that is alone in a list; an empty one for nothing, None for what is no map."""
    if isinstance(value, dict | Mapping):
        return value
    if is_nothing(value):
        return {}
    alone = isinstance(value, list | tuple) and len(value) == 1 and isinstance(value[0], Mapping)
    return value[0] if alone else None


def entries_of(value: Any) -> list[Any]:
    """Return a list's entries without those that are nothing: maps, and whatever stands there in place of one.

    A map of maps is a list with holes; any other map is a list's only entry, and so is what is no list at all.
    """
    if isinstance(value, Mapping):
        value = list(value.values()) if all(isinstance(each, Mapping) for each in value.values()) else [value]
    rows = value if isinstance(value, list | tuple) else [value]
    return [map_of(row) or row for row in rows if not is_nothing(row)]


def shown(value: Any) -> str:
    """Return the beginning of a value for a sentence, its type where it is no text."""
    return text_of(value).strip()[:_SHOWN_CHARS] or type(value).__name__
