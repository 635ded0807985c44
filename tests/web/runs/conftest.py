"""A run that a worker does, its page, and its end."""

from __future__ import annotations

import pytest

from integration.models import Run, RunState
from integration.pipeline.leases.tokens import new_token
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services


@pytest.fixture
def run_id(services: Services, connector_id: int) -> int:
    """A run that a worker does."""
    made = run_lifecycle.start(services, connector_id, "initial", trigger="me")
    with services.db.write() as session:
        run_lifecycle.take(session, services.clock.now(), new_token())
        run_lifecycle.add_line(session, services.clock.now(), made, "Read page 1 of 4.")
    return made


@pytest.fixture
def page(connector_id: int, run_id: int) -> str:
    return f"/connectors/{connector_id}/runs/{run_id}"


def end(services: Services, run_id: int, state: RunState) -> None:
    with services.db.write() as session:
        run_lifecycle.finish(session, services.clock.now(), session.get_one(Run, run_id), state)
