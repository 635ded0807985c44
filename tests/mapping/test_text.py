from __future__ import annotations

import pytest
from hypothesis import example, given, strategies as st

from integration.mapping.text import clean, shorten, shorten_bytes, trimmed, without_markup
from integration.mapping.values import fit_value
from integration.mautic.same_value import alike
from integration.plans import MauticField
from integration.sandbox.mautic import php_format


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


UNSEEN = "\u202b\u202c\u200f\u200b\ufeff\u00a0\u2028\u3000\u00ad"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\u202bالحربي\u202c", "الحربي"),
        ("\ufeffAda\u200b \u00a0", "Ada"),
        ("A\u200bda", "A\u200bda"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("\u200f\u200b", ""),
        ("", ""),
    ],
)
def test_ends_are_trimmed_as_mautic_does(text, left):
    assert trimmed(text) == clean(text) == php_format.trim(text) == left


values = st.text() | st.text(UNSEEN + "<>ab,; \n", max_size=30)


@given(values, st.sampled_from(("text", "textarea", "html")), st.sampled_from((None, 5, 64)))
def test_what_is_sent_is_what_mautic_will_hold(text, kind, limit):
    sent, _ = fit_value(MauticField("city", kind, limit=limit), text)
    if sent is not None:
        assert php_format.trim(str(sent)) == sent
        assert limit is None or len(str(sent)) <= limit


@given(values)
@example("<<>>")
@example("<a<b>c>d")
@example("a > b < c")
@example("<<<x")
def test_a_value_is_alike_what_mautic_made_of_it(text):
    assert alike(text, php_format.trim(php_format.strip_tags(text)), {"type": "text"})


def test_nested_markup_is_compared_in_linear_time():
    assert alike("<" * 100_000 + ">" * 100_000 + "x", "x", {"type": "textarea"})
