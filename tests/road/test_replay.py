"""Sending again over the whole road: after mending, of an order that is gone, of very many, cancelled half way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from integration.clock import SetClock
from integration.models import Delivery, Run
from integration.pipeline import outbox
from integration.pipeline.dead_letters.editing import edit
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import cancelling, lifecycle as run_lifecycle, progress as run_progress
from integration.pipeline.runs.executor import RunExecutor
from integration.queries import record
from tests.conftest import NOON
from tests.road.conftest import Road
from tests.road.dead_letters import many


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road(SetClock(NOON))


def kill(road: Road, email: str = "ada@example.com") -> Delivery:
    """Let an order be refused by Mautic."""
    road.mautic.faults.command({"kind": "status", "value": 400, "path": "/api/contacts"})
    road.arrive(road.order(email))
    road.work()
    road.mautic.faults.clear()
    dead = road.deliveries()[-1]
    assert dead.state == "dead"
    return dead


def send_again(road: Road, dead: Delivery) -> None:
    with road.services.db.write() as session:
        outbox.requeue(session, road.services.clock.now(), road.connector_id, [dead.id])
    road.work()


def test_a_dead_letter_arrives_after_the_cause_is_mended(road: Road) -> None:
    dead = kill(road)
    send_again(road, dead)
    again = road.deliveries()[-1]
    assert (again.state, again.id) == ("delivered", dead.id)
    with road.services.db.read() as session:
        tried = record.attempts(session, dead.id)
    assert [attempt.outcome for attempt in tried] == ["delivered", "dead"]
    assert tried[0].sent is not None
    assert tried[0].sent["fields"]["email"] == "ada@example.com"
    assert (tried[0].http_status, tried[1].http_status) == (201, 400)


def test_replay_reads_the_store_again(road: Road) -> None:
    dead = kill(road)
    road.store.shop.edit_order(int(dead.source_id), billing={"email": "ada@example.com", "city": "Torino"})
    send_again(road, dead)
    assert {str(contact.values.get("city")) for contact in road.mautic.state.contacts.values()} == {"Torino"}


@pytest.mark.parametrize("fault", ["down", "wrong_credentials"])
def test_an_old_payload_that_had_to_serve_is_said(road: Road, fault: str) -> None:
    dead = kill(road)
    road.services.clock.advance(minutes=10)  # type: ignore[attr-defined]  # a clock that is set
    road.store.faults.command({"kind": fault})
    send_again(road, dead)
    again = road.deliveries()[-1]
    assert again.state == "delivered"
    with road.services.db.read() as session:
        last = record.attempts(session, dead.id)[0]
    for said in (last.message, road.log()[-1].message):
        assert "The store could not be read again (" in said
        assert said.endswith("so the record was sent as it was read at 20 Nov 12:00 UTC.")


def test_a_record_that_was_read_again_says_nothing_of_it(road: Road) -> None:
    dead = kill(road)
    road.services.clock.advance(minutes=10)  # type: ignore[attr-defined]  # a clock that is set
    send_again(road, dead)
    assert "could not be read" not in road.log()[-1].message


def test_replay_of_an_order_that_is_gone_says_so(road: Road) -> None:
    dead = kill(road)
    road.store.shop.delete_force(int(dead.source_id))
    send_again(road, dead)
    gone = road.deliveries()[-1]
    assert (gone.state, gone.error) == ("skipped", "The record no longer exists in the store.")


def test_an_edited_letter_goes_out_with_the_persons_values(road: Road) -> None:
    dead = kill(road)
    edit(road.services, dead, {"billing.first_name": "Augusta", "billing.email": "augusta@example.com"})
    road.work()
    (contact,) = road.mautic.state.contacts.values()
    assert (contact.values.get("firstname"), contact.values.get("email")) == ("Augusta", "augusta@example.com")


def test_a_replay_of_50_000_is_queued_with_a_count_and_cancelled(road: Road) -> None:
    many(road, 50_000)
    run_id = run_lifecycle.start(road.services, road.connector_id, "replay", trigger="test", options={"act": "replay"})
    token = new_token()
    with road.services.db.write() as session:
        run = run_lifecycle.take(session, road.services.clock.now(), token)
        session.flush()
        session.expunge_all()
    assert run is not None
    executor = RunExecutor(road.services, run, token)
    rings: list[int] = []

    def cancel_at_the_third(connector_id: int) -> None:
        rings.append(connector_id)
        if len(rings) == 3:
            cancelling.cancel(road.services, run_id)

    road.services.wakeup.ring = cancel_at_the_third  # type: ignore[method-assign]  # watched from here
    executor.execute()
    with road.services.db.read() as session:
        ended = session.get_one(Run, run_id)
        states = set(session.scalars(select(Delivery.state).distinct()))
    assert (ended.state, ended.expected, ended.accepted) == ("CANCELLED", 50_000, 1500)
    assert states == {"dead"}


def test_a_replay_run_ends_with_its_counts(road: Road) -> None:
    many(road, 120)
    road.run("replay", act="replay")
    with road.services.db.read() as session:
        run = session.scalars(select(Run)).one()
        said = [line.text for line in run_progress.lines(session, run.id)]
    assert (run.state, run.expected, run.accepted, run.skipped) == ("COMPLETED", 120, 120, 120)
    assert "120 queued to be sent again." in said
    assert {delivery.error_code for delivery in road.deliveries()} == {"gone"}


def test_discarding_all_that_match_leaves_the_others(road: Road) -> None:
    many(road, 30)
    with road.services.db.write() as session:
        session.execute(update(Delivery).where(Delivery.source_id == "1000007").values(error_code="refused"))
    road.run("replay", act="discard", reason="Tests.", filter={"code": "http_500"})
    assert sorted({(d.state, d.error_code, d.discard_reason) for d in road.deliveries()}) == [
        ("dead", "refused", ""),
        ("discarded", "http_500", "Tests."),
    ]
