"""Fixtures of the store's tests: the stand-in shop on a socket, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.sandbox.store import StoreServer
from integration.store.access import StoreAccess
from integration.store.client import StoreClient


@pytest.fixture
def shop() -> Iterator[StoreServer]:
    with StoreServer() as server:
        yield server


@pytest.fixture
def access(shop: StoreServer) -> StoreAccess:
    return StoreAccess(shop.url, shop.credentials.key, shop.credentials.secret)


@pytest.fixture
def client(access: StoreAccess) -> StoreClient:
    return StoreClient(access)
