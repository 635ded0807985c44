"""The guided set-up of a store and a Mautic that answer, and what its page says."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from integration.models import Connector
from integration.pipeline.services import Services
from integration.sandbox.mautic import MauticServer
from integration.sandbox.store import StoreServer
from tests.web.conftest import Person

NOBODY = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def store() -> Iterator[StoreServer]:
    with StoreServer() as server:
        yield server


@pytest.fixture(scope="module")
def mautic() -> Iterator[MauticServer]:
    with MauticServer() as server:
        yield server


@pytest.fixture
def urls(store: StoreServer, mautic: MauticServer) -> dict[str, str]:
    return {"store": store.url, "mautic": mautic.url, "nobody": NOBODY}


@pytest.fixture
def number(admin: Person, urls: dict[str, str]) -> int:
    """A connector that has its two addresses, made on the page."""
    answer = admin.post("/setup", {"store_url": urls["store"], "mautic_url": urls["mautic"]})
    assert answer.location == "/connectors/1/setup#store"
    return 1


def key_of(store: StoreServer) -> dict[str, str]:
    return {"store_key": store.credentials.key, "store_secret": store.credentials.secret}


def client_of(mautic: MauticServer) -> dict[str, str]:
    known = mautic.credentials
    return {
        "mautic_method": "client_credentials",
        "mautic_client_id": known.client_id,
        "mautic_client_secret": known.client_secret,
    }


def states(page: str) -> list[str]:
    """The state of each stage, as its badge says it."""
    return re.findall(r'<h2 class="step-title".*?badge-\w+">(\w+)<', page, re.DOTALL)


def errors(page: str) -> dict[str, str]:
    return dict(re.findall(r'<p class="row-error" id="(\w+)-error">(.*?)</p>', page))


def all_connectors(services: Services) -> list[Connector]:
    with services.db.read() as session:
        return list(session.scalars(select(Connector)))
