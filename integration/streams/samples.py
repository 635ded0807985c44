"""Reads one record of the store to try the mapping with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from integration.errors import Rejected
from integration.store.access import SERVICE
from integration.store.client import StoreClient
from integration.store.meta_data import answered

Row = Mapping[str, Any]
_NEWEST = {"orderby": "id", "order": "desc"}


def newest(
    client: StoreClient, path: str, fields: str, per_page: int, keys: Sequence[str] = (), **query: Any
) -> Sequence[Row]:
    """Return the newest records of a list of the store, at most `per_page`; raises ServiceError.

    `keys` are those of the meta data that the settings look at.
    """
    rows, _ = client.get(path, {**query, "per_page": per_page, "_fields": fields, **_NEWEST})
    return [answered(row, keys) for row in rows]


def given(row: Row | None, noun: str, record_id: int) -> Row:
    """Return the record that was found by its id; raises Rejected (gone) when the store has none."""
    if row is None:
        hint = "Look at the id in the store's administration, or leave it empty for the newest."
        none(f"The store has no {noun} {record_id}.", hint)
    return row


def none(sentence: str, hint: str) -> NoReturn:
    """Raise Rejected (gone): there is no record to try."""
    raise Rejected(SERVICE, "gone", sentence, hint)
