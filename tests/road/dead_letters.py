"""Dead letters in numbers."""

from __future__ import annotations

from sqlalchemy import insert

from integration.events import Kind
from integration.models import Delivery
from tests.road.conftest import Road


def many(road: Road, number: int) -> None:
    """Write many dead letters in bulk, each a customer that the store does not have."""
    now = road.services.clock.now()
    row = {
        "connector_id": road.connector_id,
        "kind": Kind.CONTACT,
        "event": "updated",
        "origin": "full",
        "state": "dead",
        "due_at": now,
        "payload_at": now,
        "created_at": now,
        "settled_at": now,
        "died_at": now,
        "category": "transient",
        "error_code": "http_500",
    }
    rows = [
        {**row, "source_id": str(n), "identity": f"c:{n}", "person_key": f"s{n}"} for n in range(10**6, 10**6 + number)
    ]
    with road.services.db.write() as session:
        session.execute(insert(Delivery), rows)
