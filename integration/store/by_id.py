"""Reading records by their ids, a hundred a call (woo:459)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from integration.errors import ServiceError
from integration.http.transport import Answer
from integration.store.client import StoreClient
from integration.store.completeness import same_page
from integration.store.fault_scope import FAILED_IN_A_ROW_MAX, alive, divisible
from integration.store.pages import SIZES, Page, asked_at, total_of
from integration.store.prefetch import waited_for
from integration.store.rows import Failure, Row, oddities, rows_of, sifted

#: After so many calls in a row that the store could not answer as a whole its list is the better way.
DIVIDED_MAX = 3
#: So many calls are under way when an answer is waited for: one more than a pool has threads, which then never rest.
_AHEAD = 3


@dataclass(frozen=True, slots=True)
class Parts:
    """Which ids are read with which call: `of` returns those of a call, from 0; `ids` is how many there are in all."""

    calls: int
    ids: int
    of: Callable[[int], Sequence[int]]


class GaveUp(Exception):
    """The store does not give records by their ids as it lists them; says why."""


def in_order(ids: Sequence[int]) -> Parts:
    """Return the calls of a list of ids, each of which is asked for once."""
    size = SIZES[0]
    wanted = list(dict.fromkeys(ids))
    return Parts(-(-len(wanted) // size), len(wanted), lambda place: wanted[place * size : (place + 1) * size])


def pick(
    client: StoreClient,
    path: str,
    params: Mapping[str, Any],
    ids: Sequence[int] | Parts,
    start: Mapping[str, Any] | None = None,
    pool: Executor | None = None,
) -> Iterator[Page]:
    """Yield pages of the records with these ids; a record that alone makes the store fail stands in `failed`.

    Those that the store does not give stand in `missing`. With a `pool` the next calls are made meanwhile. Raises the
    store's error when it gives nothing, and GaveUp where it would be read better by its list, which `Parts` stand for.
    """
    listed = isinstance(ids, Parts)
    parts = ids if isinstance(ids, Parts) else in_order(ids)
    reader, trouble = _Reader(client, path, params, listed), _Trouble()
    for place, part, answer in reader.answers(parts, _begin(start, listed=listed), pool):
        found = reader.page(part, answer)
        if listed:
            trouble.look(found)
        yield Page(found.rows, place + 1, parts.ids, parts.calls, len(part), found.at, found.at, failed=found.failed,
                   cursor={"part": place + 1}, asked=part, missing=list(found.left))  # fmt: skip


def _begin(start: Mapping[str, Any] | None, *, listed: bool) -> int:
    """Return the call to go on with; of plain ids an earlier version counted these, and of a list nothing else goes."""
    known = start or {}
    counted = 0 if listed else -(-int(known.get("offset", 0)) // SIZES[0])
    return int(known.get("part", counted))


class _Found:
    """What was read of one page."""

    def __init__(self, ids: Sequence[int]) -> None:
        self.rows: list[Row] = []
        self.failed: list[Failure] = []
        self.at: Any = None
        self.refused = 0
        self.divided = False
        #: What was asked for and neither given nor refused.
        self.left = dict.fromkeys(ids)

    def take(self, path: str, entries: Sequence[Any], ids: Sequence[int]) -> None:
        """Keep what was asked for; raises NotSetUp for records that nobody asked for: the query string was dropped."""
        rows, odd = sifted(entries)
        if not {row["id"] for row in rows} <= set(ids):
            raise same_page()
        self.rows += rows
        self.failed += oddities(path, odd)
        for row in rows:
            self.left.pop(row["id"], None)

    def refuse(self, path: str, number: int, error: ServiceError) -> None:
        """Note that the store cannot give a record."""
        self.failed.append((f"{path.rstrip('s')} {number}", error))
        self.refused += 1
        self.left.pop(number, None)


class _Trouble:
    """Counts what went wrong in a row: a list is read in pages that become smaller, and breaks off, by the same."""

    def __init__(self) -> None:
        self._divided = 0
        self._refused = 0

    def look(self, found: _Found) -> None:
        """Raise GaveUp after too many calls that were too large, or records that could not be given, in a row."""
        self._divided = self._divided + 1 if found.divided and not found.refused else 0
        self._refused = self._refused + found.refused if not found.rows else found.refused
        if self._divided >= DIVIDED_MAX:
            raise GaveUp("it cannot give so many at once")
        if self._refused >= FAILED_IN_A_ROW_MAX:
            raise GaveUp(str(found.failed[-1][1]))


#: Returns the answer of a call, or raises what that raised.
Call = Callable[[], tuple[Any, Answer]]
_Asked = tuple[int, Sequence[int], Future[tuple[Any, Answer]]]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads from one list with fixed filters."""

    client: StoreClient
    path: str
    params: Mapping[str, Any]
    listed: bool

    def answers(self, parts: Parts, begin: int, pool: Executor | None) -> Iterator[tuple[int, Sequence[int], Call]]:
        """Yield each call's place and ids, and its answer."""
        if pool is None:
            for place in range(begin, parts.calls):
                ids = parts.of(place)
                yield place, ids, partial(self.ask, ids)
            return
        under_way: deque[_Asked] = deque()
        try:
            for place in range(begin, parts.calls):
                ids = parts.of(place)
                under_way.append((place, ids, pool.submit(self.ask, ids)))
                if len(under_way) == _AHEAD:
                    yield self._next(under_way)
            while under_way:
                yield self._next(under_way)
        finally:
            for _, _, answer in under_way:
                answer.cancel()

    def _next(self, under_way: deque[_Asked]) -> tuple[int, Sequence[int], Call]:
        place, ids, answer = under_way.popleft()
        return place, ids, partial(waited_for, answer, self.client.heed)

    def ask(self, ids: Sequence[int]) -> tuple[Any, Answer]:
        """Ask the store for these records; raises ServiceError."""
        query = {**self.params, "include": list(ids), "per_page": len(ids), "orderby": "id", "order": "asc"}
        return self.client.get(self.path, query)

    def page(self, ids: Sequence[int], call: Call) -> _Found:
        """Return what a call brings, and smaller ones where that fails; raises where the store as a whole does."""
        found = _Found(ids)
        self._take(ids, call, found)
        return found

    def _take(self, ids: Sequence[int], call: Call, found: _Found) -> None:
        """Take what a call brings, and what is left of it where the page's size has a cap: that costs calls only."""
        capped = True
        while capped:
            try:
                value, answer = call()
                entries = rows_of(value, answer)
                found.take(self.path, entries, ids)
            except ServiceError as error:
                return self._divide(ids, found, error)
            found.at = found.at or asked_at(answer)
            left = [number for number in ids if number in found.left]
            capped = len(left) < len(ids) and bool(left) and len(entries) < (total_of(answer) or 0)
            ids, call = left, partial(self.ask, left)
        return None

    def _divide(self, ids: Sequence[int], found: _Found, error: ServiceError) -> None:
        if not divisible(error) or not alive(self.client):
            raise error
        if len(ids) == 1:
            found.refuse(self.path, ids[0], error)
            if self.listed and not found.rows and found.refused >= FAILED_IN_A_ROW_MAX:
                raise GaveUp(str(error)) from error
            return
        found.divided = True
        middle = len(ids) // 2
        for half in (ids[:middle], ids[middle:]):
            self._take(half, partial(self.ask, half), found)
