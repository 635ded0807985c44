"""Reading records by their ids, a hundred a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from integration.errors import ServiceError
from integration.store.client import StoreClient
from integration.store.completeness import same_page
from integration.store.fault_scope import alive, divisible
from integration.store.pages import SIZES, Page, asked_at
from integration.store.rows import Failure, Row, oddities, rows_of, sifted


def pick(
    client: StoreClient,
    path: str,
    params: Mapping[str, Any],
    ids: Sequence[int],
    start: Mapping[str, Any] | None = None,
) -> Iterator[Page]:
    """Yield pages of the records with these ids; a record that alone makes the store fail stands in `failed`."""
    size = SIZES[0]
    wanted = list(dict.fromkeys(ids))
    for begin in range(int((start or {}).get("offset", 0)), len(wanted), size):
        part = wanted[begin : begin + size]
        found = _Found()
        _read(client, path, params, part, found)
        cursor = {"offset": begin + len(part)}
        pages = -(-len(wanted) // size)
        number = begin // size + 1
        yield Page(found.rows, number, len(wanted), pages, size, found.at, found.at, failed=found.failed, cursor=cursor)


class _Found:
    """What was read of one page."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.failed: list[Failure] = []
        self.at: Any = None

    def take(self, path: str, entries: Sequence[Any], ids: Sequence[int]) -> None:
        """Keep what was asked for; raises NotSetUp for records that nobody asked for: the query string was dropped."""
        rows, odd = sifted(entries)
        if not {row["id"] for row in rows} <= set(ids):
            raise same_page()
        self.rows += rows
        self.failed += oddities(path, odd)


def _read(client: StoreClient, path: str, params: Mapping[str, Any], ids: Sequence[int], found: _Found) -> None:
    query = {**params, "include": list(ids), "per_page": len(ids), "orderby": "id", "order": "asc"}
    try:
        value, answer = client.get(path, query)
        found.take(path, rows_of(value, answer), ids)
    except ServiceError as error:
        _divide(client, path, params, ids, found, error)
        return
    found.at = found.at or asked_at(answer)


def _divide(
    client: StoreClient,
    path: str,
    params: Mapping[str, Any],
    ids: Sequence[int],
    found: _Found,
    error: ServiceError,
) -> None:
    if not divisible(error) or not alive(client):
        raise error
    if len(ids) == 1:
        found.failed.append((f"{path.rstrip('s')} {ids[0]}", error))
        return
    middle = len(ids) // 2
    _read(client, path, params, ids[:middle], found)
    _read(client, path, params, ids[middle:], found)
