"""What a person's own mapping needs of a record, kept with its payload: path -> the store's value, None for nothing.

A path that is not there was not asked for when the record was read; its rows leave Mautic as it is (own_values.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from integration.mapping.paths import ENTRIES_MAX, inside
from integration.settings.mapping import META
from integration.store.meta_data import meta
from integration.store.php_values import decoded
from integration.store.sanitizing import storable

#: Name of these values in a payload.
MAPPED = "mapped"
#: No field of Mautic holds more; a list or map that is written out to more is as good as none.
VALUE_MAX_CHARS = 65_535

Raw = Mapping[str, Any]


def added(raw: Raw, paths: Sequence[str]) -> dict[str, Any]:
    """Return a record with what own rows look at."""
    return {**raw, MAPPED: values(raw, paths)} if paths else dict(raw)


def values(raw: Raw, paths: Sequence[str]) -> dict[str, Any]:
    """Return path -> value, safe to store; what a payload has kept before stays where the record does not tell more."""
    before = raw.get(MAPPED)
    known = dict(before) if isinstance(before, Mapping) else {}
    data = meta(raw) if any(path.startswith(f"{META}.") for path in paths) else {}
    found: dict[str, Any] = {}
    for path in paths:
        root, _, rest = path.partition(".")
        value = inside(data, rest) if root == META else inside(raw, path)
        found[path] = known[path] if value is None and path in known else _storable(value)
    return found


def read(raw: Raw) -> Mapping[str, Any]:
    """Return what a payload has kept, its texts as they read."""
    found = raw.get(MAPPED)
    return {str(path): _decoded(value) for path, value in found.items()} if isinstance(found, Mapping) else {}


def _storable(value: Any) -> Any:
    safe = storable(value)
    if isinstance(safe, str):
        return safe[:VALUE_MAX_CHARS]
    if isinstance(safe, Mapping | list):
        fits = len(safe) <= ENTRIES_MAX and len(json.dumps(safe, ensure_ascii=False)) <= VALUE_MAX_CHARS
        return safe if fits else None
    return safe


def _decoded(value: Any) -> Any:
    if isinstance(value, str):
        return decoded(value)
    if isinstance(value, Mapping):
        return {str(key): _decoded(each) for key, each in value.items()}
    return [_decoded(each) for each in value] if isinstance(value, list | tuple) else value
