"""Fixtures of the pipeline's tests: ports on each database, a connector, changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from datetime import timedelta
from typing import Any

import pytest

from integration.clock import SetClock
from integration.config import Deployment
from integration.events import Change
from integration.events import Kind
from integration.events import Origin
from integration.events import subject_of
from integration.models.database import Database
from integration.pipeline import connectors
from integration.pipeline.ports import Ports
from integration.pipeline.ports import open_ports
from tests.conftest import NOON

MakeChange = Callable[..., Change]


@pytest.fixture
def ports(db: Database, clock: SetClock, deployment: Deployment) -> Ports:
    return open_ports(deployment, database=db, clock=clock)


@pytest.fixture
def connector_id(ports: Ports) -> int:
    return connectors.create(ports, organisation_id=1, name="Shop", mautic_url="http://mautic.test")


@pytest.fixture
def change() -> MakeChange:
    """Make a change of an order, or of a customer with kind=Kind.CONTACT."""

    def make(
        source: int,
        email: str = "ada@example.com",
        *,
        kind: Kind = Kind.ORDER,
        what: str = "completed",
        origin: Origin = Origin.WEBHOOK,
        modified: datetime = NOON,
        minutes: int = 0,
        **payload: Any,
    ) -> Change:
        at = modified + timedelta(minutes=minutes)
        record = {"id": source, "email": email, "billing": {"email": email}, "status": what, **payload}
        return Change(kind, str(source), what, subject_of(email) if email else "", record, at, origin, at, str(source))

    return make
