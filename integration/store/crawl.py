"""Goes through a list by offset in order of id, two requests at once, and notices when rows slip.

Each request begins with the last row of the one before. When that row is not where it was, rows have left the list
meanwhile and later ones moved up: the reading steps back until it meets known ground, so that none is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

from integration.errors import ServiceError
from integration.store.client import StoreClient
from integration.store.faulty import MOST_IN_A_ROW
from integration.store.faulty import alive
from integration.store.faulty import divisible
from integration.store.pages import GROW_AFTER
from integration.store.pages import SIZES
from integration.store.pages import Failure
from integration.store.pages import Page
from integration.store.pages import Piece
from integration.store.pages import Place
from integration.store.pages import Row
from integration.store.pages import fetch

Key = tuple[int, int]


class Crawl:
    """One list of the store, read from a place to its end."""

    def __init__(self, client: StoreClient, path: str, params: Mapping[str, Any], per_page: int, parallel: int) -> None:
        self._client = client
        self._path = path
        self._params = params
        self._per_page = max(1, min(per_page, SIZES[0]))
        self._parallel = max(1, parallel)
        self._ahead: dict[Key, Future[Piece]] = {}
        self._failed_in_a_row = 0

    def pages(self, start: Mapping[str, Any] | None = None) -> Iterator[Page]:
        """Yield pages after the cursor `start`, at least one; raises the store's error when smaller pages fail too."""
        place = Place.of(start, self._per_page)
        with ThreadPoolExecutor(self._parallel, thread_name_prefix="pages") as pool:
            try:
                while True:
                    page, place, ended = self._next(place, pool)
                    yield page
                    if ended:
                        return
            finally:
                self._forget()

    def _next(self, place: Place, pool: ThreadPoolExecutor) -> tuple[Page, Place, bool]:
        """Return the next page, the place behind it, and whether it was the last."""
        failed: list[Failure] = []
        while True:
            try:
                piece = self._piece(place, pool)
            except ServiceError as error:
                place = self._smaller(place, error, failed)
                continue
            if self._slipped(place, piece):
                self._forget()
                place = replace(place, offset=max(0, piece.offset - place.size), sure=piece.offset > place.size)
                place = place if place.offset else replace(place, sure=False)
                continue
            return self._page(place, piece, failed)

    def _slipped(self, place: Place, piece: Piece) -> bool:
        """Tell whether rows behind the last one may lie before this piece; a place of 0 cannot hide any."""
        if not piece.offset or not place.last_id:
            return False
        if not piece.rows:
            return place.total is not None and (piece.total or 0) < place.total and place.sure
        return place.sure and _id(piece.rows[0]) > place.last_id

    def _page(self, place: Place, piece: Piece, failed: list[Failure]) -> tuple[Page, Place, bool]:
        self._failed_in_a_row = 0
        rows = [row for row in piece.rows if _id(row) > place.last_id]
        reached = piece.offset + (piece.limit if self._is_short(piece) else len(piece.rows))
        began = place.began or (piece.sent_at.isoformat() if piece.sent_at else "")
        behind = replace(
            place,
            offset=reached,
            last_id=_id(rows[-1]) if rows else place.last_id,
            number=place.number + 1,
            good=place.good + 1,
            sure=bool(piece.rows) and not self._is_short(piece),
            total=piece.total,
            began=began,
        )
        behind = self._larger(behind)
        page = Page(
            rows=rows,
            number=behind.number,
            total=piece.total,
            pages=_pages(behind, piece),
            per_page=place.size,
            server_time=piece.sent_at,
            began=datetime.fromisoformat(began) if began else None,
            failed=failed,
            cursor=behind.to_json(),
        )
        return page, behind, self._ended(behind, piece)

    def _is_short(self, piece: Piece) -> bool:
        """Tell whether the store left rows out that the key may not read: fewer came although more follow."""
        more = piece.total is not None and piece.offset + piece.limit < piece.total
        return len(piece.rows) < piece.limit and more

    def _ended(self, behind: Place, piece: Piece) -> bool:
        if not piece.rows and not self._is_short(piece):
            return True
        if piece.total is None:
            return False
        return behind.offset >= piece.total

    def _piece(self, place: Place, pool: ThreadPoolExecutor) -> Piece:
        """Return the piece of a place, and have the next ones fetched meanwhile."""
        for key in self._keys(place):
            if key not in self._ahead:
                self._ahead[key] = pool.submit(fetch, self._client, self._path, self._params, *key)
        return self._ahead.pop((place.offset - place.overlap, place.size)).result()

    def _keys(self, place: Place) -> list[Key]:
        """Return where this request and the next ones begin, as long as the list is known to go on."""
        offset = place.offset - place.overlap
        keys = [(offset, place.size)]
        while len(keys) < self._parallel and place.total is not None:
            offset += place.size - (1 if place.size > 1 else 0)
            if offset >= place.total:
                break
            keys.append((offset, place.size))
        return keys

    def _forget(self) -> None:
        for future in self._ahead.values():
            future.cancel()
        self._ahead.clear()

    def _smaller(self, place: Place, error: ServiceError, failed: list[Failure]) -> Place:
        """Return the place to try after an error: smaller, or behind the one record that cannot be read."""
        self._forget()
        if not divisible(error) or not alive(self._client):
            raise error
        smaller = place.smaller()
        if smaller is not None:
            return smaller
        self._failed_in_a_row += 1
        if self._failed_in_a_row > MOST_IN_A_ROW:
            raise error
        failed.append((f"record {place.offset + 1} of {self._path}", error))
        return replace(place, offset=place.offset + 1, sure=False)

    def _larger(self, place: Place) -> Place:
        """Return the place with the usual size again after enough good small pages."""
        if place.size < self._per_page and place.good >= GROW_AFTER:
            return replace(place, size=self._per_page, good=0)
        return place


def _id(row: Row) -> int:
    return int(row.get("id") or 0)


def _pages(behind: Place, piece: Piece) -> int | None:
    if piece.total is None:
        return None
    left = max(piece.total - behind.offset, 0)
    return behind.number + -(-left // max(behind.size - 1, 1))
