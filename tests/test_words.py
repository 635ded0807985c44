"""Counts and durations in words."""

from __future__ import annotations

import pytest

from integration import words


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 records"), (1, "1 record"), (2, "2 records"), (1_200, "1,200 records"), (1.5, "1.5 records")],
)
def test_a_number_and_its_noun_agree(number: float, said: str) -> None:
    assert words.counted(number, "record") == said


def test_a_noun_may_have_a_plural_of_its_own() -> None:
    assert (words.counted(1, "person", "people"), words.counted(7, "person", "people")) == ("1 person", "7 people")
    assert (words.form(1, "is", "are"), words.form(0, "is", "are")) == ("is", "are")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (7_300, "2 hours"),
        (604_799, "7 days"),
        (90_000_000, "1,042 days"),
    ],
)
def test_a_duration_is_told_in_its_largest_unit(seconds: float, said: str) -> None:
    assert words.span(seconds) == said


@pytest.mark.parametrize(("seconds", "said"), [(30, "30 seconds"), (90, "90 seconds"), (18_000, "5 hours")])
def test_a_short_wait_is_told_to_the_second(seconds: float, said: str) -> None:
    assert words.wait(seconds) == said
