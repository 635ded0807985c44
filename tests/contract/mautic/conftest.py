"""A stand-in Mautic for each test, and a session that calls it as the administrator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mautic_api import Api, api_of

from integration.sandbox.mautic import MauticServer


@pytest.fixture
def server() -> Iterator[MauticServer]:
    """Run an empty Mautic 5.2.1."""
    with MauticServer() as running:
        yield running


@pytest.fixture
def api(server: MauticServer) -> Api:
    """Call the server as the administrator."""
    return api_of(server)
