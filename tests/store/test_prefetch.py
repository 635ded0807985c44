"""Pieces that come next are asked for while the present one is read and taken."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import cast

import pytest

from integration.store.client import StoreClient
from integration.store.pages import Piece
from integration.store.paginator import Crawl
from integration.store.prefetch import Ahead
from tests.store.shelf import Shelf

PATIENCE_S = 10.0


class Store:
    """Gives pieces; one that `waits` comes when it is let go."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.waits = threading.Event()
        self.held: set[int] = set()
        self._said = threading.Condition()

    def fetch(self, offset: int, limit: int) -> Piece:
        with self._said:
            self.begun.append(offset)
            self._said.notify_all()
        if offset in self.held:
            assert self.waits.wait(PATIENCE_S)
        return Piece([], offset, limit, None, None)

    def has_begun(self, *offsets: int) -> bool:
        with self._said:
            return self._said.wait_for(lambda: set(offsets) <= set(self.begun), PATIENCE_S)


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.waits.set()


def test_while_a_piece_is_taken_all_threads_read(store: Store) -> None:
    store.held = {99, 198}
    ahead = Ahead(store.fetch, 2, lambda: None)
    assert ahead.get(0, 100, 1000).offset == 0
    assert store.has_begun(99, 198)
    ahead.close()


def test_no_more_is_read_ahead_than_threads_can_read(store: Store) -> None:
    ahead = Ahead(store.fetch, 2, lambda: None)
    ahead.get(0, 100, 1000)
    assert store.has_begun(99, 198)
    ahead.get(99, 100, 1000)
    assert store.has_begun(297)
    ahead.close()
    assert sorted(store.begun) == [0, 99, 198, 297]


def test_of_a_list_of_known_length_the_second_page_does_not_wait_for_the_first() -> None:
    shelf, together = Shelf(list(range(1, 300))), threading.Barrier(2, timeout=PATIENCE_S)
    get = shelf.get

    def slow(path: str, params: dict[str, object]) -> object:
        if params.get("offset") in (None, 99):
            together.wait()
        return get(path, params)

    shelf.get = slow  # type: ignore[method-assign,assignment]
    pages = list(Crawl(cast(StoreClient, shelf), "orders", {}, 100, 2, expected=299).pages())
    assert [len(page.rows) for page in pages] == [100, 99, 99, 1]
    assert len(shelf.calls) == 4
