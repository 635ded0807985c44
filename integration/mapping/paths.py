"""Paths into nested values: names with points between them, numbers in lists, a name over all entries of a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from integration import json_text

#: A list of more entries than these is looked at up to here: nobody's field holds more.
ENTRIES_MAX = 1000


def inside(value: Any, path: str) -> Any:
    """Return what lies at a path inside a map or list, None where nothing does; "" is the value itself.

    A key that has points in it itself ("_a.b") is found, too. A number is the place in a list, a name is looked for in
    each entry: "line_items.name" are all names. JSON that stands in a text is looked into.
    """
    return _inside(value, path.split(".") if path else [])


def _inside(value: Any, names: Sequence[str]) -> Any:
    if not names:
        return value
    if isinstance(value, str):
        value = _unfolded(value)
    if isinstance(value, Mapping):
        return _of_map(value, names)
    if isinstance(value, list | tuple):
        return _of_list(value, names)
    return None


def _of_map(value: Mapping[str, Any], names: Sequence[str]) -> Any:
    for many in range(len(names), 0, -1):
        key = ".".join(names[:many])
        if key in value:
            return _inside(value[key], names[many:])
    return None


def _of_list(value: Sequence[Any], names: Sequence[str]) -> Any:
    first, *rest = names
    if first.isascii() and first.isdigit():
        place = int(first) if len(first) <= len(str(ENTRIES_MAX)) else len(value)
        return _inside(value[place], rest) if place < len(value) else None
    found = [_inside(each, names) for each in value[:ENTRIES_MAX] if isinstance(each, Mapping)]
    return [each for each in found if each is not None] or None


def _unfolded(text: str) -> Any:
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json_text.loads(text)
    except ValueError:
        return None
