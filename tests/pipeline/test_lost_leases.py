"""Leases that are lost: nothing is written under them, and what a killed process may have sent is looked up first."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from integration.clock import SetClock
from integration.models import database
from integration.models.delivery import DeliveryState
from integration.models.unanswered import UnansweredCall, UnansweredPerson
from integration.pipeline import outbox
from integration.pipeline.delivery.groups import DeliveryGroup, Outcome
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.outbox import leasing
from integration.pipeline.services import Services
from tests.pipeline.conftest import MakeChange, accept, claim, killed, settle, states


def test_a_lost_lease_is_not_written(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    accept(services, connector_id, change(1))
    token = new_token()
    [group] = claim(services, connector_id, token=token)
    clock.advance(seconds=61)
    with services.db.write() as session:
        assert outbox.recover(session, clock.now()) == 1
    assert settle(services, connector_id, token, Outcome(group.deliveries[0].id, DeliveryState.DELIVERED)) == []
    assert states(services) == ["ready"]


def test_a_renewed_lease_is_kept(services: Services, connector_id: int, change: MakeChange, clock: SetClock) -> None:
    accept(services, connector_id, change(1), change(2))
    token = new_token()
    claim(services, connector_id, token=token)
    clock.advance(seconds=50)
    with services.db.write() as session:
        assert outbox.renew(session, clock.now(), token)
    clock.advance(seconds=50)
    with services.db.write() as session:
        assert outbox.recover(session, clock.now()) == 0


def test_what_another_process_took_back_meanwhile_is_left_to_it(
    services: Services, connector_id: int, change: MakeChange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that start at once see the same lost leases; on PostgreSQL one waits here until the other is done."""
    accept(services, connector_id, change(1))
    claim(services, connector_id, token=killed())
    lock = database.lock_connector

    def after_the_other(session: Session, number: int) -> None:
        monkeypatch.setattr(leasing, "lock_connector", lock)
        assert outbox.recover(session, services.clock.now()) == 1
        lock(session, number)

    monkeypatch.setattr(leasing, "lock_connector", after_the_other)
    with services.db.write() as session:
        assert outbox.recover(session, services.clock.now()) == 0
    with services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(UnansweredCall)) == 1


def test_a_killed_process_leaves_its_whole_line_for_a_look_at_mautic(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    """A call may have been out when it died, so that nothing is sent before Mautic was asked."""
    accept(services, connector_id, change(1), change(2))
    claim(services, connector_id, token=killed())
    with services.db.write() as session:
        assert outbox.recover(session, services.clock.now()) == 2
    accept(services, connector_id, change(3), change(4, "bob@example.com"))
    assert [group.deliveries[0].source_id for group in claim(services, connector_id)] == ["4"]
    assert asked(services, connector_id) == (None, [])
    clock.advance(seconds=11)
    assert claim(services, connector_id) == []
    call, groups = asked(services, connector_id)
    assert call is not None and (call.rows, call.looks, list(call.seen.values())) == (1, 0, [None])
    assert [len(group.deliveries) for group in groups] == [3]


def asked(services: Services, connector_id: int) -> tuple[outbox.LookedUpCall | None, list[DeliveryGroup]]:
    with services.db.write() as session:
        return outbox.claim_for_look_up(session, services.clock.now(), connector_id, new_token())


def test_only_one_looks_and_who_dies_in_a_look_is_looked_up_again(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    accept(services, connector_id, change(1))
    dead = killed()
    claim(services, connector_id, token=dead)
    for _ in range(2):
        with services.db.write() as session:
            assert outbox.recover(session, services.clock.now()) == 1
        clock.advance(seconds=11)
        with services.db.write() as session:
            call, groups = outbox.claim_for_look_up(session, services.clock.now(), connector_id, dead)
        assert call is not None and len(groups) == 1
        assert asked(services, connector_id) == (None, [])
    with services.db.read() as session:
        assert session.scalar(select(func.count()).select_from(UnansweredCall)) == 1


def test_a_call_of_whom_nothing_is_owed_any_more_is_forgotten(
    services: Services, connector_id: int, change: MakeChange, clock: SetClock
) -> None:
    accept(services, connector_id, change(1))
    [group] = claim(services, connector_id, token=killed())
    with services.db.write() as session:
        outbox.recover(session, services.clock.now())
        outbox.bury(session, services.clock.now(), connector_id, [group.deliveries[0].id], "not wanted")
        outbox.recover(session, services.clock.now())
        assert session.scalar(select(func.count()).select_from(UnansweredCall)) == 1
        clock.advance(seconds=11)
        outbox.recover(session, services.clock.now())
        assert session.scalar(select(func.count()).select_from(UnansweredPerson)) == 0
