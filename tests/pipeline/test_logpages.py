"""The sync log's pages: right rows, right totals, whatever the filter and however deep."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.identity import person_key_of
from integration.models.sync_log import SyncLogEntry
from integration.pipeline.services import Services
from integration.pipeline.sync_log import clearing as sync_log_clearing, writing as sync_log_writing
from integration.queries import sync_log
from integration.queries.sync_log_filters import LogQuery
from tests.bench_data import fill_log
from tests.conftest import NOON
from tests.statements import caught


@pytest.fixture
def log(services: Services, connector_id: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """A log of 3,000 entries over ten days; what is deep begins at the 50th row."""
    monkeypatch.setattr(sync_log, "NEAR", 50)
    fill_log(services.db, connector_id, 3000, NOON, minutes=60 * 24 * 10)
    return connector_id


def page(services: Services, connector_id: int, **args: str) -> sync_log.LogPage:
    query, _ = LogQuery.parse(connector_id, args)
    with services.db.read() as session:
        return sync_log.read_page(session, query)


def expected(services: Services, *conditions: object) -> list[int]:
    with services.db.read() as session:
        return list(session.scalars(select(SyncLogEntry.id).where(*conditions).order_by(SyncLogEntry.id.desc())))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("args", "conditions"),
    [
        ({}, ()),
        ({"status": "error"}, (SyncLogEntry.status == "error",)),
        (
            {"type": "order", "action": "create_note"},
            (SyncLogEntry.type == "order", SyncLogEntry.action == "create_note"),
        ),
        ({"contact": "77"}, (SyncLogEntry.contact_id == 77,)),
        ({"object": "100"}, (SyncLogEntry.object_id == "100",)),
        (
            {"since": "2026-11-14", "until": "2026-11-16"},
            (SyncLogEntry.at >= NOON - timedelta(days=6.5), SyncLogEntry.at < NOON - timedelta(days=3.5)),
        ),
        ({"text": "entry 299"}, (SyncLogEntry.message.contains("entry 299"),)),
        ({"text": "ENTRY"}, ()),
        ({"text": "entry", "status": "error"}, (SyncLogEntry.status == "error",)),
        ({"text": "nothing-has-this"}, (SyncLogEntry.id < 0,)),
    ],
)
def test_all_pages_together_are_the_log(
    services: Services, log: int, args: dict[str, str], conditions: tuple[object, ...]
) -> None:
    wanted = expected(services, *conditions)
    first = page(services, log, **args, size="100")
    seen = [
        entry.id
        for n in range(1, first.pages + 1)
        for entry in page(services, log, **args, size="100", page=str(n)).entries
    ]
    assert seen == wanted
    assert first.total.number == len(wanted)


def test_the_e_mail_finds_a_persons_entries_without_being_stored(services: Services, connector_id: int) -> None:
    entry = sync_log_writing.Entry(
        connector_id, NOON, "order", "7", "skip", person_key=person_key_of("Ada@Example.com")
    )
    with services.db.write() as session:
        sync_log_writing.record(session, [entry])
    assert page(services, connector_id, contact="ada@example.com ").total.number == 1


def walked(services: Services, connector_id: int, **args: str) -> list[int]:
    query, _ = LogQuery.parse(connector_id, args)
    return [entry.id for entries in sync_log.walk(services.db, query, 70) for entry in entries]


def test_a_text_is_looked_for_once_and_no_further_than_in_the_newest(
    services: Services, log: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_log, "SEARCHED", 200)
    wanted = expected(services, SyncLogEntry.type == "order")[:200]
    asked = {"text": "entry", "type": "order", "size": "25"}
    for number, shown in (("2", wanted[25:50]), ("8", wanted[175:]), ("99", wanted[175:])):
        with caught(services.db.engine) as statements:
            found = page(services, log, **asked, page=number)
        assert sum("object_id" in each.text and "message" in each.text for each in statements) == 2
        assert [entry.id for entry in found.entries] == shown
        assert (found.total, found.pages) == ((200, True), 8)
    assert found.page == 8
    assert found.notices
    assert walked(services, log, text="entry", type="order") == wanted


def test_all_that_is_found_can_be_taken_away(services: Services, log: int) -> None:
    assert walked(services, log) == expected(services)
    assert walked(services, log, text="entry 299") == expected(services, SyncLogEntry.message.contains("entry 299"))


def test_a_page_past_the_end_is_the_last_one(services: Services, log: int) -> None:
    found = page(services, log, page="99999")
    assert (found.page, found.pages, found.entries[-1].id) == (120, 120, 1)


@pytest.mark.parametrize("bad", [{"type": "x"}, {"status": "y"}, {"since": "gestern"}, {"size": "many"}, {"page": "-"}])
def test_bad_values_give_a_notice_and_the_page(services: Services, log: int, bad: dict[str, str]) -> None:
    query, notices = LogQuery.parse(log, bad)
    assert len(notices) == 1
    assert query.args() == {}


@pytest.mark.parametrize(("size", "rows"), [("5", 10), ("10", 10), ("100", 100), ("1000", 100)])
def test_the_size_is_kept_between_10_and_100(services: Services, log: int, size: str, rows: int) -> None:
    assert len(page(services, log, size=size).entries) == rows


def test_clearing_hides_everything_at_once_and_new_entries_keep_coming(services: Services, log: int) -> None:
    assert sync_log_clearing.clear(services, log) == 3000
    assert (page(services, log).total.number, list(page(services, log).entries)) == (0, [])
    with services.db.write() as session:
        sync_log_writing.record(session, [sync_log_writing.Entry(log, NOON, "order", "7", "skip")])
    assert page(services, log).total.number == 1


def test_clearing_older_entries_keeps_the_newer_ones(services: Services, log: int, clock: SetClock) -> None:
    gone = sync_log_clearing.clear(services, log, older_than_days=4)
    left = page(services, log, size="100", page="9999")
    assert gone + left.total.number == 3000
    assert left.entries[-1].at >= clock.now() - timedelta(days=4)
    assert left.total.number == len(expected(services, SyncLogEntry.at >= NOON - timedelta(days=4)))


def test_another_connectors_entries_are_not_seen(services: Services, log: int) -> None:
    assert page(services, log + 1).total.number == 0
