"""What the batch writer makes of refused values and rows, and of a Mautic that does not answer."""

from __future__ import annotations

import pytest

from integration.errors import AuthRejected, NotSetUp, Rejected, ServerFault, Throttled, Unreachable
from integration.mautic.batches import PAUSE_MIN_S, BatchSize
from integration.mautic.client import MauticClient
from integration.mautic.contacts import ContactWriter
from tests.mautic.contact_rows import brief, contact, found, interrupted, row, written
from tests.mautic.script import DROP, Canned, Script, canned, page, refusals


def test_a_refused_country_is_tried_in_other_spellings_and_then_left_out(basic: MauticClient, script: Script) -> None:
    names = {"country": ["Turkey", "Turkiye"]}
    writer = ContactWriter(basic, alternates=lambda alias, value: names.get(alias, []))
    refused = refusals(400, country="This value is not valid.")
    script.then(refused, refused, refused, written(contact(1, "a@example.com")))
    (receipt,) = writer.upsert([row("a@example.com", country="Türkiye", city="Izmir")])
    assert [seen.json[0].get("country") for seen in script.seen] == ["Türkiye", "Turkey", "Turkiye", None]
    assert brief([receipt]) == [("created", 1, "")]
    assert [(each.field, each.kind) for each in receipt.adjustments] == [("country", "left_out")]


def test_another_spelling_that_is_taken_is_told(basic: MauticClient, script: Script) -> None:
    writer = ContactWriter(basic, alternates=lambda alias, value: ["Turkey"])
    script.then(refusals(400, country="x"), written(contact(1, "a@example.com")))
    (receipt,) = writer.upsert([row("a@example.com", country="Türkiye")])
    assert [(each.field, each.kind) for each in receipt.adjustments] == [("country", "changed")]
    assert "Turkey" in receipt.adjustments[0].sentence


def test_a_value_that_is_too_long_is_shortened(writer: ContactWriter, script: Script) -> None:
    script.then(refusals(400, address1="This value is too long."), written(contact(1, "a@example.com")))
    (receipt,) = writer.upsert([row("a@example.com", address1="x" * 300)])
    assert len(script.seen[1].json[0]["address1"]) == 64
    assert [(each.field, each.kind) for each in receipt.adjustments] == [("address1", "shortened")]


def test_all_refused_values_of_a_row_are_mended_at_once(writer: ContactWriter, script: Script) -> None:
    script.then(refusals(400, timezone="x", preferred_locale="x"), written(contact(1, "a@example.com")))
    (receipt,) = writer.upsert([row("a@example.com", timezone="Mars", preferred_locale="tlh", city="X")])
    assert script.seen[1].json == [{"city": "X", "email": "a@example.com"}]
    assert {each.field for each in receipt.adjustments} == {"timezone", "preferred_locale"}


def test_a_refusal_of_something_that_was_not_sent_is_final(writer: ContactWriter, script: Script) -> None:
    script.then(refusals(400, owner="x"))
    assert brief(writer.upsert([row("a@example.com", city="X")])) == [("failed", None, "required_field")]


def test_a_row_without_right_says_so_and_a_locked_one_waits(writer: ContactWriter, script: Script) -> None:
    script.then(found(contact(1, "a@example.com"), contact(2, "b@example.com")), refusals(403, 409))
    receipts = writer.upsert([row("a@example.com", 1), row("b@example.com", 2)])
    assert [type(each.error) for each in receipts] == [AuthRejected, ServerFault]


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ("354", NotSetUp, "basic_disabled"),
        ("355", NotSetUp, "api_disabled"),
        ("002", AuthRejected, "wrong_credentials"),
        ("349", AuthRejected, "no_right"),
        ("359", Throttled, "throttled"),
        (page(404), NotSetUp, "not_mautic"),
    ],
)
def test_the_connections_fault_interrupts_and_keeps_what_was_written(
    answer: str | Canned, kind: type[Exception], code: str, basic: MauticClient, script: Script
) -> None:
    script.then(written(contact(1, "a@example.com")), answer)
    told = interrupted(ContactWriter(basic, BatchSize(1)), [row("a@example.com"), row("b@example.com")])
    assert isinstance(told.error, kind) and told.error.code == code
    assert brief(told.receipts) == [("created", 1, "")]


def test_a_server_that_fails_at_everything_is_not_asked_for_each_row(writer: ContactWriter, script: Script) -> None:
    script.then(*[page(500)] * 50)
    receipts = writer.upsert([row(f"p{number}@example.com") for number in range(50)])
    assert {each.outcome for each in receipts} == {"failed"}
    assert all(isinstance(each.error, ServerFault) for each in receipts)
    assert len(script.seen) <= 11


NOTHING = canned({"contacts": [], "statusCodes": []}, 201)


@pytest.mark.parametrize("count", [1, 8])
def test_a_firewall_that_blocks_everything_interrupts(count: int, writer: ContactWriter, script: Script) -> None:
    script.then(*[page(403)] * 50)
    told = interrupted(writer, [row(f"p{number}@example.com") for number in range(count)])
    assert (told.error.code, told.receipts) == ("firewall", ())


def test_a_firewall_that_dislikes_one_row_costs_only_that(writer: ContactWriter, script: Script) -> None:
    """An empty batch, which it lets through, proves that it is the row."""
    blocked = page(406, "Mod_Security")
    script.then(blocked, blocked, NOTHING, written(contact(2, "b@example.com")))
    receipts = writer.upsert([row("a@example.com"), row("b@example.com")])
    assert brief(receipts) == [("failed", None, "firewall"), ("created", 2, "")]
    assert isinstance(receipts[0].error, Rejected)
    assert script.seen[2].json == []


def test_a_firewall_that_dislikes_many_rows_leaves_the_rest_for_later(writer: ContactWriter, script: Script) -> None:
    no = page(403)
    script.then(no, no, no, NOTHING)
    receipts = writer.upsert([row(f"p{number}@example.com") for number in range(8)])
    refused = [number for number, each in enumerate(receipts) if isinstance(each.error, Rejected)]
    assert refused == [6]
    assert [type(each.error) for each in receipts].count(ServerFault) == 7


@pytest.mark.parametrize("answer", [DROP, page(504), page(502), page(524)])
def test_a_lost_answer_ends_the_upsert_and_names_its_rows(answer: Canned, basic: MauticClient, script: Script) -> None:
    size = BatchSize(2)
    script.then(written(contact(1, "a@example.com"), contact(2, "b@example.com")), answer)
    told = interrupted(ContactWriter(basic, size), [row(f"{name}@example.com") for name in "abcde"])
    assert brief(told.receipts) == [("created", 1, ""), ("created", 2, "")]
    assert told.lost is not None and told.lost.pause_s == PAUSE_MIN_S
    assert told.lost.keys == tuple(each["email"] for each in script.seen[1].json)
    assert len(script.seen) == 2
    assert size.value == 2  # It had doubled with the good answer.


def test_a_page_of_mautics_own_is_no_lost_answer(writer: ContactWriter, script: Script) -> None:
    script.then(page(500), written(contact(1, "a@example.com")), written(contact(2, "b@example.com")))
    receipts = writer.upsert([row("a@example.com"), row("b@example.com")])
    assert brief(receipts) == [("created", 1, ""), ("created", 2, "")]


def test_a_row_that_the_answer_leaves_out_is_tried_later(writer: ContactWriter, script: Script) -> None:
    script.then(canned({"contacts": [contact(1, "a@example.com")], "statusCodes": [201]}, 201))
    receipts = writer.upsert([row("a@example.com"), row("b@example.com")])
    assert brief(receipts) == [("created", 1, ""), ("failed", None, "no_result")]


def test_an_unreachable_mautic_interrupts_at_once(basic: MauticClient, script: Script) -> None:
    script.stop()
    told = interrupted(ContactWriter(basic), [row("a@example.com"), row("b@example.com")])
    assert isinstance(told.error, Unreachable) and told.error.code == "refused"
    assert told.receipts == () and basic.calls == 1
