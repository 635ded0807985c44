"""Values as PHP's serialize() writes them into WordPress' options: texts, numbers, lists and maps, never objects."""

from __future__ import annotations

import re
from typing import Any

#: WordPress serialises what is no text; a text that looks like it is serialised once more.
_BEGINNING = re.compile(r"(?:N;|[bid]:[^;]{1,40};|s:\d+:\"|a:\d+:\{)")
_SCALAR = re.compile(rb"b:[01];|i:-?\d{1,19};|d:-?(?:\d+(?:\.\d+)?(?:E[+-]?\d+)?|INF|NAN);|N;")
_SIZE = re.compile(rb"([sa]):(\d{1,9}):")
DEPTH_MAX = 20
_WORDS = {b"b:0;": False, b"b:1;": True, b"N;": None}


def is_serialised(text: str) -> bool:
    """Tell whether a text begins as serialize() writes."""
    return bool(_BEGINNING.match(text))


def read(text: str) -> Any:
    """Return the value of a serialised text, lists and maps as a dict; raises ValueError for anything else."""
    content = text.encode("utf-8", "surrogatepass")
    value, end = _value(content, 0, 0)
    if end != len(content):
        raise ValueError("something stands behind the value")
    return value


def _value(content: bytes, at: int, depth: int) -> tuple[Any, int]:
    """Return the value that begins at a place, and where it ends; sizes of texts count bytes."""
    if found := _SCALAR.match(content, at):
        return _scalar(found[0]), found.end()
    found = _SIZE.match(content, at)
    if found is None or depth > DEPTH_MAX:
        raise ValueError("this is no plain value")
    read = _text if found[1] == b"s" else _array
    return read(content, found.end(), int(found[2]), depth)


def _scalar(written: bytes) -> Any:
    if written in _WORDS:
        return _WORDS[written]
    return int(written[2:-1]) if written[:1] == b"i" else float(written[2:-1])


def _text(content: bytes, at: int, size: int, depth: int) -> tuple[str, int]:
    end = at + 1 + size
    if content[at : at + 1] != b'"' or content[end : end + 2] != b'";':
        raise ValueError("a text is not as long as it says")
    return content[at + 1 : end].decode("utf-8", "surrogatepass"), end + 2


def _array(content: bytes, at: int, size: int, depth: int) -> tuple[dict[Any, Any], int]:
    if content[at : at + 1] != b"{":
        raise ValueError("a list does not begin")
    found: dict[Any, Any] = {}
    at += 1
    for _ in range(size):
        key, at = _value(content, at, DEPTH_MAX)
        if isinstance(key, bool) or not isinstance(key, int | str):
            raise ValueError("a key is neither number nor text")
        found[key], at = _value(content, at, depth + 1)
    if content[at : at + 1] != b"}":
        raise ValueError("a list does not end")
    return found, at + 1
