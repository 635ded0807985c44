from __future__ import annotations

import pytest

from integration.mapping.merge import merge
from integration.plans import Adjustment, ContactWrite, Note, Plan, SegmentAdd


def test_later_fields_win_and_the_last_spelling_of_the_email_stays():
    first = Plan(ContactWrite("A@example.com", {"city": "Rome", "phone": "1"}))
    second = Plan(ContactWrite("a@example.com", {"city": "Milan"}))
    merged = merge([first, second])
    assert merged.contact == ContactWrite("a@example.com", {"city": "Milan", "phone": "1"})


@pytest.mark.parametrize(
    ("tags", "merged"),
    [
        ([("a",), ("b",)], ("a", "b")),
        ([("a",), ("-a",)], ("-a",)),
        ([("-a",), ("a",)], ("a",)),
        ([("a", "b"), ("-a",), ("a",)], ("b", "a")),
        ([("a", "a"), ("a",)], ("a",)),
    ],
)
def test_tags_add_up_and_the_last_word_on_a_tag_holds(tags, merged):
    assert merge([Plan(ContactWrite("a@example.com", {}, each)) for each in tags]).contact.tags == merged


def test_follow_ups_keep_their_order_and_equal_ones_go_once():
    segment = SegmentAdd(3, "1", "completed")
    note, other = Note("1", "completed", "t", "[1]"), Note("1", "refunded", "t", "[1]")
    contact = ContactWrite("a@example.com")
    merged = merge([Plan(contact, (segment, note)), Plan(contact, (segment, other))])
    assert merged.follow_ups == (segment, note, other)


def test_adjustments_are_kept():
    one, two = Adjustment("city", "left_out", "x."), Adjustment("state", "left_out", "y.")
    contact = ContactWrite("a@example.com")
    assert merge([Plan(contact, (), (one,)), Plan(contact, (), (two, one))]).adjustments == (one, two)


def test_nothing_cannot_be_merged():
    with pytest.raises(ValueError, match="no plan"):
        merge([])
