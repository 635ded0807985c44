"""Fixtures of the pipeline's tests: services on each database, a connector, changes, and the acts of the outbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.config import Deployment
from integration.events import Change, Kind, Origin
from integration.identity import person_key_of
from integration.models.database import Database
from integration.models.delivery import Delivery
from integration.pipeline import outbox
from integration.pipeline.connectors import connectors
from integration.pipeline.delivery.groups import DeliveryGroup, Outcome
from integration.pipeline.leases.tokens import new_token
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


def accept(services: Services, connector_id: int, *changes: object, run_id: int | None = None) -> outbox.Accepted:
    with services.db.write() as session:
        return outbox.accept(session, services.clock.now(), connector_id, list(changes), run_id)  # type: ignore[arg-type]


def claim(services: Services, connector_id: int, people: int = 50, token: str | None = None) -> list[DeliveryGroup]:
    with services.db.write() as session:
        return outbox.claim(session, services.clock.now(), connector_id, people, token or new_token())


def settle(services: Services, connector_id: int, token: str, *outcomes: Outcome) -> list[Outcome]:
    with services.db.write() as session:
        return outbox.settle(session, services.clock.now(), connector_id, token, list(outcomes))


def states(services: Services) -> list[str]:
    with services.db.read() as session:
        return list(session.scalars(select(Delivery.state).order_by(Delivery.id)))


def killed() -> str:
    """Return a token of a process of this machine that is no more."""
    return f"{new_token().split('.')[0]}.4194304.1.dead"
