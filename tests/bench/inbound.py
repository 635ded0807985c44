"""Items that programs send, against the production server in a process of its own: one a request, and lists of 500."""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from typing import Any

from sqlalchemy import func, select

from integration.inbound.bodies import ORDER_EXAMPLE
from integration.inbound.intake import ITEMS_MAX
from integration.models.delivery import Delivery
from integration.operations.identity import tokens
from tests.bench.served import Served, served
from tests.bench.world import report

#: A token may call so often in a minute that this stays below it.
SINGLE, LISTS = 400, 20


def measure() -> None:
    """Send 400 orders one by one and 10,000 in lists; the engine is off, the inserts are durable."""
    with tempfile.TemporaryDirectory() as folder, served(folder, store_url="https://shop.example") as server:
        token = tokens.make(server.services, 1, "Bench", ["write"], "bench").secret
        single = _seconds(server, token, [_order(number) for number in range(SINGLE)])
        lists = [[_order(SINGLE + part * ITEMS_MAX + n) for n in range(ITEMS_MAX)] for part in range(LISTS)]
        listed = _seconds(server, token, lists)
        with server.services.db.read() as session:
            kept = session.scalar(select(func.count()).select_from(Delivery)) or 0
    wanted = SINGLE + LISTS * ITEMS_MAX
    report("orders sent one by one", SINGLE / single, "per second", "stated", True)
    report("orders sent in lists of 500", LISTS * ITEMS_MAX / listed, "per second", "stated", True)
    report("orders lost of those answered", wanted - kept, "orders", "0", kept == wanted)


def _order(number: int) -> dict[str, Any]:
    return ORDER_EXAMPLE | {"id": number, "billing": {"email": f"buyer{number}@example.com"}}


def _seconds(server: Served, token: str, bodies: list[Any]) -> float:
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    texts = [json.dumps(body) for body in bodies]
    began = time.perf_counter()
    for text in texts:
        line.request("POST", f"/api/v1/connectors/{server.connector_id}/orders", text, headers)
        answer = line.getresponse()
        answer.read()
        assert answer.status == 202, answer.status
    return time.perf_counter() - began
