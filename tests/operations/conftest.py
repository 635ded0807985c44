"""The cast of the operations' tests: one organisation with two connectors, and a stranger's organisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from integration.clock import SetClock
from integration.models import Connector, Database, Organisation

NOW = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)


@dataclass
class Scene:
    """The part of the services that these tests need."""

    db: Database
    clock: SetClock


@pytest.fixture
def scene(db: Database) -> Iterator[Scene]:
    with db.write() as session:
        session.add(Organisation(name="Stranger", created_at=NOW))
        session.add(connector(1))
        session.add(connector(2))
    yield Scene(db, SetClock(NOW))


def connector(number: int, **values: object) -> Connector:
    return Connector(
        id=number,
        organisation_id=1,
        name=f"Shop {number}",
        webhook_path=f"path-{number}",
        created_at=NOW,
        updated_at=NOW,
        **values,
    )
