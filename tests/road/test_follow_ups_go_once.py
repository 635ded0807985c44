"""A note or an e-mail goes once for an order and a status, whatever happens on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integration.clock import SetClock
from integration.events import Origin
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors
from integration.sandbox.mautic.seed import seed as seed_mautic
from tests.road.conftest import Road

EMAIL = 1
SENDING = r"/api/emails/\d+/contact"


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    settings = {"orders__notes": True, "orders__create_fields": True, "orders__emails": {"completed": EMAIL}}
    road = make_road(SetClock(datetime.now(UTC)), **settings)
    seed_mautic(road.mautic.state)
    road.mautic.state.notes.clear()
    return road


def edited(order: dict[str, Any], seconds: int) -> dict[str, Any]:
    """Return the order as it is after an edit that left its status alone."""
    at = datetime.fromisoformat(order["date_modified_gmt"]) + timedelta(seconds=seconds)
    return {**order, "date_modified_gmt": at.isoformat()}


def notes(road: Road) -> list[str]:
    return [str(note["text"]) for note in road.mautic.state.notes.values()]


def test_an_order_edited_while_it_waits_gets_one_note_and_one_e_mail(road: Road) -> None:
    order = road.order("ada@example.com")
    road.arrive(order, edited(order, 5), edited(order, 9), road.order("bob@example.com"))
    road.work()
    assert road.states() == {"delivered"}
    assert [f"[order {order['id']} completed]" in text for text in notes(road)].count(True) == 1
    assert (len(notes(road)), len(road.mautic.state.sent)) == (2, 2)


@pytest.mark.parametrize("status", [401, 403, 429])
def test_an_e_mail_that_was_refused_is_not_taken_for_another_one_to_the_same_person(road: Road, status: int) -> None:
    road.mautic.faults.command({"kind": "status", "value": status, "path": SENDING, "times": 1})
    orders = [road.order("ada@example.com") for _ in range(2)]
    road.arrive(*orders)
    road.work()
    assert len(road.mautic.state.sent) == 1
    clock = road.services.clock
    assert isinstance(clock, SetClock)
    for _ in range(4):
        clock.advance(seconds=400)
        road.work()
    told = sorted(each["tokens"]["{order_number}"] for each in road.mautic.state.sent)
    assert told == sorted(str(order["number"]) for order in orders)


def test_a_live_order_that_history_brings_too_still_sends_its_e_mail(road: Road) -> None:
    order = road.order("ada@example.com")
    road.arrive(order)
    road.arrive(edited(order, 5), origin=Origin.INITIAL)
    road.work()
    assert road.states() == {"delivered"}
    assert (len(notes(road)), len(road.mautic.state.sent)) == (1, 1)


def test_an_e_mail_that_cannot_be_sent_fails_for_every_edit_of_its_order(road: Road) -> None:
    order = road.order("ada@example.com")
    road.mautic.faults.command({"kind": "status", "value": 500, "path": SENDING, "times": 1})
    road.arrive(order, edited(order, 5))
    road.work()
    assert road.states() <= {"ready", "waiting"}
    road.services.clock.advance(seconds=15)  # type: ignore[attr-defined]  # a SetClock
    road.work()
    assert "delivered" in road.states() and road.states() <= {"delivered", "skipped"}
    assert (len(notes(road)), len(road.mautic.state.sent)) == (1, 1)


@pytest.mark.parametrize("path", ["/api/notes", SENDING])
def test_a_lost_answer_is_looked_up_and_nothing_goes_twice(road: Road, path: str) -> None:
    road.mautic.faults.command({"kind": "lose_answer", "path": path, "times": 1})
    road.arrive(road.order("ada@example.com"))
    road.work()
    connectors.connect(road.services, road.connector_id)
    road.services.clock.advance(minutes=1)  # type: ignore[attr-defined]  # a SetClock
    road.work()
    assert (road.states(), road.holds()) == ({"delivered"}, [])
    assert (len(notes(road)), len(road.mautic.state.sent)) == (1, 1)


def test_a_lost_e_mail_that_cannot_be_looked_up_waits_for_a_person(road: Road) -> None:
    road.mautic.faults.command({"kind": "lose_answer", "path": SENDING, "times": 1})
    road.arrive(road.order("ada@example.com"))
    road.work()
    for path in ("/api/stats", r"/api/contacts/\d+/activity"):
        road.mautic.faults.command({"kind": "status", "value": 500, "path": path})
    connectors.connect(road.services, road.connector_id)
    road.services.clock.advance(minutes=1)  # type: ignore[attr-defined]  # a SetClock
    road.work()
    [dead] = road.deliveries()
    assert (dead.state, dead.error_code) == ("dead", "uncertain")
    assert "may have been sent already" in road.log()[-1].message
    assert len(road.mautic.state.sent) == 1


def test_a_dead_letter_that_is_sent_again_sends_no_e_mail(road: Road) -> None:
    road.arrive(road.order("ada@example.com"))
    rule = road.mautic.faults.status(400, path="/api/contacts/batch", body='{"errors":[{"code":400,"message":"No."}]}')
    lone = road.mautic.faults.status(400, path=r"/api/contacts/\d+/edit|/api/contacts/new", body=rule.body)
    road.work()
    [dead] = road.deliveries()
    assert dead.state == "dead"
    road.mautic.faults.remove(rule)
    road.mautic.faults.remove(lone)
    with road.services.db.write() as session:
        assert outbox.requeue(session, road.services.clock.now(), road.connector_id, [dead.id]).queued == 1
    road.work()
    assert road.states() == {"delivered"}
    assert (len(notes(road)), road.mautic.state.sent) == (1, [])


def mail_calls(road: Road) -> list[str]:
    """What was asked of Mautic about single contacts and e-mails."""
    wanted = re.compile(r"(GET /api/contacts/\d+|POST /api/emails/\d+/contact/\d+/send|GET /api/emails/\d+)$")
    calls = (f"{call.method} {call.path.partition('?')[0]}" for call in road.mautic.calls)
    return [call for call in calls if wanted.match(call)]


@pytest.mark.parametrize("known", [False, True])
def test_an_e_mail_is_one_call(road: Road, known: bool) -> None:
    if known:
        road.arrive(*(road.order(f"p{number}@example.com", "processing") for number in range(3)))
        road.work()
    road.mautic.calls.reset()
    road.arrive(*(road.order(f"p{number}@example.com") for number in range(3)))
    road.work()
    assert len(road.mautic.state.sent) == 3
    assert sorted(call.split()[0] for call in mail_calls(road)) == ["GET", "POST", "POST", "POST"]


def test_who_refused_mail_gets_none_by_the_answer_of_the_write(road: Road) -> None:
    road.arrive(road.order("ada@example.com", "processing"))
    road.work()
    contact = road.mautic.state.contact("ada@example.com")
    assert contact is not None
    contact.dnc.append({"id": 1, "channel": "email", "reason": 1, "comments": "", "channelId": None})
    road.arrive(road.order("ada@example.com"))
    road.work()
    assert not road.mautic.state.sent
    assert any("do not contact" in entry.message for entry in road.log())
    assert not [call for call in mail_calls(road) if "/contacts/" in call]
