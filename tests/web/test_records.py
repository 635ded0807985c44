"""The Records pages: figures over all rows, filters in the URL, one record with every attempt, send again, discard."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.models import AuditEntry, Delivery
from integration.models.attempt import Attempt
from integration.pipeline.outbox import record_numbers
from integration.pipeline.services import Services
from integration.queries import records
from tests.web.conftest import Person, Settle, text_of
from tests.web.record_ends import REFUSED


@pytest.fixture
def page(connector_id: int) -> str:
    return f"/connectors/{connector_id}/records"


@pytest.fixture
def several(record: Settle) -> list[int]:
    """One record of each end: success, partial, failed, skipped, retrying."""
    return [
        record(101, result="created", contact_id=7),
        record(102, result="updated", contact_id=7, partial=True),
        record(103, "dead", "bob@example.com", **REFUSED),
        record(104, "skipped", result="skipped"),
        record(105, None, "cy@example.com", error_code="http_500", wait=timedelta(minutes=5), faults=1),
    ]


def test_the_cards_count_all_records_that_match(viewer: Person, page: str, several: list[int]) -> None:
    text = text_of(viewer.get(page))
    assert "Total operations 5 Success 1 Partial success 1 Failed 1 Success rate 33.3 %" in text
    assert "1 waiting or in progress, 1 skipped" in text
    assert "5 records found." in text


FILTERS = {
    "status=failed": ["103"],
    "status=success": ["101"],
    "status=partial": ["102"],
    "status=retrying": ["105"],
    "status=skipped": ["104"],
    "status=waiting": [],
    "operation=created": ["101"],
    "source=%23103": ["103"],
    "source=10": ["105", "104", "103", "102", "101"],
    "email=BOB@example.com": ["103"],
    "kind=order&status=success": ["101"],
    "since=2026-11-20T11:00&until=2026-11-20T12:30": ["105", "104", "103", "102", "101"],
    "since=2026-11-20T12:01": [],
    "limit=10&operation=updated": ["102"],
}


@pytest.mark.parametrize("address", FILTERS)
def test_a_filter_finds_its_records_and_counts_them(
    viewer: Person, page: str, several: list[int], address: str
) -> None:
    answer = viewer.get(f"{page}?{address}")
    shown = [number for number in ("105", "104", "103", "102", "101") if f">{number}</a>" in answer.text]
    assert shown == FILTERS[address]
    assert f"Total operations {len(shown)} " in text_of(answer)


def test_a_beginning_of_many_numbers_says_how_many_were_looked_through(
    viewer: Person, page: str, several: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "More than {0} numbers begin with “10”; {0} of them were looked through. Write more of the number."
    for module in (record_numbers, records):
        monkeypatch.setattr(module, "NUMBERED_ROWS_MAX", 3)
    text = text_of(viewer.get(f"{page}?source=10"))
    assert said.format(3) in text
    assert "More than 3 records found." in text
    assert said.format(3) in text_of(viewer.get(f"{page}?source=10&status=skipped"))
    assert "were looked through" not in text_of(viewer.get(f"{page}?source=103"))
    for module in (record_numbers, records):
        monkeypatch.setattr(module, "NUMBERED_ROWS_MAX", 5)
    assert "were looked through" not in text_of(viewer.get(f"{page}?source=10"))


@pytest.mark.parametrize(
    "address",
    [
        "status=x",
        "kind=goat",
        "operation=%00",
        "since=yesterday",
        "limit=many",
        "run=-1",
        "before=x",
        "batch=1",
        "source=%F0%9F%98%80",
    ],
)
def test_a_bad_filter_gives_the_page_with_a_notice(viewer: Person, page: str, several: list[int], address: str) -> None:
    answer = viewer.get(f"{page}?{address}")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("path", "fine"),
    [
        ("records", "connector=all"),
        ("dead-letters", "status=pending"),
        ("runs", "kind=full"),
        ("tools/log", "size=10"),
        ("activity", "scope=all"),
        ("logs", "kind=application"),
    ],
)
def test_an_unknown_name_in_the_address_is_said_on_every_list(
    admin: Person, connector_id: int, path: str, fine: str
) -> None:
    address = f"/connectors/{connector_id}/{path}?{fine}"
    assert "There is no filter" not in text_of(admin.get(address))
    assert "There is no filter “bogus”. It was left out." in text_of(admin.get(f"{address}&bogus=1"))


def test_notices_name_what_was_left_out(viewer: Person, page: str) -> None:
    text = text_of(viewer.get(f"{page}?status=lost&since=soon"))
    assert "There is no status “lost”" in text
    assert "“soon” is no time" in text


def test_more_than_the_limit_goes_on_at_older(viewer: Person, page: str, record: Settle) -> None:
    for number in range(12):
        record(200 + number, result="created", contact_id=number + 1)
    first = viewer.get(f"{page}?limit=10")
    assert "12 records found." in text_of(first)
    older = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "12 records found." in text_of(viewer.get(older))


def test_without_records_the_page_says_what_would_fill_it(viewer: Person, page: str) -> None:
    assert "The first sync fills this page" in text_of(viewer.get(page))


def test_the_entity_list_follows_the_connector(
    admin: Person, viewer: Person, page: str, services: Services, connector_id: int
) -> None:
    from integration.pipeline.connectors import connectors

    assert '<option value="contact"' in viewer.get(page).text
    connectors.configure(services, connector_id, {"contacts.enabled": False})
    assert '<option value="contact"' not in viewer.get(page).text


def test_all_connectors_are_those_of_the_organisation(
    viewer: Person, stranger: Person, page: str, services: Services, several: list[int]
) -> None:
    from integration.pipeline.connectors import connectors

    connectors.create(services, organisation_id=1, name="Second shop")
    other = connectors.create(services, organisation_id=2, name="Strange shop")
    everything = viewer.get(f"{page}?connector=all")
    assert "5 records found." in text_of(everything)
    assert "Strange shop" not in everything.text
    assert "found." not in text_of(stranger.get(f"/connectors/{other}/records?connector=all"))
    assert viewer.get(f"{page}?connector={other}", follow_redirects=True).status_code == 404


def test_a_record_shows_its_error_its_blame_and_every_attempt(
    viewer: Person, page: str, services: Services, connector_id: int, record: Settle
) -> None:
    key = record(103, "dead", **REFUSED)
    attempt = Attempt(
        connector_id=connector_id,
        delivery_id=key,
        at=services.clock.now(),
        seconds=0.4,
        outcome="dead",
        http_status=400,
        error_code="refused",
        message="Mautic refused the e-mail.",
        sent={"request": "POST contacts/batch/new", "fields": {"email": "<b>ada</b>"}},
        answer={"error": "not valid"},
        differs=None,
        correlation_id="abc-123",
    )
    with services.db.write() as session:
        session.add(attempt)
    answer = viewer.get(f"{page}/{key}")
    text = text_of(answer)
    assert "The data is at fault" in text
    assert "HTTP 400" in text
    assert "POST contacts/batch/new" in text
    assert "abc-123" in text
    assert "<b>ada</b>" not in answer.text
    assert "Send again" not in text


def test_tries_that_could_not_be_made_are_shown_with_their_number(
    viewer: Person, page: str, services: Services, connector_id: int, record: Settle
) -> None:
    key = record(103, None, error_code="cut", message="Mautic closed the connection.", wait=timedelta(seconds=5))
    first = services.clock.now()
    row = {"connector_id": connector_id, "delivery_id": key, "seconds": 0.1, "outcome": "later", "error_code": "cut"}
    with services.db.write() as session:
        session.add(Attempt(at=first, last_at=first + timedelta(hours=1), tries=12, **row))
    text = text_of(viewer.get(f"{page}/{key}"))
    assert re.search(r"tried 12 times between .+ and .+, last batch of 0\.10 s", text)
    assert "1, none of them counted against the record" in text
    assert "entries are kept" not in text
    with services.db.write() as session:
        session.add_all([Attempt(at=first, **row) for _ in range(19)])
    assert "the first 5 and the newest 15 entries are kept" in text_of(viewer.get(f"{page}/{key}"))


def test_a_skipped_record_says_where_the_rule_stands(viewer: Person, page: str, record: Settle) -> None:
    key = record(104, "skipped", result="skipped", error_code="module_off", message="Order Sync is switched off.")
    answer = viewer.get(f"{page}/{key}")
    assert "Where that is decided: Order Sync" in text_of(answer)
    assert '/orders">Order Sync</a>' in answer.text


def test_a_record_says_when_its_status_was_reached_and_why_no_e_mail_followed(
    viewer: Person, page: str, services: Services, record: Settle
) -> None:
    said = "Nothing has changed since the last sync. No e-mail for this change: the status was reached before."
    key = record(104, "skipped", result="skipped", error_code="unchanged", message=said)
    text = text_of(viewer.get(f"{page}/{key}"))
    assert said in text and "Status reached" not in text
    with services.db.write() as session:
        session.get_one(Delivery, key).reached_at = services.clock.now()
    assert "Status reached" in text_of(viewer.get(f"{page}/{key}"))


def test_support_sends_a_dead_letter_again_and_a_viewer_cannot(
    viewer: Person,
    support: Person,
    page: str,
    services: Services,
    record: Settle,
    audit_of: Callable[[str], list[AuditEntry]],
) -> None:
    key = record(103, "dead", **REFUSED)
    assert viewer.post(f"{page}/{key}/retry").status_code == 403
    assert "is sent again" in text_of(support.post(f"{page}/{key}/retry", follow_redirects=True))
    with services.db.read() as session:
        assert session.get_one(Delivery, key).state == "ready"
    assert [entry.entity for entry in audit_of("REPLAYED")] == [f"order 103 (record {key})"]


def test_what_waits_for_its_next_attempt_is_tried_now(
    support: Person, page: str, services: Services, several: list[int], clock: SetClock
) -> None:
    assert "tried again now" in text_of(support.post(f"{page}/{several[4]}/retry", follow_redirects=True))
    with services.db.read() as session:
        assert session.get_one(Delivery, several[4]).due_at == clock.now()
    assert "nothing to send again" in text_of(support.post(f"{page}/{several[0]}/retry", follow_redirects=True))


def test_discarding_asks_for_a_reason_and_keeps_it(
    support: Person, page: str, services: Services, record: Settle, audit_of: Callable[[str], list[AuditEntry]]
) -> None:
    key = record(103, "dead", **REFUSED)
    assert support.post(f"{page}/{key}/discard", {"reason": " "}).status_code == 400
    support.post(f"{page}/{key}/discard", {"reason": "A test order."})
    assert "Reason: A test order." in text_of(support.get(f"{page}/{key}"))
    assert audit_of("DISCARDED")[0].diff == {"reason": ["", "A test order."]}


def test_comparing_with_a_store_that_does_not_answer_says_so(support: Person, page: str, record: Settle) -> None:
    text = text_of(support.get(f"{page}/{record(103, result='created', contact_id=7)}/compare"))
    assert "store" in text


def test_a_stranger_sees_no_record(stranger: Person, page: str, several: list[int], services: Services) -> None:
    for path in ("", f"/{several[2]}", f"/{several[2]}/edit", f"/{several[2]}/discard", f"/{several[2]}/compare"):
        assert stranger.get(f"{page}{path}").status_code == 404
    for act in ("retry", "edit", "discard"):
        assert stranger.post(f"{page}/{several[2]}/{act}", {"reason": "x"}).status_code == 404
    with services.db.read() as session:
        assert session.scalar(select(Delivery.state).where(Delivery.id == several[2])) == "dead"
