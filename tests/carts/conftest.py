"""What the tests of carts stand on: a connector, a shop, and the dates that the store gives orders."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from integration.clock import SetClock
from integration.config import Deployment
from integration.models import Connector, Database
from integration.pipeline.connectors import connectors
from integration.pipeline.services import open_services
from integration.sandbox.store import StoreServer
from tests.carts.coupon_shop import Shop
from tests.conftest import NOON


@pytest.fixture
def session(db: Database) -> Iterator[Session]:
    """A session that writes, with a connector whose id is 1."""
    with db.write() as session:
        session.add(Connector(organisation_id=1, name="Shop", webhook_path="p", created_at=NOON, updated_at=NOON))
        session.flush()
        yield session


@pytest.fixture
def shop(db: Database, clock: SetClock, deployment: Deployment) -> Iterator[Shop]:
    services = open_services(deployment, database=db, clock=clock)
    with StoreServer() as store:
        key = store.credentials
        number = connectors.create(
            services, organisation_id=1, name="Shop", store_url=store.url, store_key=key.key, store_secret=key.secret
        )
        yield Shop(services, number, store)


def dates(minutes: float = 0) -> dict[str, str]:
    """The dates of an order that was begun at noon and changed so many minutes later."""
    begun, changed = (moment.replace(tzinfo=None).isoformat() for moment in (NOON, NOON + timedelta(minutes=minutes)))
    return {"date_created_gmt": begun, "date_modified_gmt": changed}
