"""Faults of the connection: work waits with its reason, is not lost, and goes on by itself."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from integration.cli import syncing
from integration.clock import SetClock
from integration.errors import IntegrationError
from integration.pipeline.connectors import connectors
from integration.pipeline.delivery.retries import DELAYS
from integration.pipeline.runs import lifecycle as run_lifecycle
from tests.conftest import NOON
from tests.road.conftest import Road


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    return make_road(SetClock(NOON))


def advance(road: Road, **parts: float) -> None:
    assert isinstance(road.services.clock, SetClock)
    road.services.clock.advance(**parts)


def emails(road: Road) -> set[str]:
    return {str(contact.values.get("email")) for contact in road.mautic.state.contacts.values()}


def test_mautic_down_for_an_hour_loses_nothing(road: Road) -> None:
    road.mautic.faults.command({"kind": "down"})
    for number in range(12):
        road.arrive(road.order(f"p{number}@example.com"))
        road.work()
        advance(road, minutes=5)
    assert road.states() <= {"waiting", "ready"}
    assert {(delivery.attempts, delivery.faults) for delivery in road.deliveries()} == {(1, 0), (0, 0)}
    assert road.holds() in (["cut"], ["refused"], ["unreachable"])
    road.mautic.faults.clear()
    advance(road, minutes=6)
    road.work()
    assert road.holds() == []
    assert road.states() == {"delivered"}
    assert {f"p{number}@example.com" for number in range(12)} <= emails(road)


def test_retry_after_is_obeyed(road: Road) -> None:
    road.arrive(road.order("ada@example.com"))
    road.mautic.faults.command({"kind": "status", "value": 429, "retry_after": 120})
    road.work()
    assert len(road.holds()) == 1
    road.mautic.calls.reset()
    advance(road, seconds=100)
    road.work()
    assert road.mautic.calls.total == 0
    road.mautic.faults.clear()
    advance(road, seconds=30)
    road.work()
    assert "ada@example.com" in emails(road)


def test_a_wrong_password_holds_and_mending_it_releases(road: Road) -> None:
    right = road.mautic.credentials.client_secret
    connectors.connect(road.services, road.connector_id, mautic_client_secret="wrong")
    road.arrive(road.order("ada@example.com"))
    road.work()
    assert road.holds() == ["invalid_client"]
    assert road.states() == {"ready"}
    connectors.connect(road.services, road.connector_id, mautic_client_secret=right)
    road.work()
    assert (road.holds(), road.states()) == ([], {"delivered"})


@pytest.mark.parametrize("mautic", ["5.2.1", "7.0.0"], indirect=True)
def test_a_hold_leaves_one_error_entry_per_affected_record(road: Road) -> None:
    right = road.mautic.credentials.client_secret
    connectors.connect(road.services, road.connector_id, mautic_client_secret="wrong")
    road.arrive(*(road.order(f"p{number}@example.com") for number in range(3)))
    road.work()
    late = road.order("late@example.com")
    road.arrive(late)
    assert road.log()[-1].object_id == late["number"]
    for _ in range(10):
        advance(road, minutes=6)
        road.work()
    errors = [entry for entry in road.log() if (entry.type, entry.status) == ("order", "error")]
    assert len(errors) == len({entry.delivery_id for entry in errors}) == 4
    for entry in errors:
        assert entry.message.startswith("Not sent: ") and "It is sent by itself" in entry.message
    connectors.connect(road.services, road.connector_id, mautic_client_secret=right)
    road.work()
    assert road.states() == {"delivered"}
    assert [entry.status for entry in road.log()[4:]] == ["success"] * 4


def test_a_mautic_that_only_asks_to_wait_leaves_no_error(road: Road) -> None:
    road.arrive(road.order("ada@example.com"))
    road.mautic.faults.command({"kind": "status", "value": 429, "retry_after": 120})
    road.work()
    road.arrive(road.order("bob@example.com"))
    assert len(road.holds()) == 1
    assert road.log() == []


def test_history_that_waits_is_told_of_by_its_run(road: Road) -> None:
    connectors.connect(road.services, road.connector_id, mautic_client_secret="wrong")
    road.arrive(road.order("live@example.com"))
    road.work()
    road.arrive(road.order("old@example.com"), origin="full")
    assert len(road.log()) == 1


def test_a_server_that_fails_for_everybody_holds_after_three_people(road: Road) -> None:
    for number in range(5):
        road.arrive(road.order(f"p{number}@example.com"))
    road.mautic.faults.command({"kind": "status", "value": 500, "path": "/api/contacts"})
    road.work()
    assert len(road.holds()) == 1
    assert road.states() <= {"ready", "waiting"}
    road.mautic.faults.clear()
    advance(road, minutes=10)
    road.work()
    assert road.states() == {"delivered"}


def test_one_poisonous_person_disturbs_nobody_and_ends_as_a_dead_letter(road: Road) -> None:
    for name in ("a", "b", "poison", "c"):
        road.arrive(road.order(f"{name}@example.com"))
    _poison(road, "poison@example.com")
    road.work()
    assert {"a@example.com", "b@example.com", "c@example.com"} <= emails(road)
    for delay in DELAYS:
        advance(road, seconds=delay * 1.3)
        road.work()
    [dead] = [delivery for delivery in road.deliveries() if delivery.state == "dead"]
    assert dead.attempts == len(DELAYS) + 1
    entries = [entry for entry in road.log() if entry.delivery_id == dead.id]
    assert [entry.status for entry in entries] == ["error"] * (len(DELAYS) + 1)
    assert "It is tried again in" in entries[0].message
    assert road.holds() == []


def _poison(road: Road, email: str) -> None:
    """Let the stand-in fail for every request that names this person."""
    inner = road.mautic.app.wsgi_app

    def guarded(environ, start_response):  # type: ignore[no-untyped-def]  # WSGI
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(body)
        if email.encode() in body:
            start_response("500 Internal Server Error", [("Content-Type", "application/json")])
            return [
                b'{"errors":[{"code":500,"message":"Looks like I encountered an error (error #500).","type":null}]}'
            ]
        return inner(environ, start_response)

    road.mautic.app.wsgi_app = guarded  # type: ignore[method-assign]


def test_the_store_down_in_the_middle_of_an_import_waits_and_goes_on(make_road: Callable[..., Road]) -> None:
    road = make_road()
    for number in range(230):
        road.order(f"p{number}@example.com")
    road.store.faults.command({"kind": "down", "path": "/wp-json/wc/v3/orders", "times": 6})
    run = road.run("initial", only=["orders"])
    assert (run.state, run.failed) == ("COMPLETED", 0)
    assert run.pushed == 230
    assert road.holds() == []


def test_a_store_key_that_is_refused_ends_the_run_with_a_reason(road: Road) -> None:
    connectors.connect(road.services, road.connector_id, store_secret="cs_wrong")
    run = road.run("initial")
    assert run.state == "FAILED"
    assert run.error.count(".") >= 2
    assert road.holds()


def test_waiting_for_a_held_connection_ends_and_the_work_stays(
    make_road: Callable[..., Road], monkeypatch: pytest.MonkeyPatch
) -> None:
    road = make_road()
    road.order("ada@example.com")
    road.mautic.faults.command({"kind": "down"})
    run_id = run_lifecycle.start(road.services, road.connector_id, "full", trigger="test")
    with monkeypatch.context() as impatient, pytest.raises(IntegrationError) as caught:
        impatient.setattr(syncing, "RUN_WAIT_S", 0.5)
        syncing.wait_for_end(road.services, run_id)
    assert caught.value.code == "held"
    road.mautic.faults.clear()
    connectors.connect(road.services, road.connector_id)
    assert syncing.wait_for_end(road.services, run_id)["state"] == "COMPLETED"
    assert "ada@example.com" in emails(road)
