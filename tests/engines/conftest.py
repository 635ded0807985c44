"""Fixtures of the engines' tests: a connector to a real stand-in Mautic, changes that need no store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from integration.config import Deployment
from integration.events import Change
from integration.models import Organisation
from integration.models.delivery import Delivery
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest import records
from integration.pipeline.services import Services, open_services
from integration.sandbox.mautic import MauticServer
from tests.conftest import NOON
from tests.schema import make_newest


@pytest.fixture
def mautic() -> Iterator[MauticServer]:
    with MauticServer() as server:
        yield server


@pytest.fixture
def live(deployment: Deployment, database_url: str) -> Iterator[Services]:
    """Ports with the real clock on a database made by the migrations."""
    make_newest(database_url)
    services = open_services(deployment.model_copy(update={"database_url": database_url}))
    with services.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    yield services
    services.db.dispose()


def connect(services: Services, mautic: MauticServer) -> int:
    """Make a connector to the stand-in."""
    return connectors.create(
        services,
        organisation_id=1,
        name="Shop",
        mautic_url=mautic.url,
        mautic_method="client_credentials",
        mautic_client_id=mautic.credentials.client_id,
        mautic_client_secret=mautic.credentials.client_secret,
    )


def accept(services: Services, connector_id: int, changes: list[Change]) -> None:
    """Accept changes as a webhook does, with the engine's bell in the same transaction."""
    with services.db.write() as session:
        records.accept(session, services.clock.now(), connector_id, changes)
        services.on_accept(session, connector_id)
    services.wakeup.ring(connector_id)


def waiting(services: Services, *states: str) -> int:
    """Count the open deliveries, those in one of the states if any are given."""
    query = select(func.count()).where(Delivery.settled_at.is_(None))
    with services.db.read() as session:
        return session.scalar(query.where(Delivery.state.in_(states)) if states else query) or 0
