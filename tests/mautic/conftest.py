from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.clock import SetClock
from integration.http.transport import Route
from integration.mautic.access import MauticAccess, MemoryTokens
from integration.mautic.client import MauticClient
from integration.mautic.contacts import ContactWriter
from integration.sandbox.mautic import MauticServer
from tests.mautic.script import NOON, Script


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()
    yield script
    script.stop()


@pytest.fixture
def clock() -> SetClock:
    return SetClock(NOON)


@pytest.fixture
def basic(script: Script, clock: SetClock) -> MauticClient:
    """A client that signs in with user and password."""
    return MauticClient(MauticAccess(script.url, "basic", "admin", "secret"), clock=clock, route=Route(read_timeout=2))


@pytest.fixture
def writer(basic: MauticClient) -> ContactWriter:
    """A batch writer that meets the script's answers."""
    return ContactWriter(basic)


@pytest.fixture
def tokens() -> MemoryTokens:
    return MemoryTokens()


@pytest.fixture
def oauth(script: Script, clock: SetClock, tokens: MemoryTokens) -> MauticClient:
    """A client that signs in with client credentials."""
    access = MauticAccess(script.url, "client_credentials", client_id="1_abc", client_secret="xyz")
    return MauticClient(access, tokens, clock, Route(read_timeout=2))


@pytest.fixture
def mautic() -> Iterator[MauticServer]:
    """A stand-in Mautic without contacts."""
    with MauticServer() as server:
        yield server


@pytest.fixture
def client(mautic: MauticServer, request: pytest.FixtureRequest) -> MauticClient:
    """A client of the stand-in's admin, patient on a busy machine, or for as many seconds as it is told."""
    access = MauticAccess(mautic.url, "basic", mautic.credentials.user, mautic.credentials.password)
    return MauticClient(access, route=Route(read_timeout=getattr(request, "param", 30)))
