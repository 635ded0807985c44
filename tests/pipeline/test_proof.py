"""The read-back proof: no false alarm on what real Mautic answers, and every mix-up found."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.mautic import reading
from integration.mautic.access import MauticAccess
from integration.mautic.client import MauticClient
from integration.mautic.contacts import ContactWriter
from integration.mautic.results import ContactRow, Receipt
from integration.pipeline.delivery import read_back
from integration.plans import ContactWrite, below_one, is_blank
from integration.sandbox.mautic import MauticServer
from integration.sandbox.mautic.contact import Contact

RECORDINGS = Path(__file__).parents[1] / "contract" / "recordings" / "mautic"
#: What Mautic took with a good answer and did not keep: the proof is there to find it.
IGNORED = {
    "032-contact-new-email-idn": {"email"},
    "041-contact-new-unknown-field": {"no_such_field"},
    "060-contact-new-text-plain": {"email"},
    "277-field-value-datetime-bad": {"f_datetime"},
    "279-field-value-date-bad": {"f_date"},
    "303-field-value-after-delete": {"f_text"},
}
#: Not fields of a contact, or said in a form that we do not send.
WRITES = re.compile(r"/api/contacts/(new|\d+/edit)")
FORMS = frozenset({"ipAddress", "overwriteWithBlank", "stage", "dateAdded", "doNotContact", "owner", "lastActive"})


def recorded() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield name, row sent and contact answered of each good single write."""
    for path in sorted(RECORDINGS.glob("*.json")):
        for exchange in json.loads(path.read_text())["exchanges"]:
            request, answer = exchange["request"], exchange["response"]
            if not WRITES.fullmatch(request["path"]) or request["method"] not in ("POST", "PATCH", "PUT"):
                continue
            sent, got = _json(request["body"]), _json(answer["body"])
            if isinstance(sent, dict) and answer["status"] in (200, 201) and isinstance(got, dict) and "contact" in got:
                yield path.stem, sent, got["contact"]


def _json(text: str | None) -> Any:
    try:
        return json.loads(text or "")
    except ValueError:
        return None


def write(body: dict[str, Any]) -> ContactWrite:
    tags = body.get("tags") or ()
    fields = {alias: value for alias, value in body.items() if alias not in FORMS | {"email", "tags", "id"}}
    if not body.get("overwriteWithBlank"):
        # Mautic ignores them then, so that we never send them so (026, 103, 104, 110, 283).
        fields = {alias: value for alias, value in fields.items() if not (is_blank(value) or below_one(value))}
    return ContactWrite(str(body.get("email") or ""), fields, tuple(tags.split(",") if isinstance(tags, str) else tags))


CASES = list(recorded())


def test_the_recordings_are_read() -> None:
    assert len(CASES) > 60


@pytest.mark.parametrize(("name", "sent", "contact"), CASES, ids=[f"{n}-{i}" for i, (n, _, _) in enumerate(CASES)])
def test_what_real_mautic_made_of_a_row_is_no_difference(
    name: str, sent: dict[str, Any], contact: dict[str, Any]
) -> None:
    assert set(read_back.differences(contact, write(sent))) == IGNORED.get(name, set())


def described(kind: str, value: Any, properties: str = "") -> dict[str, Any]:
    field = {"type": kind, "value": value, "properties": properties}
    return {"id": 7, "fields": {"core": {"x": field}, "all": {"id": "7", "x": value}}, "tags": []}


@pytest.mark.parametrize(
    ("kind", "sent", "held"),
    [
        ("text", "Ada", "Ida"),
        ("text", "Ada", None),
        ("text", "ada", "Ada"),
        ("number", 12.34, 12.35),
        ("number", 12, None),
        ("boolean", True, 0),
        ("boolean", False, 1),
        ("date", "2024-05-01", "2024-05-02"),
        ("datetime", "2024-05-01 10:00:00", "2024-05-01 11:00:00"),
        ("country", "Germany", "Austria"),
        ("multiselect", "a|b", "a"),
        ("url", "https://shop.test", "http://shop.test"),
        ("number", "", 55),
        ("number", 0, 55),
        ("number", 0.5, 55),
        ("text", "", "old"),
        ("text", "0", "old"),
        ("textarea", "", '{"order_id":1}'),
        ("date", None, "2026-01-02"),
    ],
)
def test_another_value_is_a_difference(kind: str, sent: Any, held: Any) -> None:
    found = read_back.differences(described(kind, held), ContactWrite("", {"x": sent}))
    assert found == {"x": [sent, held]}


@pytest.mark.parametrize(
    ("kind", "sent", "held"),
    [
        ("number", 100, "100"),
        ("number", "", None),
        ("number", "", "0.0"),
        ("number", "", 0),
        ("number", 0.5, None),
        ("number", 0.5, "0.50"),
        ("text", "", None),
        ("text", "0", ""),
        ("date", None, ""),
        ("boolean", True, "1"),
        ("boolean", False, None),
        ("text", " Ada  Lovelace ", "Ada Lovelace"),
        ("text", "Müller & Söhne", "Müller &amp; Söhne"),
        ("textarea", "a\r\nb\n", "a\nb"),
        ("datetime", "2024-05-01 10:00:00", "2024-05-01T10:00:00+00:00"),
        ("date", "2024-05-01", "2024-05-01 00:00:00"),
        ("country", "germany", "Germany"),
        ("multiselect", "b|a", ["a", "b"]),
        ("tel", "+49 (0)731 / 55", "+49 (0)731 / 55"),
    ],
)
def test_the_same_value_in_mautics_writing_is_none(kind: str, sent: Any, held: Any) -> None:
    assert read_back.differences(described(kind, held), ContactWrite("", {"x": sent})) == {}


def test_a_field_without_decimals_rounds() -> None:
    whole = 'a:2:{s:9:"roundmode";i:4;s:5:"scale";s:1:"0";}'
    assert read_back.differences(described("number", 13, whole), ContactWrite("", {"x": 12.5})) == {}
    assert read_back.differences(described("number", 14, whole), ContactWrite("", {"x": 12.5})) == {"x": [12.5, 14]}


def test_tags_that_are_missing_or_still_there() -> None:
    contact = {"id": 7, "fields": {"all": {}}, "tags": [{"tag": "VIP"}, {"tag": "old"}]}
    found = read_back.differences(contact, ContactWrite("", {}, ("vip", "-gone", "new", "-old")))
    assert found == {"tag:new": [True, False], "tag:old": [False, True]}
    said = read_back.ReadBack("k", 7, found).sentence
    assert "the tag “new” is missing" in said
    assert "the tag “old” is still there" in said


# -- against the stand-in ---------------------------------------------------------------------------------------------


@pytest.fixture
def mautic() -> Iterator[MauticServer]:
    with MauticServer() as server:
        yield server


@pytest.fixture
def client(mautic: MauticServer) -> MauticClient:
    return MauticClient(MauticAccess(mautic.url, "basic", mautic.credentials.user, mautic.credentials.password))


def people(count: int) -> list[ContactRow]:
    fields = {"firstname": "Zoë", "city": "Ulm", "country": "Germany", "phone": "+49 731 55", "website": "shop.test"}
    tags = ("Woo customer", "a & b")
    return [ContactRow(f"k{n}", ContactWrite(f"p{n}@example.com", dict(fields), tags)) for n in range(count)]


def written(client: MauticClient, rows: list[ContactRow]) -> list[Receipt]:
    return ContactWriter(client).upsert(rows)


def test_a_right_batch_is_proved_in_one_call(client: MauticClient, mautic: MauticServer) -> None:
    rows = people(20)
    receipts = written(client, rows)
    mautic.calls.reset()
    proofs = read_back.read_back(client, read_back.sample(rows, receipts, random.Random(1)))
    assert [each.proved for each in proofs] == [True, True, True]
    assert len(mautic.calls) == 1
    assert "has all that was sent" in proofs[0].sentence


def test_a_mixed_up_row_and_a_lost_contact_are_found(client: MauticClient, mautic: MauticServer) -> None:
    rows = people(3)
    receipts = written(client, rows)
    mautic.state.contact("p0@example.com").values["firstname"] = "Somebody"  # type: ignore[union-attr]  # it is there
    client.delete(f"contacts/{receipts[2].mautic_id}/delete")
    found = {each.key: each for each in read_back.read_back(client, read_back.sample(rows, receipts, random.Random(1)))}
    assert found["k0"].differences == {"firstname": ["Zoë", "Somebody"]}
    assert found["k1"].proved
    assert found["k2"].differences == {"contact": [receipts[2].mautic_id, None]}
    assert "is not in Mautic" in found["k2"].sentence


def test_only_confirmed_rows_are_sampled(client: MauticClient) -> None:
    rows = [*people(2), ContactRow("bad", ContactWrite("no address", {}))]
    receipts = written(client, rows)
    assert {each.key for each in read_back.sample(rows, receipts, random.Random(1), most=9)} == {"k0", "k1"}
    assert read_back.sample(rows, [], random.Random(1)) == []
    assert read_back.read_back(client, []) == []


def test_what_a_repair_left_out_is_not_missed(client: MauticClient) -> None:
    rows = [ContactRow("k", ContactWrite("p@example.com", {"firstname": "Ada", "country": "Atlantis"}))]
    (found,) = read_back.read_back(client, read_back.sample(rows, written(client, rows), random.Random(1)))
    assert found.proved


# -- reading in bulk --------------------------------------------------------------------------------------------------


def test_contacts_are_read_by_address_in_few_calls(client: MauticClient, mautic: MauticServer) -> None:
    written(client, people(150))
    odd = [ContactWrite("o'neil@example.com", {"city": "Cork"}), ContactWrite("p+1@example.com", {"city": "Bonn"})]
    written(client, [ContactRow(each.email, each) for each in odd])
    mautic.calls.reset()
    asked = [f"P{n}@Example.com" for n in range(150)] + [each.email for each in odd] + ["nobody@example.com", ""]
    found = reading.by_emails(client, asked)
    assert len(found) == 152
    assert reading.values_of(found["o'neil@example.com"][0])["city"] == "Cork"
    assert reading.tags_of(found["p7@example.com"][0]) == ["a & b", "Woo customer"]
    assert len(mautic.calls) == 3


def test_spellings_of_one_mailbox_are_asked_for_once(client: MauticClient, mautic: MauticServer) -> None:
    there = ContactWrite("max@xn--bcher-kva.example")
    written(client, [ContactRow("k", there)])
    asked = ["max@bücher.example", "Max@xn--bcher-kva.example", "ma\u200bx@BÜCHER.example"]
    assert list(reading.by_emails(client, asked)) == ["max@xn--bcher-kva.example"]


def test_twins_come_together_oldest_first(client: MauticClient, mautic: MauticServer) -> None:
    written(client, people(1))
    first = mautic.state.contact("p0@example.com")
    assert first is not None
    second = Contact(mautic.state.next_id("contacts"), mautic.state.now(), {"email": "p0@example.com"})
    mautic.state.insert(second)
    assert [row["id"] for row in reading.by_emails(client, ["p0@example.com"])["p0@example.com"]] == [
        first.id,
        second.id,
    ]


def test_ids_that_are_gone_are_left_out(client: MauticClient) -> None:
    receipts = written(client, people(2))
    ids = [receipt.mautic_id for receipt in receipts if receipt.mautic_id]
    assert set(reading.by_ids(client, [*ids, 999_999])) == set(ids)
    assert reading.by_ids(client, []) == {}
