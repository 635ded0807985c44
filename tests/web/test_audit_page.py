"""The audit log's pages (F2): who sees what, filters, paging, downloads, and the proof of the chain."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from integration.models import AuditAction, AuditEntry
from integration.operations import audit
from integration.pipeline.services import Services
from tests.web.conftest import Person, text_of

Write = Callable[..., None]


@pytest.fixture
def write(services: Services) -> Write:
    """Writes an entry of organisation 1 to the audit log."""

    def entry(**values: Any) -> None:
        given: dict[str, Any] = {"organisation_id": 1, "actor": "ann@example.com", "action": AuditAction.UPDATED}
        with services.db.write() as session:
            audit.record(session, **{"clock_now": services.clock.now(), **given, **values})

    return entry


def rows(page: str) -> list[str]:
    return re.findall(r'<tr id="entry-\d+">.*?</tr>', page, re.DOTALL)


def words(row: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", row).split())


def test_an_entry_is_shown_with_what_it_changed(admin: Person, write: Write, connector_id: int) -> None:
    write(
        connector_id=connector_id,
        ip="192.0.2.1",
        entity="settings",
        diff={
            "orders.notes": [False, True],
            "contacts.default_tags": [[], ["a", "b"]],
            "store_key": ["ck_1", "ck_2"],
            "name": ["", "Shop"],
        },
    )
    page = admin.get("/audit")
    [row] = rows(page.text)
    said = words(row)
    assert "ann@example.com 192.0.2.1 Updated settings Sunflower" in said
    assert "Order Sync: Notes from no → to yes" in said
    assert "Contact Sync: Tags for every contact from nothing → to a, b" in said
    assert "Store: Consumer key changed" in said
    assert "Name from nothing → to Shop" in said
    assert "ck_" not in page.text
    assert 'aria-current="page">Audit log' in page.text


def test_a_fact_that_is_no_pair_and_many_fields_are_shown_too(admin: Person, write: Write) -> None:
    write(diff={"records": 12} | {f"field_{number}": [None, {"a": [number]}] for number in range(5)})
    [row] = rows(admin.get("/audit").text)
    assert "<summary>6 fields</summary>" in row
    assert "Records to 12" in words(row)
    assert "Field 3, a from nothing → to 3" in words(row)


def test_a_name_cannot_become_markup(admin: Person, write: Write) -> None:
    write(actor="<script>alert(1)</script>", diff={"<b>": ["<i>", "</td>"]})
    page = admin.get("/audit").text
    assert "<script>alert" not in page
    assert "&lt;b&gt;" in page


@pytest.mark.parametrize("path", ["", "/verify", "/log.csv", "/log.jsonl"])
def test_only_administrators_see_it(viewer: Person, support: Person, visitor: Person, path: str) -> None:
    assert viewer.get(f"/audit{path}").status_code == 403
    assert support.get(f"/audit{path}").status_code == 403
    assert visitor.get(f"/audit{path}").status_code == 302
    assert "Audit log" not in text_of(viewer.get("/connectors"))


def test_a_stranger_sees_only_entries_of_the_own_organisation(stranger: Person, write: Write) -> None:
    write(entity="secret plan")
    write(organisation_id=2, entity="own deed", actor="stranger@example.com")
    write(organisation_id=None, entity="sign-in", actor="unknown@example.com")
    for path in ("/audit", "/audit?organisation=1", "/audit/log.csv?organisation=1", "/audit/log.jsonl?organisation=0"):
        page = stranger.get(path).text
        assert "own deed" in page
        assert "secret plan" not in page
        assert "unknown@example.com" not in page
    assert "Chain verified: 1 entry." in text_of(stranger.get("/audit/verify?organisation=1"))


def test_a_super_admin_sees_all_organisations_or_one(super_admin: Person, write: Write) -> None:
    write(entity="deed one")
    write(organisation_id=2, entity="deed two")
    write(organisation_id=None, entity="deed of nobody")
    assert len(rows(super_admin.get("/audit").text)) == 3
    [row] = rows(super_admin.get("/audit?organisation=2").text)
    assert "deed two" in row
    assert "Other Ltd" in row
    [row] = rows(super_admin.get("/audit?organisation=0").text)
    assert "No organisation" in row
    said = text_of(super_admin.get("/audit/verify"))
    assert said.count("Chain verified: 1 entry.") == 3
    wrong = super_admin.get("/audit?organisation=77")
    assert "There is no organisation “77”. That filter was left out." in text_of(wrong)
    assert len(rows(wrong.text)) == 3


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("actor=BOB", "1"),
        ("action=PAUSED", "2"),
        ("entity=thing+0", "0"),
        ("since=2026-11-21", "12"),
        ("until=2026-11-20", "0"),
        ("since=2026-11-21&until=2026-11-21&actor=bob", "1"),
        ("connector=1", "2"),
    ],
)
def test_filters_stand_in_the_address(
    admin: Person, write: Write, services: Services, connector_id: int, asked: str, found: str
) -> None:
    now = services.clock.now()
    write(entity="thing 0")
    write(entity="thing 1", actor="bob@example.com", clock_now=now + timedelta(days=1))
    write(entity="thing 2", action=AuditAction.PAUSED, connector_id=connector_id, clock_now=now + timedelta(days=1))
    page = admin.get(f"/audit?{asked}").text
    assert sorted(re.findall(r"thing (\d)</td>", page)) == list(found)


@pytest.mark.parametrize("bad", ["action=NO", "since=yesterday", "until=%00x", "connector=x", "before=many"])
def test_a_wrong_filter_gives_the_page_with_a_notice(admin: Person, write: Write, bad: str) -> None:
    write()
    page = admin.get(f"/audit?{bad}")
    assert page.status_code == 200
    assert "That filter was left out." in text_of(page)
    assert len(rows(page.text)) == 1


def test_older_entries_are_a_page_away_and_filters_stay(admin: Person, services: Services) -> None:
    with services.db.write() as session:
        for number in range(103):
            values: dict[str, Any] = {"action": AuditAction.UPDATED, "entity": f"thing {number}"}
            audit.record(session, clock_now=services.clock.now(), organisation_id=1, actor="ann@example.com", **values)
    first = admin.get("/audit?actor=ann")
    assert len(rows(first.text)) == 100
    assert "103 entries found." in text_of(first)
    [link] = re.findall(r'href="([^"]+)">Older entries', first.text)
    assert "actor=ann" in link
    second = admin.get(link.replace("&amp;", "&")).text
    assert [re.findall(r"thing (\d+)", row)[0] for row in rows(second)] == ["2", "1", "0"]
    assert "Older entries" not in second
    assert "103</span> entries found." in second
    assert 'href="/audit?actor=ann">Newest entries' in second


def test_an_empty_log_says_what_would_fill_it(admin: Person) -> None:
    assert "Nothing was done yet. Signing in, changing settings" in text_of(admin.get("/audit"))
    assert "No entry fits this filter." in text_of(admin.get("/audit?actor=nobody"))


def test_the_csv_is_the_filtered_log_without_formulas(admin: Person, write: Write) -> None:
    write(entity="=HYPERLINK(1)", diff={"a": [1, 2]}, actor="+ann@example.com")
    write(actor="bob@example.com")
    answer = admin.get("/audit/log.csv?actor=ann")
    assert answer.data.startswith(b"\xef\xbb\xbfid,")
    table = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(table) == 1
    assert (table[0]["entity"], table[0]["actor"]) == ("'=HYPERLINK(1)", "'+ann@example.com")
    assert json.loads(table[0]["diff"]) == {"a": [1, 2]}
    assert "attachment" in answer.headers["Content-Disposition"]


def test_the_json_lines_are_enough_to_check_the_chain(admin: Person, write: Write) -> None:
    for number in range(3):
        write(diff={"n": [None, number]})
    lines = [json.loads(line) for line in admin.get("/audit/log.jsonl").text.splitlines()]
    assert [line["previous_hash"] for line in lines] == [lines[1]["hash"], lines[2]["hash"], ""]
    assert lines[0]["time"] == "2026-11-20T12:00:00.000000+00:00"


def test_the_chain_is_verified_on_request(admin: Person, write: Write) -> None:
    assert "There is nothing to verify yet" in text_of(admin.get("/audit/verify"))
    for _ in range(3):
        write()
    said = text_of(admin.get("/audit/verify"))
    assert "Chain verified: 3 entries." in said
    assert "That the newest entries were cut off cannot be seen" in said


def test_a_broken_chain_names_the_entry_and_what_to_do(admin: Person, write: Write, services: Services) -> None:
    for _ in range(4):
        write()
    with services.db.write() as session:
        session.execute(update(AuditEntry).where(AuditEntry.id == 3).values(actor="somebody@example.com"))
    page = admin.get("/audit/verify")
    assert "The chain is broken at entry 3. The entry was altered after it was written." in text_of(page)
    assert "Keep a copy of the database" in text_of(page)
    [link] = re.findall(r'href="([^"]+)">Look at the entry', page.text)
    assert 'id="entry-3"' in rows(admin.get(link).text)[0]
    with services.db.write() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id == 2))
    said = text_of(admin.get("/audit/verify"))
    assert "broken at entry 3. The entry was altered" in said


def test_the_menu_has_an_administration_for_administrators_without_a_connector(admin: Person, viewer: Person) -> None:
    assert 'href="/audit">Audit log' in admin.get("/connectors").text
    assert "Administration" in text_of(admin.get("/connectors"))
    assert "Administration" not in text_of(viewer.get("/connectors"))


def test_times_are_labelled_with_the_zone_they_are_written_in(
    admin: Person, write: Write, services: Services, connector_id: int
) -> None:
    from integration.models import Connector

    with services.db.write() as session:
        session.get_one(Connector, connector_id).store_facts = {"timezone": "Europe/Rome"}
    write()
    admin.get(f"/connectors/{connector_id}/tools")
    page = text_of(admin.get("/audit"))
    assert "Time (Europe/Rome)" in page
    assert "20 Nov 2026, 13:00:00 CET" in page
