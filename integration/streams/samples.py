"""Reads one record of the store to try the mapping with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from integration.errors import Rejected
from integration.store.access import SERVICE
from integration.store.asked import NOTHING, Asked
from integration.store.client import StoreClient

Row = Mapping[str, Any]
_NEWEST = {"orderby": "id", "order": "desc"}


def newest(
    client: StoreClient, path: str, fields: str, per_page: int, asked: Asked = NOTHING, **query: Any
) -> Sequence[Row]:
    """Return the newest records of a list of the store, `per_page` at most, with what is asked; raises ServiceError."""
    rows, _ = client.get(path, {**query, "per_page": per_page, "_fields": fields, **_NEWEST})
    return [asked.kept(row) for row in rows]


def given(row: Row | None, noun: str, record_id: int) -> Row:
    """Return the record that was found by its id; raises Rejected (gone) when the store has none."""
    if row is None:
        hint = "Look at the id in the store's administration, or leave it empty for the newest."
        none(f"The store has no {noun} {record_id}.", hint)
    return row


def none(sentence: str, hint: str) -> NoReturn:
    """Raise Rejected (gone): there is no record to try."""
    raise Rejected(SERVICE, "gone", sentence, hint)
