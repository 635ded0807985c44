"""A machine with a token of the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from integration.operations.identity import tokens
from integration.pipeline.services import Services

Ask = Callable[..., Any]


@pytest.fixture
def bearer(services: Services) -> Callable[..., dict[str, str]]:
    """Makes the header of a token of an organisation with some scopes."""

    names = (f"Robot {number}" if number else "Robot" for number in range(99))

    def make(*scopes: str, organisation: int = 1) -> dict[str, str]:
        made = tokens.make(services, organisation, next(names), scopes or list(tokens.SCOPES), "admin@example.com")
        return {"Authorization": f"Bearer {made.secret}"}

    return make
