"""A bare client that reads the very pages that a reconciliation has read: each list after the other, two at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from integration.http.transport import Answer, Transport
from integration.store.access import StoreAccess, signature
from tests.bench.speed import bearer

AT_ONCE = 2


@dataclass
class Pages:
    """The requests of a run that were GET, by what they read: service, address, fields and conditions."""

    lists: dict[tuple[str, ...], list[tuple[str, Mapping[str, Any]]]] = field(default_factory=dict)

    def note(self, service: str, url: str, params: Mapping[str, Any]) -> None:
        fields = str(params.get("_fields", ""))
        others = sorted(params.keys() & {"include", "minimal", "search", "where[0][col]"})
        self.lists.setdefault((service, url, fields, *others), []).append((url, params))


@contextmanager
def noted() -> Iterator[Pages]:
    """Note what is read meanwhile."""
    pages, send = Pages(), Transport.send

    def noting(self: Transport, method: str, url: str, **said: Any) -> Answer:
        if method == "GET":
            pages.note(self.service, url, said.get("params") or {})
        return send(self, method, url, **said)

    Transport.send = noting  # type: ignore[method-assign]
    try:
        yield pages
    finally:
        Transport.send = send  # type: ignore[method-assign]


def read(pages: Pages, at: Mapping[str, str]) -> None:
    """Read them all once more with nothing but an HTTP client and a JSON parser."""
    clients = {"store": requests.Session(), "mautic": requests.Session()}
    # Without TLS a store takes signed requests only.
    clients["store"].auth = signature(StoreAccess(at["store_url"], at["store_key"], at["store_secret"]))
    clients["mautic"].headers["Authorization"] = f"Bearer {bearer(at['mautic_url'])}"
    for client in clients.values():
        client.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=AT_ONCE))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for (service, *_), wanted in pages.lists.items():
            list(pool.map(lambda each, client=clients[service]: _page(client, *each), wanted))


def _page(client: requests.Session, url: str, params: Mapping[str, Any]) -> None:
    answer = client.get(url, params=params, timeout=60)
    answer.raise_for_status()
    json.loads(answer.content)
