from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from integration.errors import AuthRejected, NotSetUp, Rejected, ServerFault, Unreachable
from integration.mautic.access import MauticAccess
from integration.mautic.client import MauticClient
from integration.mautic.notes import NoteRow, NoteWriter
from integration.mautic.results import Interrupted
from integration.sandbox.mautic import MauticServer
from tests.mautic.script import DROP, NOON, Canned, Script, canned, page

BATCH = "/api/notes/batch/new"
SINGLE = "/api/notes/new"
READ = "/api/contacts/"


def note(number: int, contact_id: int, text: str = "Order paid.") -> NoteRow:
    return NoteRow(f"n{number}", contact_id, text, NOON, f"[woo #{number}]")


@pytest.fixture
def notes(client: MauticClient) -> NoteWriter:
    return NoteWriter(client)


@pytest.fixture
def people(client: MauticClient) -> list[int]:
    """Five contacts."""
    rows = [{"email": f"p{number}@example.com"} for number in range(5)]
    return [each["id"] for each in client.post("contacts/batch/new", rows)["contacts"]]


def texts(mautic: MauticServer, contact_id: int) -> list[str]:
    return [each["text"] for each in mautic.state.notes_of(contact_id)]


def brief(receipts: Any) -> list[tuple[str, str]]:
    return [(each.outcome, each.error.code if each.error else "") for each in receipts]


def test_notes_of_many_contacts_take_one_call(notes: NoteWriter, mautic: MauticServer, people: list[int]) -> None:
    mautic.calls.reset()
    receipts = notes.create([note(number, contact_id) for number, contact_id in enumerate(people)])
    assert [(each.key, each.outcome) for each in receipts] == [(f"n{number}", "created") for number in range(5)]
    assert [mautic.state.notes[each.note_id or 0]["lead"] for each in receipts] == people
    assert len(mautic.calls) == 1


def test_more_notes_than_mautic_takes_go_in_several_calls(
    notes: NoteWriter, mautic: MauticServer, people: list[int]
) -> None:
    receipts = notes.create([note(number, people[0]) for number in range(401)])
    assert {each.outcome for each in receipts} == {"created"}
    assert mautic.calls.count(BATCH) == 3


def test_a_note_carries_its_marker_and_its_time_in_utc() -> None:
    at = datetime(2026, 11, 20, 14, 30, 5, 999, tzinfo=timezone(timedelta(hours=2)))
    body = NoteRow("k", 7, "Paid.", at, "[woo #1]").body(NOON)
    assert body == {
        "lead": 7,
        "text": "Paid.\n[woo #1]",
        "type": "general",
        "dateTime": "2026-11-20T12:30:05+00:00",
    }
    assert NoteRow("k", 7, "Paid [woo #1].", None, "[woo #1]").body(NOON)["text"] == "Paid [woo #1]."
    assert NoteRow("k", 7, "Paid.", None, "m").body(NOON)["dateTime"] == NOON.isoformat()


def test_a_crash_in_the_middle_makes_no_note_twice(notes: NoteWriter, mautic: MauticServer, people: list[int]) -> None:
    mautic.faults.crash_after_rows(2, path=BATCH, times=1)
    receipts = notes.create([note(number, contact_id) for number, contact_id in enumerate(people)])
    assert brief(receipts) == [("created", "")] * 5
    assert all(each.note_id for each in receipts)
    assert [len(texts(mautic, contact_id)) for contact_id in people] == [1] * 5


def test_a_contact_that_is_gone_costs_only_its_own_note(
    notes: NoteWriter, mautic: MauticServer, people: list[int], client: MauticClient
) -> None:
    client.delete(f"contacts/{people[2]}/delete")
    receipts = notes.create([note(number, contact_id) for number, contact_id in enumerate(people)])
    assert brief(receipts) == [("created", "")] * 2 + [("failed", "contact_gone")] + [("created", "")] * 2
    assert isinstance(receipts[2].error, Rejected)
    assert len(mautic.state.notes) == 4


def test_a_lost_answer_makes_no_note_twice(notes: NoteWriter, mautic: MauticServer, people: list[int]) -> None:
    mautic.faults.lose_answer(path=BATCH, times=1)
    receipts = notes.create([note(number, contact_id) for number, contact_id in enumerate(people)])
    assert brief(receipts) == [("created", "")] * 5
    assert len(mautic.state.notes) == 5 and mautic.calls.count(BATCH) == 1


@pytest.mark.parametrize("client", [3], indirect=True)
def test_after_a_time_out_nothing_is_sent_again(notes: NoteWriter, mautic: MauticServer, people: list[int]) -> None:
    """Mautic may still be writing, so what is missing is left to a later look."""
    mautic.faults.hang(30, path=BATCH, times=1)
    receipts = notes.create([note(1, people[0]), note(2, people[1])])
    assert brief(receipts) == [("failed", "timeout")] * 2
    assert all(isinstance(each.error, Unreachable) and each.error.sent for each in receipts)
    assert notes.client.calls == 1 + 1 + len(receipts) and not mautic.state.notes


def test_a_gateways_error_leaves_open_whether_mautic_goes_on(
    notes: NoteWriter, mautic: MauticServer, people: list[int]
) -> None:
    mautic.faults.status(504, path=BATCH, times=1)
    assert brief(notes.create([note(1, people[0])])) == [("failed", "gateway")]
    assert mautic.calls.count("/api/notes") == 1


def test_a_single_note_that_crashes_after_saving_is_found(
    notes: NoteWriter, mautic: MauticServer, people: list[int]
) -> None:
    mautic.faults.crash_after_rows(0, path=BATCH, times=1)
    mautic.faults.lose_answer(path=SINGLE, times=1)
    (receipt,) = notes.create([note(1, people[0])])
    assert receipt.outcome == "created" and receipt.note_id
    assert texts(mautic, people[0]) == ["Order paid.\n[woo #1]"]


def test_a_server_that_fails_at_every_note_is_given_up(
    notes: NoteWriter, mautic: MauticServer, people: list[int]
) -> None:
    mautic.faults.status(500, path="/api/notes")
    mautic.calls.reset()
    receipts = notes.create([note(number, people[0]) for number in range(100)])
    assert {code for _, code in brief(receipts)} == {"server_fault"} and len(receipts) == 100
    assert len(mautic.calls) <= 12


def test_an_unreadable_answer_is_looked_up(notes: NoteWriter, mautic: MauticServer, people: list[int]) -> None:
    mautic.faults.cut(path=BATCH, times=1)
    assert brief(notes.create([note(1, people[0]), note(2, people[0])])) == [("created", "")] * 2
    assert len(mautic.state.notes) == 2


def test_a_note_without_text_is_not_sent(notes: NoteWriter, mautic: MauticServer, people: list[int]) -> None:
    receipts = notes.create([note(1, people[0], "  "), note(2, people[1])])
    assert brief(receipts) == [("failed", "empty_note"), ("created", "")]
    assert len(mautic.state.notes) == 1


def test_a_missing_right_interrupts_and_names_the_role(mautic: MauticServer, people: list[int]) -> None:
    access = MauticAccess(mautic.url, "basic", mautic.credentials.editor, mautic.credentials.editor_password)
    with pytest.raises(Interrupted) as told:
        NoteWriter(MauticClient(access)).create([note(1, people[0])])
    assert isinstance(told.value.error, AuthRejected) and "Administrator" in told.value.error.hint
    assert told.value.receipts == ()


def test_a_limit_of_calls_keeps_the_receipts(client: MauticClient, mautic: MauticServer, people: list[int]) -> None:
    writer = NoteWriter(client, size=2)
    mautic.faults.rate_limit(2, path=BATCH)
    with pytest.raises(Interrupted) as told:
        writer.create([note(number, contact_id) for number, contact_id in enumerate(people)])
    assert [each.key for each in told.value.receipts] == ["n0", "n1", "n2", "n3"]


def test_markers_are_found_as_a_whole(notes: NoteWriter, people: list[int]) -> None:
    first, second = people[:2]
    made = notes.create(
        [
            NoteRow("a", first, "x", NOON, "woo 12"),
            NoteRow("b", first, "x", NOON, "woo 123"),
            NoteRow("c", second, "x", NOON, "woo 12"),
        ]
    )
    ids = [each.note_id for each in made]
    assert notes.find(first, "woo 12") == ids[0]
    assert notes.find_many([(first, "woo 123"), (second, "woo 12"), (second, "woo 99")]) == {
        (first, "woo 123"): ids[1],
        (second, "woo 12"): ids[2],
        (second, "woo 99"): None,
    }
    assert notes.find(99999, "woo 12") is None


def test_one_read_finds_all_markers_of_a_contact(notes: NoteWriter, mautic: MauticServer, people: list[int]) -> None:
    mautic.calls.reset()
    notes.find_many((people[0], f"m{number}") for number in range(20))
    assert len(mautic.calls) == 1


def test_notes_are_read_page_by_page(notes: NoteWriter, people: list[int]) -> None:
    made = notes.create([note(number, people[0]) for number in range(250)])
    found = notes.find_many([(people[0], "[woo #0]"), (people[0], "[woo #249]")])
    assert list(found.values()) == [made[0].note_id, made[249].note_id]


def test_recorded_rows_are_read(basic: MauticClient, script: Script) -> None:
    script.then("215")
    rows = [NoteRow("a", 2, "n1", NOON, "n1"), NoteRow("b", 2, "-", NOON, "-"), NoteRow("c", 2, "n4", NOON, "n4")]
    receipts = NoteWriter(basic).create(rows)
    assert [(each.outcome, each.note_id) for each in receipts] == [("created", 7), ("failed", None), ("created", 8)]
    assert isinstance(receipts[1].error, Rejected) and "Note text cannot be empty" in receipts[1].error.sentence


def test_a_too_large_batch_is_halved(basic: MauticClient, script: Script) -> None:
    made = [canned({"notes": [{"id": number}], "statusCodes": [201]}, 201) for number in (1, 2)]
    script.then(page(413), *made)
    receipts = NoteWriter(basic).create([note(1, 2), note(2, 2)])
    assert [each.note_id for each in receipts] == [1, 2]


def test_a_firewall_refuses_one_note(basic: MauticClient, script: Script) -> None:
    nothing = canned({"contacts": [], "statusCodes": []}, 201)
    script.then(page(403), page(403), nothing, canned({"notes": [{"id": 2}], "statusCodes": [201]}, 201))
    receipts = NoteWriter(basic).create([note(1, 2), note(2, 2)])
    assert brief(receipts) == [("failed", "firewall"), ("created", "")]


@pytest.mark.parametrize(("answers", "code"), [([page(403)] * 2, "firewall"), ([page(404)], "not_mautic")])
def test_what_stops_every_write_interrupts(
    answers: list[Canned], code: str, basic: MauticClient, script: Script
) -> None:
    script.then(*answers)
    with pytest.raises(Interrupted) as told:
        NoteWriter(basic).create([note(1, 2)])
    assert isinstance(told.value.error, NotSetUp) and told.value.error.code == code
    assert told.value.receipts == ()


def test_a_look_up_that_fails_leaves_the_rows_open(basic: MauticClient, script: Script) -> None:
    script.then("214", page(500))
    with pytest.raises(Interrupted) as told:
        NoteWriter(basic).create([note(1, 2)])
    assert isinstance(told.value.error, ServerFault) and told.value.receipts == ()


def test_a_mautic_that_cannot_be_reached_interrupts(basic: MauticClient, script: Script) -> None:
    script.stop()
    with pytest.raises(Interrupted) as told:
        NoteWriter(basic).create([note(1, 2)])
    assert told.value.error.code == "refused" and basic.calls == 1


def test_a_dropped_connection_is_looked_up(basic: MauticClient, script: Script) -> None:
    script.then(DROP, canned({"total": 1, "notes": {"4": {"id": 4, "text": "Order paid. [woo #1]", "lead": {}}}}))
    (receipt,) = NoteWriter(basic).create([note(1, 2)])
    assert (receipt.outcome, receipt.note_id) == ("created", 4)
