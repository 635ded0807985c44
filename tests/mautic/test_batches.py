from __future__ import annotations

import json
from typing import Any

import pytest

from integration.errors import ServerFault
from integration.mautic.batches import PAUSE_MAX_S, PAUSE_MIN_S, ROW_S, BatchSize, row_answers
from tests.mautic.script import recorded


def rows_of(number: str) -> list[tuple[int, int | None, str]]:
    value = json.loads(recorded(number).body)
    answers = row_answers(value, "contacts", len(value["statusCodes"]))
    return [(each.status, each.item.get("id"), " ".join(each.problem.details)) for each in answers]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("137", [(201, 27, ""), (400, None, "email"), (201, 28, "")]),
        ("139", [(201, 29, ""), (400, None, "email")]),
        ("140", [(400, None, "email"), (400, None, "email")]),
        ("157", [(200, 27, ""), (404, None, ""), (200, 29, "")]),
        ("158", [(400, 27, ""), (200, 29, ""), (404, None, "")]),
        ("162", [(422, 27, "email"), (200, 29, "")]),
        ("164", [(404, None, "")]),
        ("180", [(422, None, "email")]),
        ("185", [(422, number, "email") for number in range(248, 255)]),
    ],
)
def test_rows_of_recorded_batches(number: str, expected: list[tuple[int, int | None, str]]) -> None:
    assert rows_of(number) == expected


def test_lists_that_were_numbered_anew_are_counted() -> None:
    value = {"contacts": [{"id": 5}], "statusCodes": [400, 200], "errors": [{"code": 400, "details": {"email": ["x"]}}]}
    first, second = row_answers(value, "contacts", 2)
    assert (first.status, first.item, list(first.problem.details)) == (400, {}, ["email"])
    assert (second.status, second.item) == (200, {"id": 5})


def test_objects_with_row_numbers_may_stand_for_status_codes() -> None:
    value = {"contacts": {"1": {"id": 9}}, "statusCodes": {"0": 400, "1": 201}, "errors": {"0": {"code": 400}}}
    assert [(each.status, each.item.get("id")) for each in row_answers(value, "contacts", 2)] == [(400, None), (201, 9)]


def test_rows_that_are_not_told_of_are_neither_good_nor_refused() -> None:
    (_, lost) = row_answers({"contacts": [{"id": 1}], "statusCodes": [201]}, "contacts", 2)
    assert (lost.status, lost.good) == (0, False)


@pytest.mark.parametrize("value", [None, [], {}, {"contacts": []}, {"success": 1}, "x"])
def test_an_answer_without_status_codes_is_unreadable(value: Any) -> None:
    with pytest.raises(ServerFault):
        row_answers(value, "contacts", 1)


def test_the_size_doubles_while_calls_are_quick() -> None:
    size = BatchSize()
    grown = []
    for _ in range(3):
        size.took(size.value, 1.0)
        grown.append(size.value)
    assert grown == [100, 200, 200]


def test_a_batch_that_was_not_full_says_nothing_about_a_larger_one() -> None:
    size = BatchSize()
    size.took(7, 0.1)
    assert size.value == 50


def test_the_size_aims_at_five_seconds() -> None:
    size = BatchSize(200)
    size.took(200, 20.0)
    assert size.value == 50
    size.took(50, 4.0)
    assert size.value == 50


def test_a_lost_answer_halves_the_size_down_to_one() -> None:
    size = BatchSize(3)
    for _ in range(3):
        assert size.unanswered(3, 0.1) == PAUSE_MIN_S
    assert size.value == 1


def test_the_pause_is_twice_what_the_slowest_batch_took_for_so_many_rows() -> None:
    size = BatchSize(50)
    size.took(20, 8.0)
    size.took(50, 2.0)
    assert size.unanswered(100, 0.1) == 2 * 100 * 8.0 / 20
    assert size.unanswered(10, 60.0) == 120.0
    assert size.unanswered(200, 1.0) == 160.0
    assert size.unanswered(2, 400.0) == PAUSE_MAX_S


def test_a_small_slow_batch_says_nothing_of_large_ones() -> None:
    size = BatchSize(50)
    size.took(1, 0.9)
    assert size.unanswered(100, 0.1) == 2 * 100 * ROW_S


def test_no_batch_is_larger_than_mautic_takes() -> None:
    assert BatchSize(1000, most=1000).value == 200
    assert BatchSize(0).value == 1
