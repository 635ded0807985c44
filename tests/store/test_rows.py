"""Entries of a list that nobody can tell apart: each its own failure, and no neighbour is lost."""

from __future__ import annotations

from typing import Any, cast

import pytest

from integration.http.transport import Answer
from integration.store.client import StoreClient
from integration.store.paginator import Crawl
from integration.store.rows import row_id
from tests.store.shelf import Shelf


class OddShelf(Shelf):
    """A shelf that puts something else in the place of some of its rows."""

    def __init__(self, ids: list[int], odd: dict[int, Any]) -> None:
        super().__init__(ids)
        self.odd = odd

    def get(self, path: str, params: Any = None) -> tuple[Any, Answer]:
        value, answer = super().get(path, params)
        if isinstance(value, list):
            value = [self.odd.get(row["id"], row) for row in value]
        return value, answer


ODD = [
    None,
    "text",
    5,
    [],
    {},
    {"id": None},
    {"id": True},
    {"id": "x"},
    {"id": 1.5},
    {"id": 2**70},
    {"id": -3},
    {"id": []},
]


@pytest.mark.parametrize("entry", ODD, ids=repr)
@pytest.mark.parametrize("place", [1, 57, 100, 101, 250])
def test_an_odd_entry_is_its_own_failure_and_no_neighbour_is_lost(entry: Any, place: int) -> None:
    numbers = list(range(1, 251))
    shelf = OddShelf(numbers, {place: entry})
    pages = list(Crawl(cast(StoreClient, shelf), "orders", {}, 100, 2).pages())
    assert [row["id"] for page in pages for row in page.rows] == [n for n in numbers if n != place]
    assert [what for page in pages for what, _ in page.failed] == [f"the order at position {place}"]
    assert len(shelf.calls) < 10


@pytest.mark.parametrize(("value", "number"), [(7, 7), ("7", 7), (7.0, 7), ("07", 7), (2**63 - 1, 2**63 - 1)])
def test_a_whole_number_is_an_id_however_it_is_written(value: Any, number: int) -> None:
    assert row_id({"id": value}) == number


@pytest.mark.parametrize("value", [True, 2**63, "²", float("inf"), float("nan"), "9" * 5000, {"id": 1}])
def test_what_no_column_holds_is_none(value: Any) -> None:
    assert row_id({"id": value}) == 0


def test_a_row_that_comes_twice_is_taken_once() -> None:
    shelf = OddShelf([1, 2, 3], {3: {"id": 2}})
    shelf.counts = False
    [page] = [page for page in Crawl(cast(StoreClient, shelf), "orders", {}, 100, 1).pages() if page.rows]
    assert [row["id"] for row in page.rows] == [1, 2]
