"""The cast of the operations' tests: one organisation with two connectors, and a stranger's organisation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime

import pytest

from integration.clock import SetClock
from integration.models import Connector
from integration.models import Database
from integration.models import Organisation

NOW = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)


@dataclass
class Desk:
    """The part of the ports that these tests need."""

    db: Database
    clock: SetClock


@pytest.fixture
def desk(db: Database) -> Iterator[Desk]:
    with db.write() as session:
        session.add(Organisation(name="Stranger", created_at=NOW))
        session.add(connector(1))
        session.add(connector(2))
    yield Desk(db, SetClock(NOW))


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
