"""Going through a list: nothing is lost, nothing comes twice, and nothing goes on for ever."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from itertools import islice
from typing import Any, cast

import pytest
from hypothesis import given, settings, strategies as st

from integration.errors import ServerFault
from integration.store.client import StoreClient
from integration.store.pages import Page
from integration.store.paginator import Crawl
from tests.store.shelf import Shelf


def crawl(
    shelf: Shelf, start: Any = None, *, parallel: int = 2, per_page: int = 100, expected: int | None = None
) -> list[Page]:
    pages: list[Page] = []
    for page in Crawl(cast(StoreClient, shelf), "orders", {}, per_page, parallel, expected).pages(start):
        pages.append(page)
        assert len(shelf.calls) < 5000, "the reading never ends"
    return pages


def ids(pages: Iterable[Page]) -> list[int]:
    return [row["id"] for page in pages for row in page.rows]


def failures(pages: Iterable[Page]) -> list[str]:
    return [what for page in pages for what, _ in page.failed]


def numbers(last: int) -> list[int]:
    return list(range(1, last + 1))


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 199, 200, 450])
@pytest.mark.parametrize("counts", [True, False], ids=["with a total", "without one"])
def test_lists_of_every_length_come_whole(count: int, counts: bool) -> None:
    shelf = Shelf(numbers(count))
    shelf.counts = counts
    assert ids(crawl(shelf)) == numbers(count)


def test_a_long_list_takes_hardly_more_calls_than_it_has_pages() -> None:
    shelf = Shelf(numbers(1000))
    crawl(shelf)
    assert len(shelf.calls) == 11


def test_pages_are_numbered_and_foretold() -> None:
    pages = crawl(Shelf(numbers(450)))
    assert [page.number for page in pages] == [1, 2, 3, 4, 5]
    assert {page.pages for page in pages} == {5}
    assert {page.total for page in pages} == {450}


@pytest.mark.parametrize("poison", [{1}, {237}, {450}, {237, 238}, {1, 100, 101, 450}, {236, 240, 244}])
@pytest.mark.parametrize("parallel", [1, 2, 3])
def test_a_record_that_kills_the_page_is_named_and_left_alone(poison: set[int], parallel: int) -> None:
    shelf = Shelf(numbers(450))
    shelf.poison, shelf.named = poison, True
    pages = crawl(shelf, parallel=parallel)
    assert ids(pages) == sorted(set(numbers(450)) - poison)
    assert failures(pages) == [f"order {number}" for number in sorted(poison)]


def test_behind_a_poisonous_record_pages_are_large_again() -> None:
    shelf = Shelf(numbers(3000))
    shelf.poison = {237}
    pages = crawl(shelf)
    assert failures(pages) == ["the order at position 237"]
    assert [limit for _, limit in shelf.calls][-20:] == [100] * 20
    assert len(shelf.calls) < 60


@pytest.mark.parametrize(("most", "calls"), [(50, 80), (25, 160), (10, 400)])
def test_a_page_size_that_is_too_much_is_remembered(most: int, calls: int) -> None:
    shelf = Shelf(numbers(2000))
    shelf.most = most
    pages = crawl(shelf)
    assert ids(pages) == numbers(2000)
    assert failures(pages) == []
    assert len(shelf.calls) < calls


def test_after_a_while_the_usual_size_is_tried_again() -> None:
    shelf = Shelf(numbers(3000))
    shelf.most = 50

    def recover(number: int) -> None:
        shelf.most = 50 if number < 10 else 100

    shelf.before = recover
    assert ids(crawl(shelf)) == numbers(3000)
    assert shelf.calls[-1][1] == 100


def test_a_size_that_was_asked_for_is_not_exceeded() -> None:
    shelf = Shelf(numbers(1500))
    shelf.most = 20
    shelf.before = lambda number: setattr(shelf, "most", 20 if number < 3 else 100)
    assert ids(crawl(shelf, per_page=30)) == numbers(1500)
    assert {limit for _, limit in shelf.calls} == {30, 25, 10}


def test_a_dead_store_is_asked_once_more_and_not_for_every_record() -> None:
    shelf = Shelf(numbers(450))
    shelf.dead = True
    with pytest.raises(ServerFault):
        crawl(shelf)
    assert (len(shelf.calls), shelf.probes) == (1, 1)


def test_a_store_that_dies_halfway_leaves_a_cursor_that_goes_on() -> None:
    shelf = Shelf(numbers(450))
    shelf.before = lambda number: setattr(shelf, "dead", number >= 3)
    seen: list[Page] = []
    with pytest.raises(ServerFault):
        for page in Crawl(cast(StoreClient, shelf), "orders", {}, 100, 1).pages():
            seen.append(page)
    shelf.before, shelf.dead = lambda number: None, False
    assert ids(seen) + ids(crawl(shelf, seen[-1].cursor)) == numbers(450)


def test_many_broken_records_in_a_row_are_a_broken_store_and_none_of_them_is_passed_over() -> None:
    shelf = Shelf(numbers(450))
    shelf.poison = set(range(150, 451))
    seen: list[Page] = []
    with pytest.raises(ServerFault):
        for page in Crawl(cast(StoreClient, shelf), "orders", {}, 100, 2).pages():
            seen.append(page)
    assert failures(seen) == []
    shelf.poison = set()
    assert ids(seen) + ids(crawl(shelf, seen[-1].cursor)) == numbers(450)


def test_a_list_of_which_nothing_can_be_read_is_a_broken_store() -> None:
    shelf = Shelf(numbers(4))
    shelf.poison = set(numbers(4))
    with pytest.raises(ServerFault):
        crawl(shelf)


@pytest.mark.parametrize(
    ("unseen", "counts"),
    [
        (range(90, 130), True),
        (range(90, 130), False),
        (range(100, 101), True),
        (range(100, 101), False),
        (range(440, 451), True),
        (range(440, 451), False),
        # Without a total a whole page of nothing is the end.
        (range(1, 300), True),
        (range(1, 451), True),
    ],
)
def test_rows_that_the_key_may_not_see_do_not_end_the_reading(unseen: range, counts: bool) -> None:
    shelf = Shelf(numbers(450))
    shelf.unseen, shelf.counts = set(unseen), counts
    assert ids(crawl(shelf)) == sorted(set(numbers(450)) - set(unseen))


def test_a_total_of_zero_with_rows_is_not_believed() -> None:
    shelf = Shelf(numbers(250))
    shelf.total = "0"
    assert ids(crawl(shelf)) == numbers(250)


def test_the_first_answer_tells_when_the_whole_reading_began() -> None:
    pages = crawl(Shelf(numbers(250)))
    later = crawl(Shelf(numbers(250)), pages[0].cursor)
    assert {page.began for page in (*pages, *later)} == {pages[0].server_time}
    assert pages[0].server_time is not None


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 700),
    poison=st.sets(st.integers(1, 700), max_size=4),
    unseen=st.sets(st.integers(1, 700), max_size=30),
    parallel=st.integers(1, 3),
    stops=st.lists(st.integers(1, 6), max_size=3),
)
def test_a_reading_may_be_interrupted_anywhere(
    count: int, poison: set[int], unseen: set[int], parallel: int, stops: list[int]
) -> None:
    shelf = Shelf(numbers(count))
    shelf.poison, shelf.unseen = poison, unseen - poison
    seen: list[Page] = []
    cursor: Any = None
    for stop in stops:
        for page in islice(Crawl(cast(StoreClient, shelf), "orders", {}, 100, parallel).pages(cursor), stop):
            seen.append(page)
            cursor = json.loads(json.dumps(page.cursor))
    pages = seen + crawl(shelf, cursor, parallel=parallel)
    assert ids(pages) == sorted(set(numbers(count)) - poison - unseen)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    leaving=st.integers(0, 60),
    coming=st.integers(0, 20),
    poison=st.sets(st.integers(1, 900), max_size=2),
    parallel=st.integers(1, 3),
    expected=st.none() | st.integers(0, 1500),
)
def test_rows_that_come_and_go_meanwhile_hide_no_others(
    seed: int, leaving: int, coming: int, poison: set[int], parallel: int, expected: int | None
) -> None:
    chance = random.Random(seed)
    shelf = Shelf(sorted(chance.sample(range(1, 900), 600)))
    shelf.poison = poison if not leaving else set()
    stayed = set(shelf.ids)

    def shuffle(number: int) -> None:
        gone = set(chance.sample(shelf.ids, min(len(shelf.ids), leaving)))
        stayed.difference_update(gone)
        new = set(chance.sample(range(1, 1200), coming)) - set(shelf.ids) if number < 8 else set()
        shelf.ids = sorted((set(shelf.ids) - gone) | new)

    shelf.before = lambda number: shuffle(number) if number < 12 else None
    found = ids(crawl(shelf, parallel=parallel, expected=expected))
    assert stayed - shelf.poison <= set(found)
    assert len(found) == len(set(found))
    assert found == sorted(found)
