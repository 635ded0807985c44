"""Partial successes: what is missing is told, counted, and sent again without doing twice what was done."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from integration.clock import SetClock
from integration.models import Connector, Delivery, RecordCount, RunLine
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors, field_list
from integration.pipeline.delivery.outcomes import FIELDS_MISSING
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle
from integration.sandbox.mautic.seed import seed as seed_mautic
from tests.conftest import NOON
from tests.road.conftest import Road


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOON)


def send_again(road: Road, delivery: Delivery) -> outbox.Requeued:
    with road.services.db.write() as session:
        came = outbox.requeue(session, road.services.clock.now(), road.connector_id, [delivery.id])
    road.work()
    return came


def counted(road: Road) -> dict[str, int]:
    numbers = select(RecordCount.state, func.sum(RecordCount.records)).group_by(RecordCount.state)
    with road.services.db.read() as session:
        return {state: number for state, number in session.execute(numbers).tuples() if number}


def refuse_notes(road: Road) -> None:
    road.mautic.faults.command({"kind": "status", "value": 400, "path": "/api/notes"})


def test_a_refused_note_is_written_by_sending_again_and_the_contact_is_not(
    make_road: Callable[..., Road], clock: SetClock
) -> None:
    road = make_road(clock, orders__notes=True, orders__create_fields=True)
    refuse_notes(road)
    road.arrive(road.order("ada@example.com"))
    road.work()
    (half,) = road.deliveries()
    assert (half.state, half.partial, half.result, counted(road)) == ("delivered", True, "created", {"partial": 1})
    road.mautic.faults.clear()
    before = len(road.mautic.calls)
    assert send_again(road, half) == outbox.Requeued(queued=1)
    (whole,) = road.deliveries()
    assert (whole.state, whole.partial, whole.error, counted(road)) == ("delivered", False, "", {"delivered": 1})
    assert len(road.mautic.state.notes) == 1
    written = [call.path for call in list(road.mautic.calls)[before:] if call.method != "GET"]
    assert written
    assert all("/notes" in path for path in written)
    assert send_again(road, whole) == outbox.Requeued(gone=1)


SENDING = r"/api/emails/\d+/contact"


def mailing(make_road: Callable[..., Road], clock: SetClock) -> Road:
    road = make_road(clock, orders__notes=True, orders__create_fields=True, orders__emails={"completed": 1})
    seed_mautic(road.mautic.state)
    road.mautic.state.notes.clear()
    return road


def written_since(road: Road, before: int) -> list[str]:
    return [call.path for call in list(road.mautic.calls)[before:] if call.method != "GET"]


@pytest.mark.parametrize("kind", ["refused", "gone"])
def test_a_refused_e_mail_is_sent_by_sending_again_and_nothing_else(
    make_road: Callable[..., Road], clock: SetClock, kind: str
) -> None:
    road = mailing(make_road, clock)
    emails = road.mautic.state.emails
    email = emails[1]
    if kind == "gone":
        del emails[1]
    else:
        road.mautic.faults.command({"kind": "status", "value": 400, "path": SENDING})
    road.arrive(road.order("new@example.com"))
    road.work()
    (half,) = road.deliveries()
    assert (half.state, half.partial, half.result, counted(road)) == ("delivered", True, "created", {"partial": 1})
    assert (len(road.mautic.state.notes), len(road.mautic.state.sent)) == (1, 0)
    assert send_again(road, half) == outbox.Requeued(queued=1), "still refused"
    (half,) = road.deliveries()
    assert (half.partial, half.result, counted(road)) == (True, "created", {"partial": 1})
    road.mautic.faults.clear()
    emails[1] = email
    before = len(road.mautic.calls)
    assert send_again(road, half) == outbox.Requeued(queued=1)
    (whole,) = road.deliveries()
    assert (whole.state, whole.partial, whole.error, whole.result) == ("delivered", False, "", "created")
    assert (len(road.mautic.state.notes), len(road.mautic.state.sent), counted(road)) == (1, 1, {"delivered": 1})
    assert [path for path in written_since(road, before) if "/emails/" not in path] == []


@pytest.mark.parametrize("path", ["/api/notes", SENDING])
def test_what_is_tried_until_it_is_given_up_stays_created(
    make_road: Callable[..., Road], clock: SetClock, path: str
) -> None:
    """The contact was made by the first try; those that follow find nothing to write."""
    road = mailing(make_road, clock)
    road.mautic.faults.command({"kind": "status", "value": 500, "path": path})
    road.arrive(road.order("new@example.com"))
    for _ in range(30):
        road.work()
        clock.advance(minutes=30)
    (half,) = road.deliveries()
    assert (half.state, half.partial, half.result) == ("delivered", True, "created")
    assert counted(road) == {"partial": 1}


def test_a_refused_note_keeps_no_e_mail_back_and_sends_none_twice(
    make_road: Callable[..., Road], clock: SetClock
) -> None:
    road = mailing(make_road, clock)
    refuse_notes(road)
    road.arrive(road.order("ada@example.com"))
    road.work()
    (half,) = road.deliveries()
    assert (half.partial, len(road.mautic.state.notes), len(road.mautic.state.sent)) == (True, 0, 1)
    road.mautic.faults.clear()
    send_again(road, half)
    assert (len(road.mautic.state.notes), len(road.mautic.state.sent)) == (1, 1)
    assert [row.partial for row in road.deliveries()] == [False]


def create_fields(road: Road) -> None:
    connectors.configure(road.services, road.connector_id, {"orders.create_fields": True})
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    field_list.refresh(road.services, connector, road.services.open_mautic(connector))


def import_without_fields(make_road: Callable[..., Road], clock: SetClock) -> Road:
    road = make_road(clock, orders__create_fields=False)
    for number in range(3):
        road.order(f"p{number}@example.com")
    run = road.run("initial", only=["orders"])
    assert (run.state, run.pushed, run.partial) == ("COMPLETED", 3, 3)
    with road.services.db.read() as session:
        said = session.scalars(select(RunLine.text).where(RunLine.run_id == run.id)).all()
    assert any(text.startswith("3 records were written in part") for text in said)
    assert {d.error_code for d in road.deliveries()} == {FIELDS_MISSING}
    assert "mautic_woo_total_spent" in road.deliveries()[0].error
    return road


def orders_of(road: Road, email: str) -> object:
    contact = road.mautic.state.contact(email)
    assert contact is not None
    return contact.values.get("mautic_woo_order_count")


def test_records_written_without_fields_are_partial_and_filled_by_one_run(
    make_road: Callable[..., Road], clock: SetClock
) -> None:
    road = import_without_fields(make_road, clock)
    create_fields(road)
    clock.advance(minutes=10)
    with road.services.db.read() as session:
        ids = list(outbox.partial_ids(session, road.connector_id, FIELDS_MISSING))
    run = road.run("replay", act="replay", ids=ids)
    assert (run.state, run.pulled, run.pushed, run.partial) == ("COMPLETED", 3, 3, 0)
    assert orders_of(road, "p1@example.com") == 1
    assert counted(road) == {"delivered": 3}


def test_a_full_sync_after_the_fields_came_leaves_nothing_partial(
    make_road: Callable[..., Road], clock: SetClock
) -> None:
    road = import_without_fields(make_road, clock)
    create_fields(road)
    clock.advance(minutes=10)
    road.run("full", only=["orders"])
    assert orders_of(road, "p1@example.com") == 1
    with road.services.db.read() as session:
        assert not outbox.partial_ids(session, road.connector_id)
    assert counted(road) == {"delivered": 6}


def test_a_cancelled_replay_gives_partial_successes_back(make_road: Callable[..., Road], clock: SetClock) -> None:
    road = import_without_fields(make_road, clock)
    run_id = run_lifecycle.start(road.services, road.connector_id, "replay", trigger="test")
    with road.services.db.write() as session:
        ids = list(outbox.partial_ids(session, road.connector_id))
        outbox.requeue(session, clock.now(), road.connector_id, ids, run_id)
    cancelling.cancel(road.services, run_id)
    assert {(d.state, d.partial) for d in road.deliveries()} == {("delivered", True)}
    assert counted(road) == {"partial": 3}
