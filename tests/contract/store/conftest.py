"""The stand-in store under test: the recorded shop over https and over http, and empty shops for what changes them."""

from __future__ import annotations

import pickle
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

import pytest
import trustme
from store_client import Client
from store_receiver import Receiver
from store_shop import build, returning

from integration.clock import SetClock
from integration.sandbox.store import StoreServer

RECORDED_AT = datetime(2026, 11, 20, 19, 48, 40, tzinfo=UTC)
#: What each shop has for itself.
OWN = {"lock", "clock", "listeners", "home"}


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return a certificate authority of our own."""
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA) -> ssl.SSLContext:
    """Return the shop's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def trust(authority: trustme.CA) -> ssl.SSLContext:
    """Return what a client needs to believe the shop."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def _recorded(tls: ssl.SSLContext | None) -> StoreServer:
    server = StoreServer(tls=tls, clock=SetClock(RECORDED_AT))
    vars(server.state).update(pickle.loads(_filled()))
    return server


@cache
def _filled() -> bytes:
    """Return what the recorded shop's state holds: a copy is made in a tenth of the time of putting it together."""
    state = StoreServer(clock=SetClock(RECORDED_AT)).state
    state.version = "10.2.4"
    build(state)
    returning(state)
    return pickle.dumps({name: value for name, value in vars(state).items() if name not in OWN})


@pytest.fixture(scope="session")
def _secure_shop(certificate: ssl.SSLContext) -> Iterator[StoreServer]:
    with _recorded(certificate) as server:
        yield server


@pytest.fixture(scope="session")
def _plain_shop() -> Iterator[StoreServer]:
    with _recorded(None) as server:
        yield server


@pytest.fixture
def secure(_secure_shop: StoreServer, trust: ssl.SSLContext) -> Client:
    """Return a client of the recorded shop over https; what is read only."""
    return Client(_secure_shop, trust)


@pytest.fixture
def plain(_plain_shop: StoreServer) -> Client:
    """Return a client of the recorded shop over http; what is read only."""
    return Client(_plain_shop)


@pytest.fixture
def changing(certificate: ssl.SSLContext, trust: ssl.SSLContext) -> Iterator[Client]:
    """Return a client of a recorded shop of the test's own, over https."""
    with _recorded(certificate) as server:
        yield Client(server, trust)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return something that webhooks can be delivered to."""
    with Receiver() as made:
        yield made


@pytest.fixture
def hooked() -> Iterator[Client]:
    """Return a client of a recorded shop of the test's own over http, whose webhooks go out at once."""
    server = _recorded(None)
    server.webhook_queue.latency = 0.0
    with server:
        yield Client(server)
