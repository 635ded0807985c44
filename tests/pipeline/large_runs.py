"""A run that has people with several records waiting, and what clicks and its process do with it."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from integration.events import Origin
from integration.models import Delivery, Run, database
from integration.models.run import RunKind, RunState
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.outbox import cancelled_runs
from integration.pipeline.runs import cancelling, giving_up, lifecycle, resumption
from integration.pipeline.services import Services
from tests.pipeline.conftest import MakeChange, accept

PEOPLE, ORDERS = 5, 3


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_up, "PART", 2)
    monkeypatch.setattr(cancelled_runs, "_PEOPLE_AT_ONCE", 1)
    monkeypatch.setattr(database, "PART_PAUSE_S", 0.0)


@pytest.fixture
def run_id(services: Services, connector_id: int, change: MakeChange) -> int:
    """A run that a process works on, with three orders of each of five people waiting, one person after the other."""
    run_id = lifecycle.start(services, connector_id, RunKind.FULL, trigger="test")
    with services.db.write() as session:
        assert lifecycle.take(session, services.clock.now(), new_token()) is not None
    theirs = [(10 * order + person, f"p{person}@example.com") for order in range(ORDERS) for person in range(PEOPLE)]
    accept(services, connector_id, *(change(*each, origin=Origin.FULL) for each in theirs), run_id=run_id)
    with services.db.write() as session:
        # As if more of all of them were to come.
        session.execute(update(Delivery).values(state="waiting"))
    return run_id


def read(services: Services, run_id: int) -> Run:
    with services.db.read() as session:
        return session.get_one(Run, run_id)


def ask(services: Services, run_id: int) -> None:
    assert cancelling.cancel(services, run_id)


def end(services: Services, run_id: int) -> Run:
    """Do what the process of the run does when it meets that it was cancelled."""
    giving_up.by_parts(services.db, services.clock, run_id)
    with services.db.write() as session:
        run = session.get_one(Run, run_id)
        lifecycle.finish(session, services.clock.now(), run, RunState.CANCELLED)
    return read(services, run_id)


def go_on(services: Services, run_id: int) -> None:
    assert resumption.resume(services, run_id) == run_id
    with services.db.write() as session:
        assert lifecycle.take(session, services.clock.now(), new_token()) is not None


def owe_again(services: Services, run_id: int, parts: int = 100) -> None:
    """Do so many parts of what the process of a run that goes on begins with."""
    while parts and giving_up.GIVEN_UP in read(services, run_id).cursor:
        with services.db.write() as session:
            giving_up.take_back(session, services.clock.now(), session.get_one(Run, run_id))
        parts -= 1


def rest(services: Services, run_id: int) -> None:
    with services.db.write() as session:
        lifecycle.rest(session, services.clock.now(), session.get_one(Run, run_id))


def give_back(services: Services, run_id: int) -> None:
    with services.db.write() as session:
        run = session.get_one(Run, run_id)
        assert lifecycle.give_back(session, run, run.lease_token or "")
