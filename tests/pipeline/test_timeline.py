"""The timeline of one person or order: the verdict first, then everything newest first (X5)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from integration.models import Connector
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services
from integration.queries import lifetime_breakdown, person_status, timeline
from integration.queries.person_status import PersonStatus
from integration.queries.timeline import TimelineEntry
from integration.queries.timeline_position import TimelinePosition, TimelineQuery
from tests.conftest import NOON
from tests.pipeline import rows
from tests.pipeline.rows import ADA, delivery

#: Every state of a record, with what else a record in it has.
ENDS: dict[str, dict[str, Any]] = {
    "delivered": {"contact_id": 77, "result": "created"},
    "skipped": {"error_code": "unchanged", "error": "Nothing has changed since the last sync.", "contact_id": 77},
    "dead": {"error_code": "refused", "error": "Mautic refused the value.", "category": "permanent"},
    "discarded": {"discard_reason": "a test order"},
    "conflict": {"error": "The city was kept.", "contact_id": 77},
}


def verdicts(services: Services, connector_id: int, order: str = "", person_key: str = ADA) -> list[PersonStatus]:
    with services.db.read() as session:
        connector = session.get_one(Connector, connector_id)
        if order:
            return person_status.of_order(timeline.known_order(session, connector, order, NOON))
        return person_status.of_person(timeline.known_person(session, connector, person_key, NOON))


def lines(services: Services, connector_id: int, order: str = "", place: str = "", size: int = 50) -> timeline.Timeline:
    with services.db.read() as session:
        connector = session.get_one(Connector, connector_id)
        scope = timeline.order(session, connector, order) if order else timeline.person(session, connector, ADA)
        return timeline.read(session, scope, TimelinePosition.parse(place), size)


# -- the verdict ------------------------------------------------------------------------------------------------------


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


# -- the lines --------------------------------------------------------------------------------------------------------


def fill(services: Services, connector_id: int) -> None:
    """An order that failed, was corrected and came through with a note, and a second one that waits."""
    [run] = rows.store(services, rows.run(connector_id))
    [first, second] = rows.store(
        services,
        delivery(
            connector_id,
            "94",
            at=0,
            run_id=run.id,
            attempts=2,
            origin="initial",
            corrections={"billing.city": "Rome"},
            **ENDS["delivered"],
        ),
        delivery(connector_id, "95", "ready", at=10, attempts=1, error_code="server_fault", error="Mautic failed."),
    )
    rows.store(
        services,
        rows.attempt(first, 1, "later", http_status=500, message="Mautic failed."),
        rows.attempt(first, 4, "delivered", http_status=201, answer={"contact_id": 77}),
        rows.log(connector_id, "94", 5, contact_id=77, delivery_id=first.id, message="Contact created."),
        rows.log(connector_id, "95", 11, status="error", delivery_id=second.id, message="Mautic failed."),
        rows.log(connector_id, "7", 12, person_key=rows.BOB),
        rows.entry(connector_id, 94),
        rows.mark(connector_id, "94", at=6),
        rows.mark(connector_id, "94", "send_email", "started", at=7),
        rows.mark(connector_id, "7", at=8),
    )


def test_a_segment_stands_in_the_timeline_by_its_number(services: Services, connector_id: int) -> None:
    fill(services, connector_id)
    rows.store(services, rows.mark(connector_id, "94", "segment:5", at=13))
    titles = [line.title for line in lines(services, connector_id).lines if line.what == "follow_up"]
    assert titles[0] == "Segment 5 for order 94 in status completed."


def told(found: timeline.Timeline) -> list[tuple[str, str]]:
    return [(line.what, line.badge) for line in found.lines]


def test_everything_of_a_person_stands_newest_first(services: Services, connector_id: int) -> None:
    fill(services, connector_id)
    found = lines(services, connector_id)
    assert told(found) == [
        ("log", "Error"),
        ("record", "Retrying"),
        ("follow_up", "Begun"),
        ("follow_up", "Done"),
        ("log", "Log"),
        ("attempt", "Sent"),
        ("attempt", "Tried again later"),
        ("record", "Success"),
    ]
    assert found.older == ""
    record, waiting = found.lines[-1], found.lines[1]
    assert record.title == "Order 94 (completed) came by the initial import."
    assert record.run is not None
    assert "2 attempts" in record.detail and "billing.city" in record.detail
    assert (waiting.next_at, waiting.detail) == (rows.minutes(10), "Mautic failed.")


def test_an_orders_timeline_is_about_that_order_only(services: Services, connector_id: int) -> None:
    fill(services, connector_id)
    assert {line.title.split(":")[0] for line in lines(services, connector_id, "95").lines} == {
        "Order 95",
        "Order 95 (completed) came by a webhook.",
    }
    assert len(lines(services, connector_id, "94").lines) == 6


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7])
def test_pages_show_each_line_once_and_in_order(services: Services, connector_id: int, size: int) -> None:
    fill(services, connector_id)
    whole = lines(services, connector_id).lines
    seen: list[TimelineEntry] = []
    place = ""
    for _ in range(len(whole) + 1):
        page = lines(services, connector_id, place=place, size=size)
        seen += page.lines
        place = page.older
        if not place:
            break
    assert [(line.what, line.key) for line in seen] == [(line.what, line.key) for line in whole]


@pytest.mark.parametrize("text", ["nonsense", "record.x", "record.5 nonsense", "record." + "9" * 30, "' or 1=1"])
def test_a_place_that_makes_no_sense_is_the_beginning(text: str) -> None:
    query, notices = TimelineQuery.from_url({"older": text})
    assert (query.older, len(notices)) == (TimelinePosition(), 1)


def test_cleared_entries_of_the_log_are_not_shown(services: Services, connector_id: int) -> None:
    fill(services, connector_id)
    with services.db.write() as session:
        session.get_one(Connector, connector_id).log_cleared_id = 10**6
    assert "log" not in {line.what for line in lines(services, connector_id).lines}


# -- the sums ---------------------------------------------------------------------------------------------------------


def added(services: Services, connector_id: int) -> lifetime_breakdown.Sums:
    with services.db.read() as session:
        return lifetime_breakdown.add_up(session, session.get_one(Connector, connector_id), ADA)


def test_each_order_is_counted_or_has_a_reason(services: Services, connector_id: int) -> None:
    with services.db.write() as session:
        session.get_one(Connector, connector_id).store_facts = {"currency": "EUR"}
    rows.store(
        services,
        rows.entry(connector_id, 1, net_total="10.10"),
        rows.entry(connector_id, 2, "processing", net_total="0.20"),
        rows.entry(connector_id, 3, "on-hold"),
        rows.entry(connector_id, 4, refunded=True, net_total="0"),
        rows.entry(connector_id, 5, currency="JPY"),
        rows.entry(connector_id, 6, "trash"),
        rows.entry(connector_id, 7, person_key=rows.BOB),
        delivery(connector_id, "2", number="WC-2"),
    )
    found = added(services, connector_id)
    assert (found.lifetime.total_spent, found.lifetime.order_count, found.more) == (Decimal("10.30"), 2, 0)
    assert [share.order_id for share in found.shares] == [6, 5, 4, 3, 2, 1]
    assert sum((share.net for share in found.shares if share.counted), Decimal(0)) == found.lifetime.total_spent
    whys = {share.order_id: share.why for share in found.shares}
    assert [whys[2], whys[1]] == ["", ""]
    assert "on-hold" in whys[3]
    assert "refunded in full" in whys[4]
    assert "JPY" in whys[5]
    assert "trash" in whys[6]
    assert {share.order_id: share.number for share in found.shares}[2] == "WC-2"


def test_a_long_list_of_orders_is_cut_and_counted_in_full(services: Services, connector_id: int) -> None:
    rows.store(services, *(rows.entry(connector_id, n, ordered_at=NOON + timedelta(hours=n)) for n in range(1, 131)))
    found = added(services, connector_id)
    assert (len(found.shares), found.more, found.lifetime.order_count) == (100, 30, 130)
    assert found.shares[0].order_id == 130


def test_what_mautic_cannot_be_told_is_known(services: Services, connector_id: int) -> None:
    rows.store(services, rows.entry(connector_id, 1, "trash"))
    assert added(services, connector_id).zero
    connectors.configure(services, connector_id, {"orders.lifetime": False})
    assert not added(services, connector_id).zero


def test_orders_in_two_currencies_say_why_they_are_not_added_up(services: Services, connector_id: int) -> None:
    rows.store(
        services,
        rows.entry(connector_id, 1, net_total="36.60"),
        rows.entry(connector_id, 2, net_total="6100.00", currency="JPY"),
    )
    found = added(services, connector_id)
    assert "the paid orders are in EUR, JPY" in found.unsure
    assert [(share.amount, share.currency, share.counted) for share in found.shares] == [
        *(("6100", "JPY", False), ("36.60", "EUR", False)),
    ]


def test_sums_by_currency_are_told_where_there_are_several(services: Services, connector_id: int) -> None:
    with services.db.write() as session:
        session.get_one(Connector, connector_id).store_facts = {"currency": "EUR"}
    rows.store(services, rows.entry(connector_id, 1, net_total="36.60"))
    assert added(services, connector_id).by_currency == ()
    rows.store(services, rows.entry(connector_id, 2, net_total="6100.00", currency="JPY"))
    found = added(services, connector_id)
    assert [(each.currency, each.text, each.orders) for each in found.by_currency] == [
        *(("EUR", "36.60", 1), ("JPY", "6100", 1)),
    ]
    assert found.total == "36.60"
