"""Reads in smaller and smaller pages around what fails, and grows again behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from integration.errors import ServiceError
from integration.store.client import StoreClient
from integration.store.fault_scope import FAILED_IN_A_ROW_MAX, alive, divisible
from integration.store.pages import GROW_AFTER, SIZES, ListPosition, fetch
from integration.store.rows import Failure


class Block(NamedTuple):
    """A stretch up to position `end` that could not be read in one piece of `size`."""

    end: int
    size: int
    failures: int


class Division:
    """Halves around failures; `failed` holds records that failed alone until something can be read again."""

    def __init__(self, client: StoreClient, path: str, params: Mapping[str, Any], largest: int = SIZES[0]) -> None:
        self._client = client
        self._path = path
        self._params = params
        self._largest = largest
        self._blocks: list[Block] = []
        self._poisonous = 0
        self.failed: list[Failure] = []

    @property
    def inside(self) -> bool:
        """Tell whether a stretch that failed is being read just now."""
        return bool(self._blocks)

    def after(self, place: ListPosition, error: ServiceError) -> ListPosition:
        """Return where to go on after a failure: smaller, or behind a record that fails alone.

        Raises the error when no smaller page can help, when the store is dead, or when records fail in a row.
        """
        smaller = place.smaller()
        asks = smaller is None or not self._blocks
        if not divisible(error) or (asks and not alive(self._client)):
            raise error
        if smaller is None:
            return self._skip(place, error)
        self._blocks.append(Block(place.offset - place.overlap + place.size, place.size, self._poisonous))
        return smaller

    def _skip(self, place: ListPosition, error: ServiceError) -> ListPosition:
        self.failed.append((self._name(place), error))
        if len(self.failed) >= FAILED_IN_A_ROW_MAX:
            raise error
        self._poisonous += 1
        return self._left(replace(place, offset=place.offset + 1, sure=False, taken=place.taken + 1))

    def _name(self, place: ListPosition) -> str:
        """Return how to call the record that fails: its id may be had where the whole record is not."""
        one = self._path.rstrip("s")
        try:
            rows = fetch(self._client, self._path, {**self._params, "_fields": "id"}, place.offset, 1).rows
        except ServiceError:
            rows = []
        number = rows[0]["id"] if rows else None
        return f"{one} {number}" if number else f"the {one} at position {place.offset + 1}"

    def grown(self, place: ListPosition) -> ListPosition:
        """Return the place after a good piece, with a larger size where it is time for one."""
        place = self._left(replace(place, good=place.good + 1))
        if self._blocks or place.good < GROW_AFTER or place.size >= self._largest:
            return place
        larger = min(size for size in (*SIZES, self._largest) if size > place.size)
        return replace(place, size=larger, good=0)

    def _left(self, place: ListPosition) -> ListPosition:
        """Leave the stretches that are read to their end; their size returns if a record was to blame for them."""
        while self._blocks and place.offset >= self._blocks[-1].end:
            block = self._blocks.pop()
            if self._poisonous > block.failures:
                place = replace(place, size=block.size, good=0)
        return place

    def hand_over(self) -> list[Failure]:
        """Return the records that failed alone since the last call."""
        failed, self.failed = self.failed, []
        return failed

    def check_any_read(self, place: ListPosition) -> None:
        """Raise the last error when several records failed and not one could be read: the list itself is broken."""
        if not place.last_id and len(self.failed) > 1:
            raise self.failed[-1][1]
