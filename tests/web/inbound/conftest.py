"""A program with a token that sends to the inbound API and follows what it has sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from integration.operations.identity import tokens
from integration.pipeline.services import Services

Send = Callable[..., Any]


@pytest.fixture
def headers(services: Services) -> dict[str, str]:
    made = tokens.make(services, 1, "Till", ["write"], "admin@example.com")
    return {"Authorization": f"Bearer {made.secret}"}


@pytest.fixture
def send(client: FlaskClient, headers: dict[str, str], connector_id: int) -> Send:
    """Sends contacts, orders or carts to the connector, under a key or none."""

    def call(name: str, body: Any, key: str = "") -> Any:
        under = {"Idempotency-Key": key} if key else {}
        return client.post(f"/api/v1/connectors/{connector_id}/{name}", json=body, headers=headers | under)

    return call


@pytest.fixture
def follow(client: FlaskClient, headers: dict[str, str], services: Services) -> Callable[[str], Any]:
    """Asks the address of an item where it stands."""
    return lambda url: client.get(url.removeprefix(services.base_url), headers=headers)
