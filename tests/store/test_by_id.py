"""Records by their ids: a hundred a call, the next calls meanwhile; what is not given is told from what is refused."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from integration.errors import NotSetUp, ServerFault
from integration.http.transport import Answer
from integration.store.by_id import GaveUp, Parts, pick
from integration.store.client import Reply
from tests.waiting import wait_for


class Shop:
    """Gives {"id": N} of what it has; those of `poison` break the answer; `calls` are the ids of each call."""

    def __init__(self, ids: range) -> None:
        self.ids = set(ids)
        self.poison: set[int] = set()
        self.calls: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.heeded = 0

    def heed(self) -> None:
        self.heeded += 1

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Reply:
        answer = Answer(200, {"date": "Fri, 20 Nov 2026 19:48:29 GMT"}, b"", 0.0, "")
        if not path:
            return {}, answer
        assert params is not None
        self.calls.append(list(params["include"]))
        self.gate.wait(20)
        if self.poison & set(params["include"]):
            raise ServerFault("store", "php_fatal", "The store broke off with a PHP error.", status=500)
        return [{"id": each} for each in sorted(self.ids & set(params["include"]))], answer


def listed(calls: list[list[int]]) -> Parts:
    return Parts(len(calls), sum(map(len, calls)), lambda place: calls[place])


CALLS = [[9, 1], [4], [7, 5, 6], [8], [2]]


@pytest.mark.parametrize("threads", [0, 2])
def test_each_call_is_a_page_and_tells_what_was_not_given(threads: int) -> None:
    shop = Shop(range(1, 9))
    with ThreadPoolExecutor(threads or 1) as pool:
        pages = list(pick(shop, "orders", {}, listed(CALLS), pool=pool if threads else None))  # type: ignore[arg-type]
    assert [[row["id"] for row in page.rows] for page in pages] == [[1], [4], [5, 6, 7], [8], [2]]
    assert [list(page.missing) for page in pages] == [[9], [], [], [], []]
    assert [(page.number, page.pages, page.total) for page in pages] == [(n, 5, 8) for n in range(1, 6)]
    assert shop.calls == CALLS


def test_reading_goes_on_behind_a_page() -> None:
    shop = Shop(range(1, 10))
    third = list(pick(shop, "orders", {}, listed(CALLS)))[2]  # type: ignore[arg-type]
    shop.calls.clear()
    rest = list(pick(shop, "orders", {}, listed(CALLS), third.cursor))  # type: ignore[arg-type]
    assert ([page.number for page in rest], shop.calls) == ([4, 5], CALLS[3:])


@pytest.mark.parametrize(("offset", "calls"), [(0, [100, 100, 50]), (100, [100, 50]), (200, [50]), (250, [])])
def test_the_place_of_an_earlier_version_is_known(offset: int, calls: list[int]) -> None:
    shop = Shop(range(1, 251))
    list(pick(shop, "orders", {}, range(1, 251), {"offset": offset}))  # type: ignore[arg-type]
    assert [len(call) for call in shop.calls] == calls


def test_two_calls_are_made_at_a_time_and_heeded_meanwhile() -> None:
    shop = Shop(range(1, 10))
    shop.gate.clear()
    with ThreadPoolExecutor(2) as pool, ThreadPoolExecutor(1) as reader:
        pages = pick(shop, "orders", {}, listed(CALLS), pool=pool)  # type: ignore[arg-type]
        first = reader.submit(next, pages)
        wait_for(lambda: shop.heeded and len(shop.calls) == 2)
        shop.gate.set()
        assert first.result(20).number == 1
        assert len(list(pages)) == 4


def test_who_stops_reading_has_no_further_calls_made() -> None:
    shop = Shop(range(1, 10))
    with ThreadPoolExecutor(1) as pool:
        pages = pick(shop, "orders", {}, listed(CALLS), pool=pool)  # type: ignore[arg-type]
        next(pages)
        shop.gate.clear()
        pages.close()  # type: ignore[attr-defined]
        shop.gate.set()
    assert len(shop.calls) <= 3


@pytest.mark.parametrize("threads", [0, 2])
def test_a_record_that_breaks_the_answer_is_refused_and_not_missing(threads: int) -> None:
    shop = Shop(range(1, 9))
    shop.poison = {5}
    with ThreadPoolExecutor(2) as pool:
        pages = list(pick(shop, "orders", {}, listed(CALLS), pool=pool if threads else None))  # type: ignore[arg-type]
    assert [row["id"] for row in pages[2].rows] == [7, 6]
    assert ([what for what, _ in pages[2].failed], pages[2].missing) == (["order 5"], [])
    assert pages[0].missing == [9]


@pytest.mark.parametrize("total", [None, 100])
def test_a_cap_of_the_page_costs_calls_and_no_records(total: int | None) -> None:
    shop = Shop(range(1, 101))
    get = shop.get

    def capped(path: str, params: Mapping[str, Any] | None = None) -> Reply:
        rows, answer = get(path, params)
        fit = {"x-wp-total": str(len(rows))} if total else {}
        return rows[:40], Answer(200, {**answer.headers, **fit}, b"", 0.0, "")

    shop.get = capped  # type: ignore[method-assign]
    [page] = pick(shop, "orders", {}, range(1, 101))  # type: ignore[arg-type]
    # A store that does not count is not asked again: records that are gone would cost calls each time.
    assert (len(page.rows), len(page.missing), len(shop.calls)) == ((100, 0, 3) if total else (40, 60, 1))


def test_an_entry_without_an_id_beside_a_record_that_is_counted_only_is_not_asked_for_again() -> None:
    shop = Shop(range(1, 4))

    def spoilt(path: str, params: Mapping[str, Any] | None = None) -> Reply:
        left = list((params or {})["include"])
        shop.calls.append(left)
        rows = [None if number == 2 else {"id": number} for number in left if number != 3]
        return rows, Answer(200, {"x-wp-total": str(len(left))}, b"", 0.0, "")

    shop.get = spoilt  # type: ignore[method-assign]
    [page] = pick(shop, "orders", {}, [1, 2, 3])  # type: ignore[arg-type]
    assert ([row["id"] for row in page.rows], page.missing, shop.calls) == ([1], [2, 3], [[1, 2, 3], [2, 3]])


def test_a_list_is_given_up_where_calls_are_too_large_one_after_the_other() -> None:
    shop = Shop(range(1, 401))
    get = shop.get

    def weak(path: str, params: Mapping[str, Any] | None = None) -> Reply:
        if path and len((params or {})["include"]) > 20:
            raise ServerFault("store", "php_fatal", "The store broke off with a PHP error.", status=500)
        return get(path, params)

    shop.get = weak  # type: ignore[method-assign]
    calls = [list(range(begin, begin + 100)) for begin in (1, 101, 201, 301)]
    pages = pick(shop, "orders", {}, listed(calls))  # type: ignore[arg-type]
    assert [len(next(pages).rows) for _ in range(2)] == [100, 100]
    with pytest.raises(GaveUp):
        next(pages)


def test_a_list_is_given_up_where_no_record_can_be_given() -> None:
    shop = Shop(range(1, 41))
    shop.poison = set(range(1, 41))
    calls = [list(range(begin, begin + 4)) for begin in range(1, 41, 4)]
    pages = pick(shop, "orders", {}, listed(calls))  # type: ignore[arg-type]
    assert [len(next(pages).failed) for _ in range(2)] == [4, 4]
    with pytest.raises(GaveUp):
        next(pages)


def test_a_place_in_the_list_by_ids_is_none_in_the_list_by_buyers() -> None:
    shop = Shop(range(1, 10))
    start = {"offset": 200, "last_id": 6, "number": 2, "total": 9}
    list(pick(shop, "orders", {}, listed(CALLS), start))  # type: ignore[arg-type]
    assert shop.calls == CALLS


def test_records_that_nobody_asked_for_are_refused() -> None:
    shop = Shop(range(1, 9))
    shop.get = lambda path, params=None: ([{"id": 77}], Answer(200, {}, b"", 0.0, ""))  # type: ignore[method-assign]
    with pytest.raises(NotSetUp):
        list(pick(shop, "orders", {}, [1, 2]))  # type: ignore[arg-type]
