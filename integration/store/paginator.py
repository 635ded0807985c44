"""Goes through a list from its first row to its last, so that no row is skipped whatever happens meanwhile.

Rows come in order of id. Each request begins with the last row that was taken: if that is not there any more, rows
before it have left the list (trashed, or of another status now), everything has moved up, and the crawl steps back
until it meets a row it knows. Rows it knows are not handed out again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from integration.errors import ServiceError
from integration.store.client import StoreClient
from integration.store.completeness import Progress, counted, same_page, shortfall
from integration.store.page_splitting import Division
from integration.store.pages import SIZES, ListPosition, Page, Piece, fetch
from integration.store.prefetch import Ahead
from integration.store.rows import Failure, Row, oddities

#: So many steps back without meeting a known row: such rows cannot be read by this key, and the crawl goes on.
STEPS_BACK_MAX = 20


class Crawl:
    """One reading of one list ("orders" or "customers") with fixed filters.

    `expected` is how many rows it is believed to have, so that the second page need not wait for the first to tell;
    the threads are those of the `pool` where one is given.
    """

    def __init__(
        self,
        client: StoreClient,
        path: str,
        params: Mapping[str, Any],
        per_page: int,
        parallel: int,
        expected: int | None = None,
        pool: Executor | None = None,
    ) -> None:
        self._client = client
        self._path = path
        self._params = params
        self._per_page = max(1, min(per_page, SIZES[0]))
        self._parallel = parallel
        self._expected = expected
        self._pool = pool
        self._steps = 0
        self._failed: list[Failure] = []
        self._told: set[int] = set()

    def pages(self, start: Mapping[str, Any] | None = None) -> Iterator[Page]:
        """Yield the pages after the cursor `start`, at least one; raises when the store as a whole does not answer."""
        self._division = Division(self._client, self._path, self._params, self._per_page)
        self._progress = Progress()
        read = partial(fetch, self._client, self._path, self._params)
        self._ahead = Ahead(read, self._parallel, self._client.heed, self._pool)
        try:
            yield from self._go(ListPosition.of(start, self._per_page))
        finally:
            self._ahead.close()

    def _go(self, place: ListPosition) -> Iterator[Page]:
        handed_out = 0
        finished = False
        while not finished:
            piece = self._piece(place)
            if isinstance(piece, ListPosition):
                place, finished = piece, self._at_end(piece)
                continue
            self._check_new(place, piece)
            back = self._back(place, piece)
            if back is not None:
                place = back
                continue
            rows = [row for row in piece.rows if row["id"] > place.last_id]
            place, finished = self._taken(place, piece, rows)
            if finished:
                self._division.check_any_read(place)
                self._failed += shortfall(self._path, place)
            if rows or not handed_out or self._division.failed or self._failed:
                handed_out += 1
                place = replace(place, number=place.number + 1)
                yield self._page(place, piece, rows)
        if self._division.failed:
            yield self._last(place)

    def _piece(self, place: ListPosition) -> Piece | ListPosition:
        """Return the next piece, or the place to go on from when it could not be had."""
        offset = place.offset - place.overlap
        known = self._expected if place.total is None and not place.number else place.total
        total = None if self._division.inside else known
        try:
            return self._ahead.get(offset, place.size, total)
        except ServiceError as error:
            return self._division.after(place, error)

    def _check_new(self, place: ListPosition, piece: Piece) -> None:
        """Raise NotSetUp when the page is not the one that was asked for: reading on would never end, or skip rows."""
        again = self._progress.begins_again(place, piece) and self._first_id() == piece.rows[0]["id"]
        if again or self._progress.unsorted(piece):
            raise same_page()

    def _first_id(self) -> int:
        first = fetch(self._client, self._path, {**self._params, "_fields": "id"}, 0, 1)
        return first.rows[0]["id"] if first.rows else 0

    def _back(self, place: ListPosition, piece: Piece) -> ListPosition | None:
        """Return an earlier place when rows may have slipped by, None when the piece joins what was taken."""
        if piece.offset == 0 or self._steps >= STEPS_BACK_MAX:
            return None
        if not place.overlap:
            return _moved_up(place, piece)
        if 0 in piece.odd or (piece.rows and piece.rows[0]["id"] <= place.last_id):
            return None
        self._steps += 1
        stride = max(place.size // 2, 1) * 2 ** min(self._steps - 1, 16)
        return replace(place, offset=max(piece.offset - stride, 0))

    def _taken(self, place: ListPosition, piece: Piece, rows: list[Row]) -> tuple[ListPosition, bool]:
        """Return the place after a piece and whether the list is at its end."""
        if self._progress.stands_still(place, piece):
            raise same_page()
        if rows:
            self._steps = 0
        odd = self._odd(piece)
        seen = piece.offset + piece.count
        # Caches and plugins have been seen to send a total of 0 with rows (dossier W21).
        total = piece.total if piece.total is not None and piece.total >= seen else None
        short = piece.count < piece.limit
        # Behind a page that gave less than was asked for it goes on where that ended: a cap does not end the list.
        only_known = short and not rows and place.overlap == piece.count == 1
        on = total is None or (short and (rows or odd)) or only_known
        after = seen if on else piece.offset + piece.limit
        offset = after if total is None else min(after, max(total, seen))
        moved = replace(
            counted(place, piece, len(rows) + odd),
            offset=offset,
            last_id=max([place.last_id, *(row["id"] for row in rows)]),
            sure=piece.count - 1 not in piece.odd and not only_known,
            total=total,
            began=place.began or _written(piece.sent_at),
        )
        finished = offset >= total if total is not None else short and not rows
        return self._division.grown(moved), finished

    def _odd(self, piece: Piece) -> int:
        """Note the entries without an id that were not told yet, and return how many these are."""
        fresh = {piece.offset + place for place in piece.odd} - self._told
        self._told |= fresh
        self._failed += oddities(self._path, sorted(fresh))
        return len(fresh)

    def _at_end(self, place: ListPosition) -> bool:
        return self._division.failed != [] and place.total is not None and place.offset >= place.total

    def _page(self, place: ListPosition, piece: Piece, rows: list[Row]) -> Page:
        left = max(place.total - place.offset, 0) if place.total is not None else None
        pages = place.number + -(-left // max(place.size - 1, 1)) if left is not None else None
        return Page(
            rows=rows,
            number=place.number,
            total=place.total,
            pages=pages,
            per_page=piece.limit,
            server_time=piece.sent_at,
            began=datetime.fromisoformat(place.began) if place.began else piece.sent_at,
            failed=self._hand_over(),
            cursor=place.to_json(),
        )

    def _hand_over(self) -> list[Failure]:
        failed, self._failed = self._failed, []
        return [*self._division.hand_over(), *failed]

    def _last(self, place: ListPosition) -> Page:
        """Return a page for records at the very end that could not be read; raises when none could be read at all."""
        self._division.check_any_read(place)
        place = replace(place, number=place.number + 1)
        return self._page(place, Piece([], place.offset, place.size, place.total, None), [])


def _moved_up(place: ListPosition, piece: Piece) -> ListPosition | None:
    """Return a place as much earlier as the total has shrunk: all there is to go by without a known row."""
    if place.total is None or piece.total is None or piece.total >= place.total or not place.offset:
        return None
    return replace(place, offset=max(place.offset - (place.total - piece.total), 0), total=piece.total)


def _written(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""
