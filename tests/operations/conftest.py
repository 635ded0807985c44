"""The cast of the operations' tests: one organisation with two connectors, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest

from integration.clock import SetClock
from integration.models import Base
from integration.models import Connector
from integration.models import Database
from integration.models import Organisation
from integration.models import open_database

NOW = datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "")


@dataclass
class Desk:
    """The part of the ports that these tests need."""

    db: Database
    clock: SetClock


def _url(kind: str, folder: Path) -> str:
    return POSTGRES if kind == "postgresql" else f"sqlite:///{folder / 'test.sqlite'}"


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRES else [])])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    db = open_database(_url(request.param, tmp_path))
    Base.metadata.drop_all(db.engine)
    Base.metadata.create_all(db.engine)
    with db.write() as session:
        session.add(Organisation(id=1, name="Owner", created_at=NOW))
        session.add(Organisation(id=2, name="Stranger", created_at=NOW))
        session.flush()
        session.add(connector(1))
        session.add(connector(2))
    yield Desk(db, SetClock(NOW))
    Base.metadata.drop_all(db.engine)
    db.dispose()


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
