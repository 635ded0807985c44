"""The batch writer against the stand-in Mautic, with faults on command."""

from __future__ import annotations

from typing import Any

import pytest

from integration.errors import AuthRejected, NotSetUp, Throttled, Unreachable
from integration.http.transport import Route
from integration.mautic.access import MauticAccess
from integration.mautic.batches import BatchSize
from integration.mautic.client import MauticClient
from integration.mautic.contacts import ContactWriter
from integration.mautic.results import ContactRow, Interrupted
from integration.plans import ContactWrite
from integration.sandbox.mautic import MauticServer

POISON = ("x" * 300,)
NEW = "/api/contacts/batch/new"
EDIT = "/api/contacts/batch/edit"


def people(count: int, **fields: Any) -> list[ContactRow]:
    return [person(number, **fields) for number in range(count)]


def person(number: int, mautic_id: int | None = None, tags: tuple[str, ...] = (), **fields: Any) -> ContactRow:
    return ContactRow(f"k{number}", ContactWrite(f"p{number}@example.com", fields, tags), mautic_id)


def city_of(mautic: MauticServer, number: int) -> str | None:
    contact = mautic.state.contact(f"p{number}@example.com")
    return contact.values.get("city") if contact else None


@pytest.fixture
def writer(client: MauticClient) -> ContactWriter:
    return ContactWriter(client)


def test_a_thousand_contacts_take_few_calls(mautic: MauticServer) -> None:
    access = MauticAccess(mautic.url, "basic", mautic.credentials.user, mautic.credentials.password)
    writer = ContactWriter(MauticClient(access))
    receipts = writer.upsert(people(1000, city="Ulm"))
    assert {receipt.outcome for receipt in receipts} == {"created"}
    assert mautic.calls.count(NEW) <= 8
    again = [ContactRow(row.key, row.write, got.mautic_id) for row, got in zip(people(1000), receipts, strict=True)]
    mautic.calls.reset()
    assert {receipt.outcome for receipt in writer.upsert(again)} == {"updated"}
    reads = mautic.calls.count("/api/contacts", "GET")
    # A hundred contacts in one read before they are written by their ids.
    assert mautic.calls.count(EDIT, "PATCH") == len(mautic.calls) - reads <= 6 and reads <= 12


def test_a_poisonous_row_is_found_by_halving(writer: ContactWriter, mautic: MauticServer) -> None:
    rows = people(50, city="Ulm")
    rows[17] = person(17, tags=POISON)
    receipts = writer.upsert(rows)
    assert [receipt.key for receipt in receipts if receipt.outcome == "failed"] == ["k17"]
    assert receipts[17].error is not None and receipts[17].error.code == "server_fault"
    assert all(city_of(mautic, number) == "Ulm" for number in range(50) if number != 17)
    assert len(mautic.calls) <= 16


def test_two_poisonous_rows_far_apart(writer: ContactWriter, mautic: MauticServer) -> None:
    rows = people(40)
    rows[0], rows[39] = person(0, tags=POISON), person(39, tags=POISON)
    failed = [receipt.key for receipt in writer.upsert(rows) if receipt.outcome == "failed"]
    assert failed == ["k0", "k39"]


def test_bad_rows_side_by_side_do_not_pass_for_a_broken_server(writer: ContactWriter, mautic: MauticServer) -> None:
    rows = [person(number, tags=POISON) for number in range(4)] + people(64)[4:]
    failed = [receipt.key for receipt in writer.upsert(rows) if receipt.outcome == "failed"]
    assert failed == ["k0", "k1", "k2", "k3"]
    assert len(mautic.state.contacts) == 60


def test_a_crash_in_the_middle_is_repeated_without_a_second_contact(
    writer: ContactWriter, mautic: MauticServer
) -> None:
    mautic.faults.crash_after_rows(5, path=NEW, times=1)
    receipts = writer.upsert(people(10))
    assert {receipt.error for receipt in receipts} == {None}
    assert len(mautic.state.contacts) == 10


@pytest.mark.parametrize("fault", ["lose_answer", "lose_answer_early", "gateway", "cut"])
@pytest.mark.parametrize("known", [False, True])
def test_a_lost_answer_ends_the_upsert_at_once(
    fault: str, known: bool, client: MauticClient, mautic: MauticServer
) -> None:
    rows = people(10)
    if known:
        made = ContactWriter(client).upsert(rows)
        rows = [ContactRow(row.key, row.write, got.mautic_id) for row, got in zip(rows, made, strict=True)]
    getattr(mautic.faults, fault)(path="/api/contacts/batch")
    mautic.calls.reset()
    size = BatchSize(8)
    with pytest.raises(Interrupted) as told:
        ContactWriter(client, size).upsert(rows)
    assert told.value.lost is not None and set(told.value.lost.keys) == {f"k{number}" for number in range(8)}
    assert (size.value, len(mautic.calls)) == (4, 1 + known)
    mautic.background.wait(5)
    assert len(mautic.state.contacts) == (10 if known else 8)


@pytest.mark.parametrize("fault", ["html", "prefix"])
def test_broken_answers(fault: str, client: MauticClient, mautic: MauticServer) -> None:
    getattr(mautic.faults, fault)(path=NEW, times=1)
    writer = ContactWriter(client)
    if fault == "html":
        with pytest.raises(Interrupted) as told:
            writer.upsert(people(4))
        assert told.value.error.code == "not_mautic"
    else:
        assert {receipt.error for receipt in writer.upsert(people(4))} == {None}


def test_a_time_out_is_a_lost_answer(mautic: MauticServer) -> None:
    mautic.faults.hang(30)
    access = MauticAccess(mautic.url, "basic", mautic.credentials.user, mautic.credentials.password)
    writer = ContactWriter(MauticClient(access, route=Route(read_timeout=0.1)))
    with pytest.raises(Interrupted) as told:
        writer.upsert(people(50))
    mautic.faults.clear()
    assert isinstance(told.value.error, Unreachable) and told.value.error.code == "timeout"
    assert told.value.lost is not None and len(told.value.lost.keys) == 50
    assert writer.client.calls == 1


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        ("wrong_credentials", AuthRejected, "wrong_credentials"),
        ("api_disabled", NotSetUp, "api_disabled"),
        ("basic_disabled", NotSetUp, "basic_disabled"),
    ],
)
def test_switches_and_passwords_interrupt(
    fault: str, kind: type[Exception], code: str, writer: ContactWriter, mautic: MauticServer
) -> None:
    getattr(mautic.faults, fault)()
    with pytest.raises(Interrupted) as told:
        writer.upsert(people(3))
    assert isinstance(told.value.error, kind) and told.value.error.code == code


def test_a_limit_of_calls_keeps_what_was_written(client: MauticClient, mautic: MauticServer) -> None:
    mautic.faults.rate_limit(2)
    with pytest.raises(Interrupted) as told:
        ContactWriter(client).upsert(people(9), size=3)
    assert isinstance(told.value.error, Throttled) and told.value.error.retry_after is not None
    assert [receipt.key for receipt in told.value.receipts] == [f"k{number}" for number in range(6)]


def test_a_missing_right_names_itself(mautic: MauticServer) -> None:
    access = MauticAccess(mautic.url, "basic", mautic.credentials.viewer, mautic.credentials.viewer_password)
    with pytest.raises(Interrupted) as told:
        ContactWriter(MauticClient(access)).upsert(people(1))
    assert told.value.error.code == "no_right" and "contacts" in told.value.error.hint


def test_an_expired_token_is_renewed_in_the_middle(mautic: MauticServer) -> None:
    keys = mautic.credentials
    access = MauticAccess(mautic.url, "client_credentials", client_id=keys.client_id, client_secret=keys.client_secret)
    writer = ContactWriter(MauticClient(access))
    writer.upsert(people(2))
    mautic.authentication.expire()
    assert {receipt.outcome for receipt in writer.upsert(people(2))} == {"updated"}
    assert mautic.calls.count("/oauth/v2/token") == 2


def test_a_deleted_contact_is_made_again_under_a_new_id(writer: ContactWriter, mautic: MauticServer) -> None:
    (first,) = writer.upsert([person(1)])
    writer.client.delete(f"contacts/{first.mautic_id}/delete")
    (second,) = writer.upsert([person(1, first.mautic_id, city="Ulm")])
    assert second.outcome == "created" and second.mautic_id != first.mautic_id
    assert city_of(mautic, 1) == "Ulm"


def test_a_stale_id_goes_to_the_contact_with_the_address(writer: ContactWriter, mautic: MauticServer) -> None:
    one, two = writer.upsert(people(2))
    (receipt,) = writer.upsert([person(1, one.mautic_id, city="Ulm")])
    assert (receipt.outcome, receipt.mautic_id) == ("updated", two.mautic_id)
    assert (city_of(mautic, 0), city_of(mautic, 1)) == (None, "Ulm")


def twins(mautic: MauticServer, client: MauticClient) -> list[int]:
    """Make two contacts of one address, as simultaneous writers do (187)."""
    first = client.post("contacts/new", {"email": "p1@example.com"})["contact"]["id"]
    second = client.post("contacts/new", {"email": "other@example.com"})["contact"]["id"]
    mautic.state.update(mautic.state.contacts[second], {"email": "p1@example.com"})
    return [first, second]


def test_duplicates_in_mautic_are_named_and_disturb_nobody(
    writer: ContactWriter, mautic: MauticServer, client: MauticClient
) -> None:
    ids = twins(mautic, client)
    receipts = writer.upsert(people(3, city="Ulm"))
    assert [receipt.outcome for receipt in receipts] == ["created", "failed", "created"]
    error = receipts[1].error
    assert error is not None and error.code == "duplicate_in_mautic"
    assert all(str(number) in error.sentence for number in ids)


def test_mautic_4_updates_the_newest_of_duplicates() -> None:
    with MauticServer(version="4.4") as mautic:
        access = MauticAccess(mautic.url, "basic", mautic.credentials.user, mautic.credentials.password)
        client = MauticClient(access)
        ids = twins(mautic, client)
        (receipt,) = ContactWriter(client).upsert([person(1, city="Ulm")])
        assert (receipt.outcome, receipt.mautic_id) == ("updated", max(ids))
        assert client.version == "4.4"


def test_mautic_7_takes_the_same_batches() -> None:
    with MauticServer(version="7.0") as mautic:
        access = MauticAccess(mautic.url, "basic", mautic.credentials.user, mautic.credentials.password)
        receipts = ContactWriter(MauticClient(access)).upsert(people(3))
        assert {receipt.outcome for receipt in receipts} == {"created"}


def test_unknown_countries_are_left_out_and_the_rest_arrives(client: MauticClient, mautic: MauticServer) -> None:
    names = {"Czechia": ["Czech Republic"]}
    writer = ContactWriter(client, alternates=lambda alias, value: names.get(value, []))
    rows = [person(0, country="Nowhereland", city="A"), person(1, country="Germany"), person(2, country="Czechia")]
    receipts = writer.upsert(rows)
    assert {receipt.outcome for receipt in receipts} == {"created"}
    kinds = [[(each.field, each.kind) for each in receipt.adjustments] for receipt in receipts]
    assert kinds[:2] == [[("country", "left_out")], []]
    assert city_of(mautic, 0) == "A"
    assert len(mautic.calls) <= 3


def test_a_long_value_a_bad_zone_and_an_emoji(writer: ContactWriter, mautic: MauticServer) -> None:
    (receipt,) = writer.upsert([person(0, address1="ü" * 300, timezone="Mars", firstname="Zoë 🎉")])
    assert {(each.field, each.kind) for each in receipt.adjustments} == {
        ("address1", "shortened"),
        ("timezone", "left_out"),
    }
    contact = mautic.state.contact("p0@example.com")
    assert contact is not None and contact.values["address1"] == "ü" * 64
    assert contact.values["firstname"] == "Zoë 🎉"


def test_one_person_twice_ends_with_the_later_values(writer: ContactWriter, mautic: MauticServer) -> None:
    receipts = writer.upsert([person(1, city="First"), person(2), person(1, city="Second")])
    assert [receipt.outcome for receipt in receipts] == ["created", "created", "updated"]
    assert city_of(mautic, 1) == "Second" and len(mautic.state.contacts) == 2
