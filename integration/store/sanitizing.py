"""What the store sends made safe to keep: no NUL, no half surrogates, nothing that a column or a database refuses."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from integration.errors import MappingError

#: Stands for what no database holds; a text with it in a place that names the record is refused.
LOST = "\ufffd"
#: The greatest number that the databases' columns hold.
INTEGER_MAX = 2**63 - 1
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_NESTING_MAX_LEVELS = 8
#: Python refuses to write out numbers of more digits than some thousand.
_INTEGER_MAX_BITS = 10_000


def is_number(text: str) -> bool:
    """Tell whether a text is a whole number that the databases' columns hold, as the id of a record is."""
    return text.isascii() and text.isdigit() and len(text) <= len(str(INTEGER_MAX)) and int(text) <= INTEGER_MAX


def clean(text: str) -> str:
    """Return the text with NUL and half surrogates replaced by the replacement character."""
    if text.isascii() and "\x00" not in text:
        return text
    return _UNSTORABLE.sub(LOST, text)


def text_of(value: Any) -> str:
    """Return a text or number as clean text, "" for anything else."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(value) if isinstance(value, float) or value.bit_length() < _INTEGER_MAX_BITS else LOST


def storable(value: Any, depth: int = 0) -> Any:
    """Return a JSON value that every database takes; what lies absurdly deep is left out."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        inner = value.items() if depth < _NESTING_MAX_LEVELS else ()
        return {clean(str(key)): storable(each, depth + 1) for key, each in inner}
    if isinstance(value, list | tuple):
        return [storable(each, depth + 1) for each in value] if depth < _NESTING_MAX_LEVELS else []
    absurd = (isinstance(value, float) and not math.isfinite(value)) or (
        type(value) is int and abs(value) > INTEGER_MAX
    )
    return text_of(value) if absurd else value


def fitting(text: str, field: str, longest: int) -> str:
    """Return the text; raises MappingError (bad_text) when it is longer than its column or was no text."""
    if LOST in text:
        sentence = f"“{text[:40]}” in {field} has characters that are no text."
        raise MappingError("bad_text", sentence, "Correct it in the store.")
    if len(text) > longest:
        sentence = f"“{text[:40]}…” in {field} has {len(text)} characters; no store needs more than {longest}."
        raise MappingError("bad_text", sentence, "Correct it in the store.")
    return text
