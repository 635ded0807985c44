"""What follows an order in a status: a note (P39), an e-mail (P40), a segment (P42)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integration.mapping.follow_ups import Sighting
from integration.plans import Note, SegmentAdd, SendEmail
from integration.records import LineItem
from tests.mapping import samples
from tests.mapping.order_plans import REACHED, modules, planned


def test_p39_a_note_has_title_all_items_and_a_marker():
    order = replace(samples.order("sixty_items"), status="completed")
    (note,) = planned(order, modules(notes=True)).follow_ups
    assert isinstance(note, Note)
    assert (note.order_id, note.status) == ("93", "completed")
    assert "Order #93: completed" in note.text
    assert note.text.count("<li>") == 60
    assert note.marker == "[order 93 completed]" and note.marker in note.text
    assert note.at is not None


def test_p39_what_people_typed_is_escaped_in_a_note():
    order = replace(samples.order("no_items"), items=(LineItem("<img src=x> & Co", sku="<S>"),))
    (note,) = planned(order, modules(notes=True)).follow_ups
    assert isinstance(note, Note)
    assert "<img" not in note.text and "&lt;img src=x&gt; &amp; Co" in note.text and "&lt;S&gt;" in note.text


def test_p39_a_note_of_thousands_of_items_stays_in_older_mautics_column():
    order = replace(samples.order("no_items"), items=(LineItem("Long name " * 20, sku="S"),) * 2000)
    (note,) = planned(order, modules(notes=True)).follow_ups
    assert isinstance(note, Note)
    assert len(note.text.encode()) <= 60_000
    shown = note.text.count("<li>") - 1
    assert f"and {2000 - shown} more" in note.text and note.marker in note.text


def test_p40_the_email_of_the_status_goes_with_its_tokens():
    (mail,) = planned(samples.order("odd_coupon"), modules(emails={"completed": 7})).follow_ups
    assert isinstance(mail, SendEmail)
    assert (mail.email_id, mail.order_id, mail.status) == (7, "113", "completed")
    assert set(mail.tokens) == {
        *("order_id", "order_number", "status", "total", "currency", "date", "payment_method", "items"),
    }
    assert (mail.tokens["total"], mail.tokens["currency"]) == ("4.68", "EUR")


@pytest.mark.parametrize("emails", [{"completed": 0}, {"refunded": 7}, {}])
def test_p40_no_email_chosen_for_the_status_sends_none(emails):
    assert planned(samples.order(), modules(emails=emails)).follow_ups == ()


def test_p40_imports_and_replays_send_no_email_but_keep_notes_and_segments():
    settings = modules(emails={"completed": 7}, notes=True, segments={"completed": 3})
    kinds = [
        type(step) for step in planned(samples.order(), settings, seen=Sighting(REACHED, historical=True)).follow_ups
    ]
    assert kinds == [Note, SegmentAdd]


def test_p40_tokens_are_escaped():
    order = replace(samples.order("no_items"), items=(LineItem("<b>Mug</b>"),))
    (mail,) = planned(order, modules(emails={"completed": 7})).follow_ups
    assert isinstance(mail, SendEmail)
    assert mail.tokens["items"] == "1 × &lt;b&gt;Mug&lt;/b&gt;"


def test_p42_the_segment_of_the_status_is_added():
    assert planned(samples.order(), modules(segments={"completed": 3})).follow_ups == (
        SegmentAdd(3, str(samples.order().id), "completed"),
    )
