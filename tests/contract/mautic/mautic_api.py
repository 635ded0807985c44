"""Calls a stand-in Mautic with HTTP basic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import requests

from integration.sandbox.mautic import MauticServer

Api = Callable[..., requests.Response]


def api_of(server: MauticServer, user: str = "", password: str = "") -> Api:
    """Return a function that calls the server: api(method, path, json=…)."""
    session = requests.Session()
    session.auth = (user or server.credentials.user, password or server.credentials.password)

    def call(method: str, path: str, **options: Any) -> requests.Response:
        return session.request(method, f"{server.url}{path}", timeout=30, **options)

    return call
