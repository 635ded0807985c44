"""The whole road on real sockets: a stand-in shop, the book, a stand-in Mautic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from integration.clock import SetClock
from integration.config import Deployment
from integration.engines.worker import Worker
from integration.models import Delivery, Organisation, Run, SyncLogEntry
from integration.pipeline.connectors import connectors, holds
from integration.pipeline.connectors.field_list import CREATE_FIELD
from integration.pipeline.ingest import records
from integration.pipeline.runs import lifecycle as run_lifecycle
from integration.pipeline.services import Services, open_services
from integration.sandbox.mautic import MauticServer
from integration.sandbox.mautic.contact import Contact
from integration.sandbox.store import StoreServer
from integration.store import parse
from tests.bench.world import whereabouts
from tests.conftest import NOON
from tests.schema import make_newest


@dataclass
class Road:
    """Both ends, what lies between, and the acts of a test."""

    services: Services
    connector_id: int
    store: StoreServer
    mautic: MauticServer

    def work(self) -> None:
        """Deliver and read what is due now."""
        worker = Worker(self.services)
        worker.until_idle()
        worker.stop()

    def run(self, kind: str = "initial", **options: Any) -> Run:
        """Do a run to its end and return it."""
        run_id = run_lifecycle.start(self.services, self.connector_id, kind, trigger="test", options=options)
        self.work()
        with self.services.db.read() as session:
            return session.get_one(Run, run_id)

    def arrive(self, *orders: dict[str, Any], origin: str = "webhook") -> None:
        """Accept orders of the shop as if a webhook had brought them."""
        now = self.services.clock.now()
        changes = [parse.order_change(order, origin, now) for order in orders]  # type: ignore[arg-type]  # a StrEnum's value
        with self.services.db.write() as session:
            records.accept(session, now, self.connector_id, changes)

    def order(self, email: str, status: str = "completed", **fields: Any) -> dict[str, Any]:
        """Place an order in the shop and return it as the API shows it."""
        billing = {"first_name": "Ada", "last_name": "Lovelace", "email": email, **fields.pop("billing", {})}
        made = self.store.shop.place_order(status=status, billing=billing, **fields)
        return self.store.shop.shown(made["id"])

    def deliveries(self) -> list[Delivery]:
        with self.services.db.read() as session:
            return list(session.scalars(select(Delivery).order_by(Delivery.id)))

    def states(self) -> set[str]:
        return {delivery.state for delivery in self.deliveries()}

    def log(self) -> list[SyncLogEntry]:
        """Return the entries of records; that fields were created for them is no record's own."""
        with self.services.db.read() as session:
            of_records = select(SyncLogEntry).where(SyncLogEntry.action != CREATE_FIELD)
            return list(session.scalars(of_records.order_by(SyncLogEntry.id)))

    def holds(self) -> list[str]:
        with self.services.db.read() as session:
            return [hold.code for hold in holds.open_holds(session, self.connector_id)]

    def contact(self, email: str) -> Contact:
        """Return the only contact in Mautic that has an address."""
        (found,) = [each for each in self.mautic.state.contacts.values() if each.values.get("email") == email]
        return found

    def writes(self) -> int:
        return sum(call.method != "GET" and "/token" not in call.path for call in self.mautic.calls)


@pytest.fixture
def store() -> Iterator[StoreServer]:
    with StoreServer() as server:
        yield server


@pytest.fixture
def mautic(request: pytest.FixtureRequest) -> Iterator[MauticServer]:
    with MauticServer(version=getattr(request, "param", "5.2.1")) as server:
        yield server


@pytest.fixture
def make_road(
    deployment: Deployment, database_url: str, store: StoreServer, mautic: MauticServer
) -> Iterator[Callable[..., Road]]:
    """Makes the road with module settings; `clock` None is the real one."""
    opened: list[Services] = []

    def make(clock: SetClock | None = None, **settings: Any) -> Road:
        make_newest(database_url)
        services = open_services(deployment.model_copy(update={"database_url": database_url}), clock=clock)
        opened.append(services)
        with services.db.write() as session:
            session.add(Organisation(name="Shop Ltd", created_at=NOON))
        connector_id = connectors.create(services, organisation_id=1, name="Shop", **whereabouts(store, mautic))
        connectors.configure(services, connector_id, {key.replace("__", "."): value for key, value in settings.items()})
        return Road(services, connector_id, store, mautic)

    yield make
    for services in opened:
        services.db.dispose()
