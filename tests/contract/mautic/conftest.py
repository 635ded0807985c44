"""A stand-in Mautic for each test, and a session that calls it as the administrator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mautic_api import Api, api_of

from integration.sandbox.mautic import MauticServer

VERSIONS = ("5.2.1", "7.0.0")


@pytest.fixture(params=VERSIONS)
def server(request: pytest.FixtureRequest) -> Iterator[MauticServer]:
    """Run an empty Mautic of either version."""
    with MauticServer(version=request.param) as running:
        yield running


@pytest.fixture
def api(server: MauticServer) -> Api:
    """Call the server as the administrator."""
    return api_of(server)
