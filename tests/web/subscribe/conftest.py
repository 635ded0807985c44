"""The subscribe form of a shop, filled in and sent as a browser and as the script do it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from integration.clock import SetClock
from integration.models import Connector, Subscription
from integration.pipeline.connectors import connectors as pairs
from integration.pipeline.services import Services
from tests.web.conftest import BROWSER, SHOP, Person

ANNA = {"email": "anna@shop.example", "first_name": "Anna", "last_name": "Maier", "consent": "1"}
THANKS = "Thank you. You are subscribed."


@pytest.fixture
def path(services: Services, connector_id: int, connector: Callable[[], Connector]) -> str:
    pairs.connect(services, connector_id, store_url=SHOP)
    pairs.configure(services, connector_id, {"subscribe.enabled": True, "subscribe.names": True})
    return f"/subscribe/{connector().cart_key}"


@pytest.fixture
def optin(services: Services, connector_id: int, path: str) -> str:
    pairs.configure(services, connector_id, {"subscribe.double_opt_in": True, "subscribe.email": 3})
    return path


def stamp_of(page: TestResponse) -> str:
    found = re.search(r'name="stamp" value="([^"]+)"', page.text)
    assert found is not None
    return html.unescape(found[1])


def post(visitor: Person, path: str, clock: SetClock, wait: int = 10, **values: Any) -> TestResponse:
    """Fill in and send the form of the page as a browser does."""
    stamp = stamp_of(visitor.client.get(path, headers=BROWSER))
    clock.advance(seconds=wait)
    data = {**ANNA, "stamp": stamp, **values}
    return visitor.client.post(path, data=data, headers={**BROWSER, "Origin": "http://localhost"})


def send(visitor: Person, path: str, body: Any, origin: str | None = SHOP, **headers: str) -> TestResponse:
    return visitor.beacon(f"{path}/send", body, origin, **headers)


def body(visitor: Person, path: str, clock: SetClock, wait: int = 10, **values: Any) -> dict[str, Any]:
    answer = visitor.client.get(f"{path}/stamp", headers={"Origin": SHOP, **BROWSER})
    assert answer.json is not None
    clock.advance(seconds=wait)
    return {**ANNA, "consent": True, "stamp": answer.json["stamp"], "page": f"{SHOP}/news?x=1", **values}


def kept(services: Services) -> list[Subscription]:
    with services.db.read() as session:
        return list(session.scalars(select(Subscription).order_by(Subscription.id)))
