"""A cart with a link in a shop of a version, and where a click on that leads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from integration.clock import SetClock
from integration.models import Cart, Connector
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from integration.sandbox.store import StoreServer
from integration.sandbox.store.demo_shop import seed
from tests import cart_rows
from tests.web.conftest import BROWSER, SHOP, Person

UTM = {"utm_source": ["mautic"], "utm_medium": ["email"], "utm_campaign": ["cart-1"]}
ITEM = {"id": 13, "qty": 2.0, "variation": []}
FREE = {"id": 51, "qty": 1.0, "variation": [["Colore", "blu"]]}
Make = Callable[..., str]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with other work may take longer for a call than a shopper waits."""
    monkeypatch.setattr("integration.carts.destinations.STORE_WITHIN_S", 60.0)


@pytest.fixture
def make(services: Services, connector_id: int, clock: SetClock) -> Make:
    """Adds a cart to a shop of a version and returns the path of its link."""

    def made(version: str = "9.9.5", url: str = SHOP, settings: dict[str, Any] | None = None, **values: Any) -> str:
        pairs.connect(services, connector_id, store_url=url)
        pairs.configure(services, connector_id, {"carts.enabled": True, **(settings or {})})
        given = {"key": "k" * 24, "sequence": 3, "source": "order", "items": [ITEM]} | values
        with services.db.write() as session:
            connector = session.get_one(Connector, connector_id)
            connector.store_facts = {"version": version}
            return cart_rows.link(services, cart_rows.keep(session, connector_id, clock.now(), **given))

    return made


def click(visitor: Person, path: str, method: str = "GET", **headers: str) -> TestResponse:
    return visitor.client.open(path, method=method, headers={**BROWSER, **headers})


def led(answer: TestResponse) -> tuple[str, dict[str, list[str]], str]:
    """Where an answer leads: address, arguments, fragment."""
    assert answer.status_code == 302
    parts = urlsplit(answer.headers["Location"])
    return f"{parts.scheme}://{parts.netloc}{parts.path}", parse_qs(parts.query), parts.fragment


def cart(services: Services) -> Cart:
    with services.db.read() as session:
        return session.scalars(select(Cart)).one()


@pytest.fixture
def store() -> Iterator[StoreServer]:
    with StoreServer() as server:
        server.state.version = "10.5.0"
        seed(server.state, customers=1, orders=0)
        yield server


def simple(store: StoreServer) -> int:
    return next(n for n, p in store.state.products.items() if p["type"] == "simple" and p["stock_status"] == "instock")
