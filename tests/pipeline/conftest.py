"""Fixtures of the pipeline's tests: services on each database, a connector, changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from integration.clock import SetClock
from integration.config import Deployment
from integration.events import Change, Kind, Origin
from integration.identity import person_key_of
from integration.models.database import Database
from integration.pipeline.connectors import connectors
from integration.pipeline.services import Services, open_services
from tests.conftest import NOON

MakeChange = Callable[..., Change]


@pytest.fixture
def services(db: Database, clock: SetClock, deployment: Deployment) -> Services:
    return open_services(deployment, database=db, clock=clock)


@pytest.fixture
def connector_id(services: Services) -> int:
    return connectors.create(services, organisation_id=1, name="Shop", mautic_url="http://mautic.test")


@pytest.fixture
def change() -> MakeChange:
    """Make a change of an order, or of a customer with kind=Kind.CONTACT."""

    def make(
        source: int,
        email: str = "ada@example.com",
        *,
        kind: Kind = Kind.ORDER,
        event: str = "completed",
        origin: Origin = Origin.WEBHOOK,
        modified: datetime = NOON,
        minutes: int = 0,
        **payload: Any,
    ) -> Change:
        at = modified + timedelta(minutes=minutes)
        record = {"id": source, "email": email, "billing": {"email": email}, "status": event, **payload}
        return Change(
            kind, str(source), event, person_key_of(email) if email else "", record, at, origin, at, str(source)
        )

    return make
