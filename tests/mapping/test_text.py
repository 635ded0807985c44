from __future__ import annotations

import pytest

from integration.mapping.text import clean
from integration.mapping.text import shorten
from integration.mapping.text import shorten_bytes
from integration.mapping.text import without_markup


@pytest.mark.parametrize(
    ("text", "limit", "short"),
    [
        ("short", 10, "short"),
        ("one two three", 8, "one two"),
        ("one two three", 7, "one two"),
        ("averyverylongword tail", 10, "averyveryl"),
        ("a averyverylongword", 12, "a averyveryl"),
        ("👨\u200d👩\u200d👧", 4, "👨\u200d👩"),
        ("one, two", 4, "one"),
        ("a < b", 3, "a"),
    ],
)
def test_text_is_cut_at_a_word_if_one_is_near_and_never_left_dangling(text, limit, short):
    assert shorten(text, limit) == short


def test_bytes_are_cut_between_characters():
    assert shorten_bytes("aüü", 4) == "aü"
    assert shorten_bytes("aü", 3) == "aü"


def test_line_ends_stay_only_where_lines_are_wanted():
    assert clean("a\r\nb\tc\x07") == "a b c"
    assert clean("a\r\nb", lines=True) == "a\nb"


@pytest.mark.parametrize(
    ("text", "bare"),
    [("<b>Bold</b>", "Bold"), ("<<b>b>x", "x"), ("a < b > c", "a < b > c"), ("I <3 you", "I < 3 you"), ("a <", "a")],
)
def test_markup_is_taken_out_as_mautic_does_without_losing_the_rest(text, bare):
    assert without_markup(text) == bare
