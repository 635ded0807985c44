"""One process at a time works for a connector: who has leased something of it, until that ends or is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integration.clock import SetClock
from integration.models import Connector
from integration.models.run import Run, RunKind
from integration.pipeline.leases import turns
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services
from tests.pipeline.conftest import MakeChange, accept, claim, killed

ELSEWHERE = "abcdef.1.1."


@pytest.fixture
def connector_id(services: Services, connector_id: int, change: MakeChange) -> int:
    """A connector that owes something to five people."""
    changes = [change(number, f"buyer{number}@example.com") for number in range(1, 6)]
    accept(services, connector_id, *changes)
    return connector_id


def lease(services: Services, connector_id: int, token: str) -> None:
    assert claim(services, connector_id, people=1, token=token)


def turn(services: Services, connector_id: int) -> tuple[int, bool] | None:
    """Return the batches of the turn, and whether it is new."""
    with services.db.write() as session:
        taken = turns.take(session, services.clock.now(), connector_id)
        return None if taken is None else (taken.batches, taken.is_new)


def of_others(services: Services, *connector_ids: int) -> set[int]:
    with services.db.read() as session:
        return set(turns.of_others(session, services.clock.now(), connector_ids))


def test_the_own_batches_are_counted_and_hinder_nobody_here(services: Services, connector_id: int) -> None:
    assert turn(services, connector_id) == (0, False)
    for number in (1, 2, 3):
        lease(services, connector_id, new_token())
        assert turn(services, connector_id) == (number, False)
    assert of_others(services, connector_id) == set()


def test_a_batch_of_another_process_keeps_the_turn_until_its_lease_ends(
    services: Services, connector_id: int, clock: SetClock
) -> None:
    lease(services, connector_id, f"{ELSEWHERE}batch")
    assert turn(services, connector_id) is None
    assert of_others(services, connector_id, connector_id + 1) == {connector_id}
    clock.advance(seconds=61)
    assert turn(services, connector_id) == (0, False)


def test_a_run_of_another_process_keeps_the_turn_too(services: Services, connector_id: int, clock: SetClock) -> None:
    run_id = run_lifecycle.start(services, connector_id, RunKind.INITIAL, trigger="test")
    with services.db.write() as session:
        assert run_lifecycle.take(session, clock.now(), f"{ELSEWHERE}run") is not None
    assert turn(services, connector_id) is None
    with services.db.write() as session:
        session.get_one(Run, run_id).leased_until = clock.now() - timedelta(seconds=1)
    assert turn(services, connector_id) == (0, False)


def test_a_killed_process_of_this_machine_keeps_no_turn(services: Services, connector_id: int) -> None:
    lease(services, connector_id, killed())
    assert turn(services, connector_id) == (0, False)
    assert of_others(services, connector_id) == set()


def test_who_comes_after_another_process_is_told_so_once(services: Services, connector_id: int) -> None:
    with services.db.write() as session:
        session.get_one(Connector, connector_id).worked_by = ELSEWHERE
    assert turn(services, connector_id) == (0, True)
    assert turn(services, connector_id) == (0, False)
