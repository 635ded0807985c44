"""The verdict on one person or order: in Mautic, or why not and what to do (X5)."""

from __future__ import annotations

from typing import Any

import pytest

from integration.models import Connector
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from integration.queries import person_status, timeline
from integration.queries.person_status import PersonStatus
from tests.conftest import NOON
from tests.pipeline import rows
from tests.pipeline.rows import ADA, ENDS, delivery


def verdicts(services: Services, connector_id: int, order: str = "", person_key: str = ADA) -> list[PersonStatus]:
    with services.db.read() as session:
        connector = session.get_one(Connector, connector_id)
        if order:
            return person_status.of_order(timeline.known_order(session, connector, order, NOON))
        return person_status.of_person(timeline.known_person(session, connector, person_key, NOON))


def test_who_is_in_mautic_is_said_so_with_the_time(services: Services, connector_id: int) -> None:
    rows.store(services, rows.link(connector_id), delivery(connector_id, "94", **ENDS["delivered"]))
    [found] = verdicts(services, connector_id)
    assert found.text == f"This person is in Mautic as contact 77, last written {rows.minutes(1).isoformat()}."
    assert (found.code, found.kind, found.contact_id) == ("in_mautic", "ok", 77)


def test_an_order_without_address_is_not_in_mautic(services: Services, connector_id: int) -> None:
    ends = {"error_code": "no_email", "error": "The order has no billing e-mail; add one to the order in the store."}
    rows.store(services, delivery(connector_id, "94", "skipped", person_key="order:94", **ends))
    for found in (*verdicts(services, connector_id, "94"), *verdicts(services, connector_id, person_key="order:94")):
        assert found.text == "Not in Mautic: the order has no e-mail address."
        assert found.reason is not None
        assert "billing address" in found.reason.where


WAITING: dict[str, tuple[dict[str, Any], str]] = {
    "its turn": ({}, "Waiting: it is sent as soon as its turn comes."),
    "retry": (
        {"attempts": 2, "error_code": "server_fault", "error": "Mautic failed.", "due_at": rows.minutes(9)},
        f"Waiting: attempt 2 did not work (Mautic failed). Next attempt {rows.minutes(9).isoformat()}.",
    ),
    "later": ({"due_at": rows.minutes(9)}, f"Waiting: it is sent {rows.minutes(9).isoformat()}."),
    "leased": ({"lease_token": "t", "leased_until": rows.minutes(1)}, "On its way: it is being sent to Mautic now."),
}


@pytest.mark.parametrize("case", WAITING)
def test_what_waits_is_said_with_its_reason(services: Services, connector_id: int, case: str) -> None:
    values, text = WAITING[case]
    state = "leased" if case == "leased" else "ready"
    rows.store(services, delivery(connector_id, "94", state, **values), delivery(connector_id, "95", "waiting", 1))
    assert [found.text for found in verdicts(services, connector_id)] == [text]
    assert verdicts(services, connector_id, "94")[0].code == "waiting"


def test_a_hold_a_pause_and_a_missing_mautic_are_named(services: Services, connector_id: int) -> None:
    rows.store(services, delivery(connector_id, "94", "ready"), hold := rows.hold(connector_id))
    assert f"Waiting: Mautic is on hold since {NOON.isoformat()}: Mautic does not answer." in (
        verdicts(services, connector_id)[0].text
    )
    with services.db.write() as session:
        session.delete(hold)
    connectors.pause(services, connector_id)
    assert "the connector is paused" in verdicts(services, connector_id)[0].text
    connectors.resume(services, connector_id)
    with services.db.write() as session:
        session.get_one(Connector, connector_id).mautic_url = ""
    assert "no Mautic is connected" in verdicts(services, connector_id)[0].text


def test_a_skip_names_its_rule_and_where_to_change_it(services: Services, connector_id: int) -> None:
    ends = {"error_code": "status_not_synced", "error": "Orders with the status “on-hold” are not synced."}
    rows.store(services, delivery(connector_id, "94", "skipped", event="on-hold", **ends))
    for found in (verdicts(services, connector_id)[0], verdicts(services, connector_id, "94")[0]):
        assert found.text == "Skipped: Orders with the status “on-hold” are not synced."
        assert found.reason is not None
        assert (found.reason.page, found.reason.where) == (
            "orders",
            "Order Sync, “Orders with these statuses”: tick the status",
        )


def test_a_failure_says_whose_fault_it_is_and_what_to_do(services: Services, connector_id: int) -> None:
    [row] = rows.store(services, delivery(connector_id, "94", "dead", **ENDS["dead"]))
    for found in (verdicts(services, connector_id)[0], verdicts(services, connector_id, "94")[0]):
        assert found.text.startswith(
            "Failed: Order 94 could not be sent: Mautic refused the value. The data is at fault"
        )
        assert "send it again or discard it" in found.text
        assert (found.kind, found.delivery_id) == ("bad", row.id)


def test_somebody_in_mautic_with_a_failed_and_a_waiting_order_has_all_three_told(
    services: Services, connector_id: int
) -> None:
    rows.store(
        services,
        rows.link(connector_id),
        delivery(connector_id, "1", "dead", **ENDS["dead"]),
        delivery(connector_id, "2", "ready", 3),
        delivery(connector_id, "3", "skipped", 1, error_code="sku_filter", error="No product fits."),
    )
    assert [found.code for found in verdicts(services, connector_id)] == ["in_mautic", "waiting", "failed", "skipped"]


@pytest.mark.parametrize(
    ("state", "code", "text"),
    [
        ("delivered", "in_mautic", "Order 94 is in Mautic as contact 77, last written "),
        ("skipped", "in_mautic", "Order 94 is in Mautic as contact 77, nothing had changed when it was looked at "),
        ("discarded", "discarded", "Discarded: Order 94 was given up "),
        ("conflict", "conflict", "Conflict "),
    ],
)
def test_an_order_that_ended_is_told_by_its_last_record(
    services: Services, connector_id: int, state: str, code: str, text: str
) -> None:
    older = delivery(connector_id, "94", "dead", -9, **ENDS["dead"])
    rows.store(services, older, delivery(connector_id, "94", state, **ENDS[state]))
    [found] = verdicts(services, connector_id, "94")
    assert (found.code, found.text[: len(text)]) == (code, text)


def test_a_note_that_is_missing_is_told(services: Services, connector_id: int) -> None:
    ends = {**ENDS["delivered"], "partial": True, "error": "The note was refused."}
    rows.store(services, delivery(connector_id, "94", **ends))
    assert "But not all of it: The note was refused." in verdicts(services, connector_id, "94")[0].text


@pytest.mark.parametrize(
    ("entry", "settings", "text"),
    [
        ({"status": "on-hold"}, {}, "Not in Mautic: orders with the status “on-hold” are not synced."),
        ({"status": "trash"}, {}, "Not in Mautic: the order is in the store's trash."),
        ({}, {"orders.enabled": False}, "Not in Mautic: Order Sync is switched off."),
        ({}, {}, "Not in Mautic: the order is known, but it was never sent."),
    ],
)
def test_an_order_that_was_only_added_up_has_a_reason(
    services: Services, connector_id: int, entry: dict[str, Any], settings: dict[str, Any], text: str
) -> None:
    connectors.configure(services, connector_id, settings)
    rows.store(services, rows.entry(connector_id, 94, **entry))
    assert [found.text for found in verdicts(services, connector_id, "94")] == [text]
    assert [found.text for found in verdicts(services, connector_id)] == [text]


def test_an_order_whose_records_are_too_old_to_be_kept_leads_to_its_person(
    services: Services, connector_id: int
) -> None:
    rows.store(services, rows.entry(connector_id, 94), rows.link(connector_id))
    [found] = verdicts(services, connector_id, "94")
    assert found.text.startswith("Its person is in Mautic as contact 77")


@pytest.mark.parametrize("order", ["94", "not-a-number", "9" * 39])
def test_what_was_never_seen_is_unknown(services: Services, connector_id: int, order: str) -> None:
    assert verdicts(services, connector_id, order)[0].code == "unknown"
    assert verdicts(services, connector_id)[0].text.startswith("Unknown: this person was never seen")
    rows.store(services, rows.hold(connector_id, "store"))
    assert "Reading the store is on hold since" in verdicts(services, connector_id, order)[0].text


def test_what_its_former_person_is_owed_says_nothing_of_an_order(services: Services, connector_id: int) -> None:
    rows.store(
        services,
        delivery(connector_id, "94", **ENDS["delivered"]),
        delivery(connector_id, "94", "dead", 5, event="moved", person_key=rows.BOB, **ENDS["dead"]),
    )
    assert [found.code for found in verdicts(services, connector_id, "94")] == ["in_mautic"]
