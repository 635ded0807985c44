"""Fixtures of the engines' tests: a connector to a real stand-in Mautic, changes that need no store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from integration.config import Deployment
from integration.events import Change
from integration.models import Organisation
from integration.models.migrate import upgrade
from integration.pipeline import connectors
from integration.pipeline import intake_rows
from integration.pipeline.ports import Ports
from integration.pipeline.ports import open_ports
from integration.sandbox.mautic import MauticServer
from tests.conftest import NOON


@pytest.fixture
def mautic() -> Iterator[MauticServer]:
    with MauticServer() as server:
        yield server


@pytest.fixture
def live(deployment: Deployment, database_url: str) -> Iterator[Ports]:
    """Ports with the real clock on a database made by the migrations."""
    upgrade(database_url)
    ports = open_ports(replace(deployment, database_url=database_url))
    with ports.db.write() as session:
        session.add(Organisation(name="Shop Ltd", created_at=NOON))
    yield ports
    ports.db.dispose()


def connect(ports: Ports, mautic: MauticServer) -> int:
    """Make a connector to the stand-in."""
    return connectors.create(
        ports,
        organisation_id=1,
        name="Shop",
        mautic_url=mautic.url,
        mautic_method="client_credentials",
        mautic_client_id=mautic.credentials.client_id,
        mautic_client_secret=mautic.credentials.client_secret,
    )


def accept(ports: Ports, connector_id: int, changes: list[Change]) -> None:
    """Accept changes as a webhook does, with the engine's bell in the same transaction."""
    with ports.db.write() as session:
        intake_rows.accept(session, ports.clock.now(), connector_id, changes)
        ports.on_accept(session, connector_id)
    ports.bell.ring(connector_id)
