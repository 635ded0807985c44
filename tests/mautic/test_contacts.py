"""The batch writer against recorded answers: which contact each row is written to."""

from __future__ import annotations

import pytest

from integration.errors import Rejected
from integration.identity import person_key_of
from integration.mautic.client import MauticClient
from integration.mautic.contacts import ContactWriter
from integration.mautic.results import ContactRow
from integration.plans import ContactWrite
from tests.mautic.contact_rows import brief, contact, found, row, written
from tests.mautic.script import Canned, Script, refusals


def test_no_rows_make_no_call(writer: ContactWriter, script: Script) -> None:
    assert writer.upsert([]) == []
    assert not script.seen


def test_one_refused_row_leaves_its_neighbours_alone(writer: ContactWriter, script: Script) -> None:
    script.then("137")
    receipts = writer.upsert([row("b1@example.com"), row("b2@a"), row("b3@example.com")])
    assert brief(receipts) == [("created", 27, ""), ("failed", None, "email_refused"), ("created", 28, "")]
    assert isinstance(receipts[1].error, Rejected)
    assert [each.key for each in receipts] == ["b1@example.com", "b2@a", "b3@example.com"]


def test_known_ids_are_edited_and_others_made(writer: ContactWriter, script: Script) -> None:
    old = contact(7, "old@example.com")
    script.then(written(contact(1, "new@example.com")), found(old), written(old, code=200))
    receipts = writer.upsert([row("new@example.com", city="X"), row("old@example.com", 7, ("a", "-b"))])
    assert brief(receipts) == [("created", 1, ""), ("updated", 7, "")]
    assert [(seen.method, seen.path) for seen in script.seen] == [
        ("POST", "/api/contacts/batch/new"),
        ("GET", "/api/contacts?search=ids%3A7&limit=4&start=0&orderBy=id"),
        ("PATCH", "/api/contacts/batch/edit"),
    ]
    assert script.seen[0].json == [{"city": "X", "email": "new@example.com"}]
    assert script.seen[2].json == [{"id": 7, "email": "old@example.com", "tags": ["a", "-b"]}]


def test_no_batch_holds_an_id_or_an_address_twice(writer: ContactWriter, script: Script) -> None:
    held = contact(7, "a@example.com")
    script.then(found(held), written(held, code=200), found(held), written(held, code=200))
    receipts = writer.upsert([row("a@example.com", 7, city="1"), row("A@example.com", 7, city="2")])
    assert brief(receipts) == [("updated", 7, "")] * 2
    assert [[each["city"] for each in seen.json] for seen in script.seen if seen.body] == [["1"], ["2"]]


@pytest.mark.parametrize(
    ("email", "code"),
    [
        ("", "no_email"),
        ("  ", "no_email"),
        ("jörg@bücher.example", "email_refused"),
        ("a,b@example.com", "email_refused"),
    ],
)
def test_an_address_that_mautic_would_garble_is_never_sent(
    email: str, code: str, writer: ContactWriter, script: Script
) -> None:
    assert brief(writer.upsert([row(email)])) == [("failed", None, code)]
    assert not script.seen


def test_an_id_among_the_fields_is_never_sent(writer: ContactWriter, script: Script) -> None:
    script.then(written(contact(1, "a@example.com")))
    writer.upsert([ContactRow("k", ContactWrite("a@example.com", {"id": 5, "email": "b@example.com"}))])
    assert script.seen[0].json == [{"email": "a@example.com"}]


def test_a_contact_that_is_gone_is_made_again(writer: ContactWriter, script: Script) -> None:
    script.then(found(), written(contact(300, "gone@example.com")))
    (receipt,) = writer.upsert([row("gone@example.com", 99999, city="C1")])
    assert brief([receipt]) == [("created", 300, "")]
    assert receipt.calls == 2
    assert "id" not in script.seen[1].json[0]


def test_a_contact_that_goes_before_it_is_written_is_made_again(writer: ContactWriter, script: Script) -> None:
    script.then(found(contact(99999, "gone@example.com")), "164", written(contact(300, "gone@example.com")))
    assert brief(writer.upsert([row("gone@example.com", 99999, city="C1")])) == [("created", 300, "")]


def test_rows_that_shifted_are_noticed(writer: ContactWriter, script: Script) -> None:
    """Row 1 asked for contact 27 and was written into 29 (158)."""
    people = [contact(26, "a@example.com"), contact(27, "l1@example.com"), contact(29, "c@example.com")]
    script.then(found(*people), "158", written(contact(31, "c@example.com")))
    receipts = writer.upsert([row("a@example.com", 26), row("l1@example.com", 27), row("c@example.com", 29)])
    assert brief(receipts) == [("failed", 26, "refused"), ("failed", 27, "mismatch"), ("created", 31, "")]
    assert receipts[1].error is not None
    assert "contact 29" in receipts[1].error.sentence


def test_another_address_than_the_rows_is_noticed(writer: ContactWriter, script: Script) -> None:
    script.then(written(contact(1, "other@example.com")))
    assert brief(writer.upsert([row("a@example.com")])) == [("failed", None, "mismatch")]


@pytest.mark.parametrize("held", ["A@Example.com", "a@example.com\u200b"])
def test_another_spelling_is_no_mismatch(writer: ContactWriter, script: Script, held: str) -> None:
    script.then(written(contact(1, held)))
    assert brief(writer.upsert([row("a@example.com")])) == [("created", 1, "")]


def test_mautic_4_may_have_merged_into_another_id(writer: ContactWriter, script: Script) -> None:
    answer = written(contact(9, "a@example.com"), code=200)
    merged = Canned(answer.status, answer.body, {**answer.headers, "Mautic-Version": "4.4.9"})
    script.then(found(contact(7, "a@example.com")), merged)
    assert brief(writer.upsert([row("a@example.com", 7)])) == [("updated", 9, "")]


def test_an_id_that_is_somebody_elses_by_now_is_left_alone(writer: ContactWriter, script: Script) -> None:
    strangers = contact(27, "stranger@example.com"), contact(29, "other@example.com")
    script.then(found(*strangers), written(contact(31, "l1@example.com"), code=200))
    receipts = writer.upsert([row("l1@example.com", 27, city="new"), ContactRow("k2", ContactWrite("", {"a": 1}), 29)])
    assert brief(receipts) == [("updated", 31, ""), ("failed", 29, "not_found")]
    assert [seen.method for seen in script.seen] == ["GET", "POST"]
    assert script.seen[1].json == [{"email": "l1@example.com", "city": "new"}]
    assert "Contact 27" in receipts[0].adjustments[0].sentence


def test_a_person_without_an_address_is_known_by_the_key(writer: ContactWriter, script: Script) -> None:
    held = contact(29, "L1@Example.com")
    script.then(found(held), written(held, code=200))
    (receipt,) = writer.upsert([ContactRow(person_key_of("l1@example.com"), ContactWrite("", {"a": 1}), 29)])
    assert brief([receipt]) == [("updated", 29, "")]


def test_a_refusal_whose_cause_no_search_finds_stands(writer: ContactWriter, script: Script) -> None:
    """Two people's names once landed in strangers' contacts, because the search found nobody and the id was used."""
    script.then(found(contact(7, "a@example.com"), contact(8, "b@example.com")), refusals(422, 422, email="x"), found())
    receipts = writer.upsert([row("a@example.com", 7, city="X"), row("b@example.com", 8, city="Y")])
    assert brief(receipts) == [("failed", 7, "not_unique"), ("failed", 8, "not_unique")]
    assert receipts[0].error is not None and "contact 7" in receipts[0].error.sentence
    assert [seen.method for seen in script.seen] == ["GET", "PATCH", "GET"]


def test_duplicates_that_refuse_every_change_are_named(writer: ContactWriter, script: Script) -> None:
    script.then("180", "178", found(), refusals(422, email="This field must be unique."))
    (receipt,) = writer.upsert([row("same2@example.com", city="Y")])
    assert receipt.error is not None and receipt.error.code == "duplicate_in_mautic"
    assert "248, 249, 250, 251, 252, 253, 254" in receipt.error.sentence
    assert "mautic:contacts:deduplicate" in receipt.error.hint
    assert script.seen[3].json == [{"id": 248, "city": "Y"}]


def test_duplicates_that_take_a_change_without_the_address_are_healed(writer: ContactWriter, script: Script) -> None:
    script.then("180", "178", found(), written(contact(248, "same2@example.com"), code=200))
    (receipt,) = writer.upsert([row("same2@example.com", city="Y")])
    assert brief([receipt]) == [("updated", 248, "")]
    assert [(each.field, each.kind) for each in receipt.adjustments] == [("email", "changed")]


def test_our_own_id_among_duplicates_is_kept(writer: ContactWriter, script: Script) -> None:
    ours = contact(250, "same2@example.com")
    script.then(found(ours), refusals(422, email="x"), "178", found(), written(ours, code=200))
    assert brief(writer.upsert([row("same2@example.com", 250)])) == [("updated", 250, "")]


def test_a_race_that_another_writer_won_is_written_to_its_contact(writer: ContactWriter, script: Script) -> None:
    edited = written(contact(5, "a@example.com"), code=200)
    script.then(refusals(422, email="x"), found(contact(5, "a@example.com")), edited)
    assert brief(writer.upsert([row("a@example.com")])) == [("updated", 5, "")]


def test_several_clashes_take_one_search(writer: ContactWriter, script: Script) -> None:
    people = [contact(number, f"p{number}@example.com") for number in (1, 2, 3)]
    script.then(refusals(422, 422, 422, email="x"), found(*people), written(*people, code=200))
    receipts = writer.upsert([row(f"p{number}@example.com") for number in (1, 2, 3)])
    assert brief(receipts) == [("updated", 1, ""), ("updated", 2, ""), ("updated", 3, "")]
    assert len(script.seen) == 3


def test_unique_fields_go_by_the_id_that_the_answer_gave(basic: MauticClient, script: Script) -> None:
    """batch/new would take the stranger with this phone for the person, and overwrite their address (297)."""
    ada = contact(1, "a@example.com")
    script.then(written(ada), written(ada, code=200))
    writer = ContactWriter(basic, unique={"phone", "email"})
    (receipt,) = writer.upsert([row("a@example.com", phone="123", city="X")])
    assert brief([receipt]) == [("created", 1, "")]
    assert script.seen[0].json == [{"email": "a@example.com", "city": "X"}]
    assert (script.seen[1].method, script.seen[1].json) == ("PATCH", [{"id": 1, "phone": "123"}])
    assert receipt.sent == {"id": 1, "email": "a@example.com", "city": "X", "phone": "123"}


def test_a_unique_value_that_another_contact_has_is_left_out(basic: MauticClient, script: Script) -> None:
    script.then(written(contact(1, "a@example.com")), refusals(422, phone="This field must be unique."))
    (receipt,) = ContactWriter(basic, unique={"phone"}).upsert([row("a@example.com", phone="123", city="X")])
    assert brief([receipt]) == [("created", 1, "")]
    assert [(each.field, each.kind) for each in receipt.adjustments] == [("phone", "left_out")]
    assert len(script.seen) == 2


def test_a_known_persons_unique_value_is_left_out_too(basic: MauticClient, script: Script) -> None:
    ada = contact(1, "a@example.com")
    script.then(found(ada), refusals(422, phone="This field must be unique."), written(ada, code=200))
    (receipt,) = ContactWriter(basic, unique={"phone"}).upsert([row("a@example.com", 1, phone="123", city="X")])
    assert brief([receipt]) == [("updated", 1, "")]
    assert script.seen[2].json == [{"id": 1, "email": "a@example.com", "city": "X"}]
