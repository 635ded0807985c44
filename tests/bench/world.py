"""What the measurements stand on: both stand-ins, a database file, a connected connector."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from integration import heap
from integration.config import Deployment
from integration.engines.worker import Worker
from integration.events import Change, Origin
from integration.models import Organisation
from integration.models.connector import Connector
from integration.models.migrate import upgrade
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest import records
from integration.pipeline.services import Services, open_services
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from integration.store import parse

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class World:
    """Both ends and the connector between them."""

    services: Services
    connector_id: int
    store: StoreServer
    mautic: MauticServer

    def connector(self) -> Connector:
        """Return the connector as it is stored now."""
        with self.services.db.read() as session:
            return session.get_one(Connector, self.connector_id)

    def work(self) -> None:
        """Deliver everything that is due."""
        worker = Worker(self.services)
        worker.until_idle()
        worker.stop()

    def accept(self, changes: Sequence[Change]) -> None:
        """Accept changes as the intake does, in pages of 100."""
        for start in range(0, len(changes), 100):
            with self.services.db.write() as session:
                page = list(changes[start : start + 100])
                records.accept(session, self.services.clock.now(), self.connector_id, page)


@contextmanager
def world(**settings: Any) -> Iterator[World]:
    """Give a world with fresh servers and an empty SQLite database; settings are dotted keys of the modules."""
    with tempfile.TemporaryDirectory() as folder, StoreServer() as store, MauticServer() as mautic:
        deployment = Deployment(
            instance_path=Path(folder),
            secret_key="b" * 32,
            database_url=f"sqlite:///{folder}/bench.sqlite",
            private_hosts=("*",),
        )
        upgrade(deployment.database_url)
        services = open_services(deployment)
        with services.db.write() as session:
            session.add(Organisation(name="Bench", created_at=NOW))
        connector_id = connectors.create(services, organisation_id=1, name="Bench", **whereabouts(store, mautic))
        connectors.configure(services, connector_id, settings)
        # As the programs do that work for long.
        heap.pass_by_what_is_made()
        yield World(services, connector_id, store, mautic)
        services.db.dispose()


def whereabouts(store: StoreServer, mautic: MauticServer) -> dict[str, str]:
    """Return the connection settings of both stand-ins."""
    return {
        "store_url": store.url,
        "store_key": store.credentials.key,
        "store_secret": store.credentials.secret,
        "mautic_url": mautic.url,
        "mautic_method": "client_credentials",
        "mautic_client_id": mautic.credentials.client_id,
        "mautic_client_secret": mautic.credentials.client_secret,
    }


def order(number: int, email: str) -> dict[str, Any]:
    """Return a completed order as the store would send it."""
    billing = {"first_name": f"Name{number}", "last_name": "Buyer", "email": email, "city": "Milano", "country": "IT"}
    item = {
        "name": "Mug",
        "product_id": 12,
        "sku": f"SKU-{number % 40:03}",
        "quantity": 2,
        "price": 9.5,
        "total": "19.00",
    }
    return {
        "id": number,
        "number": str(number),
        "status": "completed",
        "currency": "EUR",
        "total": "19.00",
        "discount_total": "0.00",
        "billing": billing,
        "line_items": [item],
        "refunds": [],
        "coupon_lines": [],
        "payment_method_title": "Card",
        "date_created": "2026-11-01T10:00:00",
        "date_created_gmt": "2026-11-01T09:00:00",
        "date_modified_gmt": "2026-11-01T09:00:00",
    }


def order_changes(count: int, first: int = 1) -> list[Change]:
    """Return completed orders of different people."""
    numbers = range(first, first + count)
    return [parse.order_change(order(n, f"buyer{n}@example.com"), Origin.INITIAL, NOW) for n in numbers]


def contact_changes(count: int, first: int = 1) -> list[Change]:
    """Return new customers."""
    rows = [
        {
            "id": n,
            "email": f"customer{n}@example.com",
            "first_name": f"Name{n}",
            "last_name": "Customer",
            "role": "customer",
            "billing": {"city": "Milano", "country": "IT", "phone": f"+39 02 {n}"},
            "date_modified_gmt": "2026-11-01T09:00:00",
        }
        for n in range(first, first + count)
    ]
    return [parse.customer_change(row, Origin.INITIAL, NOW, created=False) for row in rows]


def report(name: str, value: float, unit: str, goal: str, ok: bool, **more: Any) -> None:
    """Print one measurement."""
    line = {"name": name, "value": round(value, 3), "unit": unit, "goal": goal, "ok": ok, **more}
    print(json.dumps(line), flush=True)


def signed(body: bytes, secret: str) -> dict[str, str]:
    """Return the headers of a store's webhook of an order that was updated, with the signature of its body."""
    signature = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
    return {
        "Content-Type": "application/json",
        "X-WC-Webhook-Topic": "order.updated",
        "X-WC-Webhook-Resource": "order",
        "X-WC-Webhook-Event": "updated",
        "X-WC-Webhook-Signature": signature,
    }
