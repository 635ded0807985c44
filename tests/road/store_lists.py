"""Lists of the store: where they are, and how what they give is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.road.conftest import Road

ORDERS = "/wp-json/wc/v3/orders$"


def answer_with(road: Road, end: str, choose: Callable[[list[Any]], list[Any]]) -> None:
    """Let the lists whose path ends so be changed on their way."""
    inner = road.store.app.wsgi_app

    def served(environ, start_response):  # type: ignore[no-untyped-def]  # WSGI
        kept: list[Any] = []
        body = b"".join(inner(environ, lambda *args: kept.extend(args)))
        if environ["PATH_INFO"].endswith(end) and kept[0].startswith("200"):
            body = json.dumps(choose(json.loads(body))).encode()
        headers = [pair for pair in kept[1] if pair[0] != "Content-Length"]
        start_response(kept[0], [*headers, ("Content-Length", str(len(body)))])
        return [body]

    road.store.app.wsgi_app = served  # type: ignore[method-assign]
