"""Meta data of the store's records: what plugins keep beside WooCommerce's own fields."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from integration.settings.mapping import META
from integration.store.php_values import entries_of, is_nothing
from integration.store.sanitizing import storable

Raw = Mapping[str, Any]
#: Where a record that we have read keeps the values of the meta keys that the settings look at.
ASKED = "asked_meta"


def meta(raw: Raw) -> dict[str, Any]:
    """Return key -> value of meta_data, values of any type (woo:060), the last of a key wins.

    A map whose values are no rows is that already.
    """
    given = raw.get(META)
    if isinstance(given, Mapping) and "key" not in given and not all(isinstance(v, Mapping) for v in given.values()):
        return {str(key): value for key, value in given.items()}
    rows = [row for row in entries_of(given) if isinstance(row, Mapping)]
    return {str(row["key"]): row.get("value") for row in rows if not is_nothing(row.get("key"))}


def answered(raw: Raw, keys: Collection[str]) -> dict[str, Any]:
    """Return a record with what its meta data say under each of the keys, None for nothing.

    One that came without its meta data says nothing, not even that it has none.
    """
    if not keys or META not in raw:
        return dict(raw)
    found = meta(raw)
    return {**raw, ASKED: {key: _told(found.get(key)) for key in keys}}


def asked(raw: Raw) -> dict[str, Any]:
    """Return the values of the meta keys that were asked for when the record was read."""
    found = raw.get(ASKED)
    return dict(found) if isinstance(found, Mapping) else {}


def _told(value: Any) -> Any:
    """Return a single value as it is, of a list of one that one, of anything else nothing."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return storable(value) if isinstance(value, str | int | float) else None
