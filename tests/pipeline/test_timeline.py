"""The timeline of one person or order: everything newest first, page after page (X5)."""

from __future__ import annotations

import pytest

from integration.models import Connector
from integration.pipeline.services import Services
from integration.queries import timeline
from integration.queries.timeline import TimelineEntry
from integration.queries.timeline_position import TimelinePosition, TimelineQuery
from tests.pipeline import rows
from tests.pipeline.rows import ADA, ENDS, delivery


def lines(services: Services, connector_id: int, order: str = "", place: str = "", size: int = 50) -> timeline.Timeline:
    with services.db.read() as session:
        connector = session.get_one(Connector, connector_id)
        scope = timeline.order(session, connector, order) if order else timeline.person(session, connector, ADA)
        return timeline.read(session, scope, TimelinePosition.parse(place), size)


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
