"""The stand-in store as the shopper's side of it was recorded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from storefront_keys import Keys
from storefront_shop import build
from storefront_shopper import Shopper

from integration.clock import SetClock
from integration.sandbox.store import StoreServer

TITLE = "Bottega Yard & Figli"
RECORDED_AT = datetime(2026, 11, 27, 23, 24, 16, tzinfo=UTC)


def _shop(version: str) -> Iterator[StoreServer]:
    server = StoreServer(clock=SetClock(RECORDED_AT))
    server.state.version = version
    server.webhook_queue.latency = 0.0
    build(server.state)
    with server:
        yield server


@pytest.fixture
def shop() -> Iterator[StoreServer]:
    """Return a shop of WooCommerce 9.9.5."""
    yield from _shop("9.9.5")


@pytest.fixture
def shop_ten() -> Iterator[StoreServer]:
    """Return a shop of WooCommerce 10.5.0."""
    yield from _shop("10.5.0")


@pytest.fixture
def shopper(shop: StoreServer) -> Shopper:
    """Return a visitor of that shop."""
    return Shopper(shop)


@pytest.fixture
def keys(shop: StoreServer) -> Keys:
    """Return somebody with keys to that shop's API."""
    return Keys(shop)


@pytest.fixture
def titled(shop: StoreServer) -> StoreServer:
    """Return the shop of WooCommerce 9.9.5 with the recorded one's title."""
    shop.state.title = TITLE
    return shop


@pytest.fixture
def titled_ten(shop_ten: StoreServer) -> StoreServer:
    """Return the shop of WooCommerce 10.5.0 with the recorded one's title."""
    shop_ten.state.title = TITLE
    return shop_ten
