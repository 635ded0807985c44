"""Writes meta data of customers, a hundred in a call."""

from __future__ import annotations

from collections.abc import Mapping

from integration.store.answers import plain_text, unreadable
from integration.store.client import StoreClient
from integration.store.php_values import map_of
from integration.store.sanitizing import text_of

#: So many customers go into one call (woo:166).
BATCH_MAX = 100


def write(client: StoreClient, key: str, values: Mapping[int, str]) -> dict[int, str]:
    """Set one key of at most a hundred customers; return customer id -> why it was refused, for those that were.

    Written twice the key still stands once: without its own id an entry is found by its key. Raises ServiceError.
    """
    rows = [{"id": number, "meta_data": [{"key": key, "value": value}]} for number, value in values.items()]
    value, answer = client.post("customers/batch", {"update": rows})
    told = value.get("update") if isinstance(value, dict) else None
    if not isinstance(told, list) or len(told) != len(rows):
        raise unreadable(answer)
    return {number: why for number, row in zip(values, told, strict=True) if (why := _refusal(row))}


def _refusal(row: object) -> str:
    error = map_of(row.get("error")) if isinstance(row, Mapping) else None
    if not error:
        return ""
    return plain_text(text_of(error.get("message"))).rstrip(".") or text_of(error.get("code")) or "refused"
