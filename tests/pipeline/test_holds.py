"""Holds: one a service, probed by one caller, not flapping."""

from __future__ import annotations

from integration.clock import SetClock
from integration.errors import AuthRejected, Unreachable
from integration.pipeline.connectors import holds
from integration.pipeline.services import Services

DOWN = Unreachable("mautic", "refused", "Mautic refused the connection.", "Check it.")


def hold(services: Services, connector_id: int, error: AuthRejected | Unreachable = DOWN) -> None:
    with services.db.write() as session:
        holds.hold(session, services.clock.now(), connector_id, error)


def test_a_hold_keeps_its_since_and_takes_the_newest_reason(
    services: Services, connector_id: int, clock: SetClock
) -> None:
    began = clock.now()
    hold(services, connector_id)
    clock.advance(minutes=5)
    hold(services, connector_id, AuthRejected("mautic", "wrong_credentials", "The password is wrong."))
    with services.db.read() as session:
        [found] = holds.open_holds(session, connector_id)
    assert (found.since, found.code, found.probes) == (began, "wrong_credentials", 1)


def test_one_caller_alone_probes_when_the_time_has_come(services: Services, connector_id: int, clock: SetClock) -> None:
    hold(services, connector_id)
    with services.db.read() as session:
        found = holds.current(session, connector_id, "mautic")
    assert found is not None
    with services.db.write() as session:
        assert not holds.take_probe(session, clock.now(), found)
    clock.advance(seconds=6)
    with services.db.write() as session:
        assert holds.take_probe(session, clock.now(), found)
    with services.db.write() as session:
        assert not holds.take_probe(session, clock.now(), found)


def test_mending_lets_the_next_look_happen_at_once(services: Services, connector_id: int, clock: SetClock) -> None:
    hold(services, connector_id)
    with services.db.write() as session:
        holds.probe_now(session, clock.now(), connector_id)
    with services.db.read() as session:
        [found] = holds.open_holds(session, connector_id)
    assert found.probe_at == clock.now()


def test_a_hold_that_comes_back_for_the_same_reason_is_the_same_one(
    services: Services, connector_id: int, clock: SetClock
) -> None:
    hold(services, connector_id)
    with services.db.write() as session:
        assert holds.release(session, clock.now(), connector_id, "mautic")
    clock.advance(minutes=1)
    hold(services, connector_id)
    with services.db.read() as session:
        [found] = holds.open_holds(session, connector_id)
    assert (found.id, found.probes) == (1, 1)


def test_both_services_are_held_apart(services: Services, connector_id: int) -> None:
    hold(services, connector_id)
    hold(services, connector_id, Unreachable("store", "dns", "The store could not be found."))
    with services.db.write() as session:
        holds.release(session, services.clock.now(), connector_id, "store")
    with services.db.read() as session:
        assert [found.service for found in holds.open_holds(session, connector_id)] == ["mautic"]
