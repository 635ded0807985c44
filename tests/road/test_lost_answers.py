"""A call whose answer was lost is a question: Mautic is asked before anything of it is sent again."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from integration.clock import SetClock
from integration.events import Origin
from integration.models import UnansweredCall, UnansweredPerson
from integration.pipeline import outbox
from integration.pipeline.delivery.retries import DELAYS
from integration.pipeline.ingest import records
from integration.pipeline.runs import progress as run_progress
from integration.sandbox.mautic.contact import Contact
from tests.conftest import NOON
from tests.road.conftest import Road

NEW = "/api/contacts/batch/new"
EDIT = "/api/contacts/batch/edit"
NOTES = "/api/notes/batch/new"


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road(SetClock(NOON), sync__proof_every=0, sync__lanes=1)


def advance(road: Road, seconds: float) -> None:
    assert isinstance(road.services.clock, SetClock)
    road.services.clock.advance(seconds=seconds)
    road.work()


def doubled(road: Road) -> set[str]:
    emails = Counter(str(contact.values.get("email")).lower() for contact in road.mautic.state.contacts.values())
    return {email for email, times in emails.items() if times > 1}


def contacts(road: Road) -> set[str]:
    return {str(contact.values.get("email")) for contact in road.mautic.state.contacts.values()}


def in_question(road: Road) -> int:
    with road.services.db.read() as session:
        return session.scalar(select(func.count()).select_from(UnansweredPerson)) or 0


def people(road: Road, count: int) -> set[str]:
    emails = {f"p{number}@example.com" for number in range(count)}
    road.arrive(*(road.order(email) for email in sorted(emails)))
    return emails


@pytest.mark.parametrize("fault", ["lose_answer", "lose_answer_early", "gateway", "cut"])
def test_what_mautic_did_all_the_same_is_taken_over_without_another_write(road: Road, fault: str) -> None:
    getattr(road.mautic.faults, fault)(path=NEW, times=1)
    emails = people(road, 12)
    road.work()
    road.mautic.background.wait(10)
    assert (in_question(road), road.mautic.calls.count(NEW)) == (12, 1)
    advance(road, 5)
    assert road.mautic.calls.count(NEW) == 1
    advance(road, 6)
    assert (road.states(), in_question(road)) == ({"delivered"}, 0)
    assert (contacts(road), doubled(road)) == (emails, set())
    assert (road.mautic.calls.count(NEW), road.mautic.calls.count(EDIT)) == (1, 0)
    assert "Mautic had it already" in road.log()[-1].message


def test_an_order_that_is_gone_before_the_look_leaves_no_value_of_the_lost_call(
    make_road: Callable[..., Road],
) -> None:
    """The call made a contact that nobody knows of here, so that what it wrote would stay for ever."""
    road = make_road(SetClock(NOON), sync__proof_every=0, orders__create_fields=True)
    road.mautic.faults.command({"kind": "lose_answer_early", "path": NEW, "times": 1})
    order = road.order("ada@example.com")
    road.arrive(order)
    road.work()
    road.mautic.background.wait(10)
    count = "mautic_woo_order_count"
    assert float(road.contact("ada@example.com").values[count]) == 1
    road.store.shop.trash(order["id"])
    with road.services.db.write() as session:
        gone = records.trashed(road.store.shop.shown(order["id"]), Origin.POLL, NOON)
        records.accept(session, road.services.clock.now(), road.connector_id, [gone])
    for _ in range(3):
        advance(road, 400)
    assert in_question(road) == 0
    assert not float(road.contact("ada@example.com").values.get(count) or 0)


def test_what_never_arrived_is_sent_after_two_looks(road: Road) -> None:
    road.mautic.faults.command({"kind": "down", "path": NEW, "times": 1})
    emails = people(road, 12)
    road.work()
    advance(road, 11)
    assert (contacts(road), in_question(road)) == (set(), 12)
    assert {delivery.faults for delivery in road.deliveries()} == {0}
    advance(road, 11)
    assert (contacts(road), road.states(), in_question(road)) == (emails, {"delivered"}, 0)


def test_while_mautic_goes_on_nobody_is_sent_again(road: Road) -> None:
    road.mautic.faults.command({"kind": "lose_answer_early", "path": NEW, "times": 1})
    road.mautic.faults.command({"kind": "delay_per_record", "value": 0.4, "path": NEW})
    people(road, 6)
    road.work()
    advance(road, 11)
    pause = threading.Event()
    while len(road.mautic.state.contacts) < 4:
        pause.wait(0.05)
    advance(road, 11)
    assert in_question(road) == 6
    assert road.mautic.background.wait(20)
    advance(road, 11)
    assert (road.states(), in_question(road)) == ({"delivered"}, 0)
    assert (len(road.mautic.state.contacts), doubled(road)) == (6, set())
    assert road.mautic.calls.count(NEW) == 1


def test_a_lost_edit_is_confirmed_when_all_values_are_there(road: Road) -> None:
    emails = people(road, 4)
    road.work()
    road.mautic.faults.command({"kind": "lose_answer_early", "path": EDIT, "times": 1})
    road.arrive(*(road.order(email, billing={"first_name": "New"}) for email in sorted(emails)))
    road.work()
    road.mautic.background.wait(10)
    edits = road.mautic.calls.count(EDIT)
    advance(road, 11)
    assert (road.states(), in_question(road), road.mautic.calls.count(EDIT)) == ({"delivered"}, 0, edits)
    assert {contact.values["firstname"] for contact in road.mautic.state.contacts.values()} == {"New"}


def test_later_orders_wait_behind_and_nobody_can_hasten_them(road: Road) -> None:
    road.mautic.faults.command({"kind": "down", "path": NEW, "times": 1})
    people(road, 2)
    road.work()
    road.arrive(road.order("p0@example.com"), road.order("free@example.com"))
    now = road.services.clock.now()
    with road.services.db.write() as session:
        assert not any(outbox.hasten(session, now, road.connector_id, row.id) for row in road.deliveries())
    advance(road, 6)
    assert contacts(road) == {"free@example.com"}
    for _ in range(2):
        advance(road, 11)
    assert (road.states() <= {"delivered", "skipped"}, in_question(road)) == (True, 0)
    assert contacts(road) == {"free@example.com", "p0@example.com", "p1@example.com"}


def test_a_person_whose_every_call_is_lost_ends_alone(road: Road) -> None:
    people(road, 7)
    road.arrive(road.order("poison@example.com"))
    _lose_calls_with(road, b"poison@example.com")
    for _ in range(14):
        advance(road, 20)
    assert contacts(road) == {f"p{number}@example.com" for number in range(7)}
    for delay in DELAYS:
        advance(road, delay * 1.3)
        advance(road, 20)
        advance(road, 20)
    [dead] = [delivery for delivery in road.deliveries() if delivery.state == "dead"]
    assert dead.faults == len(DELAYS)
    assert doubled(road) == set()


def _lose_calls_with(road: Road, part: bytes) -> None:
    """Let a gateway give up each write that holds this."""
    inner = road.mautic.app.wsgi_app

    def guarded(environ: Any, start_response: Any) -> Any:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(body)
        if part in body:
            start_response("504 Gateway Time-out", [("Content-Type", "text/html")])
            return [b"<html><h1>504 Gateway Time-out</h1></html>"]
        return inner(environ, start_response)

    road.mautic.app.wsgi_app = guarded  # type: ignore[method-assign]


def test_contacts_that_are_there_twice_are_named(road: Road) -> None:
    road.mautic.faults.command({"kind": "lose_answer", "path": NEW, "times": 1})
    people(road, 2)
    road.work()
    state = road.mautic.state
    first = state.contact("p0@example.com")
    assert first is not None
    second = Contact(state.next_id("contacts"), state.now(), {**first.values})
    state.insert(second)
    advance(road, 11)
    said = " ".join(entry.message for entry in road.log())
    assert f"{first.id}, {second.id}" in said


def test_a_look_that_mautic_does_not_answer_is_made_again(road: Road) -> None:
    road.mautic.faults.command({"kind": "lose_answer", "path": NEW, "times": 1})
    people(road, 3)
    road.work()
    down = road.mautic.faults.down(path="/api/contacts$")
    advance(road, 11)
    assert in_question(road) == 3
    road.mautic.faults.remove(down)
    for _ in range(3):
        advance(road, 60)
    assert (road.states(), in_question(road), len(road.mautic.state.contacts)) == ({"delivered"}, 0, 3)


def test_notes_that_may_still_be_written_are_not_written_again(make_road: Callable[..., Road]) -> None:
    road = make_road(SetClock(NOON), orders__notes=True, orders__create_fields=True, sync__proof_every=0)
    road.mautic.faults.command({"kind": "lose_answer_early", "path": NOTES, "times": 1})
    road.mautic.faults.command({"kind": "delay_per_record", "value": 0.3, "path": NOTES})
    people(road, 5)
    road.work()
    advance(road, 11)
    assert road.mautic.background.wait(20)
    for _ in range(3):
        advance(road, 11)
    assert (road.states(), in_question(road)) == ({"delivered"}, 0)
    assert (len(road.mautic.state.notes), road.mautic.calls.count(NOTES)) == (5, 1)


def test_a_run_says_in_one_sentence_what_became_of_the_call(road: Road) -> None:
    for number in range(3):
        road.order(f"p{number}@example.com")
    road.mautic.faults.command({"kind": "lose_answer", "path": NEW, "times": 1})
    run = road.run("initial", only=["orders"])
    advance(road, 11)
    with road.services.db.read() as session:
        lines = [line.text for line in run_progress.lines(session, run.id, limit=500)]
        assert session.scalar(select(func.count()).select_from(UnansweredCall)) == 0
    [said] = [line for line in lines if "The answer to a call of 12:00:00 UTC was lost" in line]
    assert "3 of its people were found in Mautic and taken over, 0 were not and are sent." in said
