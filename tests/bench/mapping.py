"""What mapping one order costs, with the fixed rows alone and with a person's own rows."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from integration.events import Kind, Origin
from integration.mapping import orders
from integration.mapping.follow_ups import Sighting
from integration.settings import MappingModule, Modules
from integration.settings.mapping import rows_of
from integration.store import parse
from integration.streams import asked
from tests.bench.world import report

RECORDS = 2000
ROWS_MAX_US = 600
SEEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
RAW: dict[str, Any] = {
    "id": 7,
    "status": "completed",
    "currency": "EUR",
    "total": "20.00",
    "billing": {"email": "ada@example.com", "first_name": "Ada", "city": "Roma", "country": "IT"},
    "shipping": {"city": "Torino"},
    "line_items": [{"name": f"Product {n}", "sku": f"S{n}", "quantity": 1, "price": 5} for n in range(5)],
    "meta_data": [{"key": f"_key_{n}", "value": {"a": n, "b": ["x", "y"]}} for n in range(30)],
}
ROWS = [
    {"alias": "a", "source": "meta_data._key_1.a", "format": "number"},
    {"alias": "b", "source": "meta_data._key_2.b", "format": "list", "argument": "|"},
    {"alias": "c", "source": "shipping.city", "format": "upper"},
    {"alias": "d", "source": "made.items_text"},
    {"alias": "e", "source": "meta_data._none", "default": "none"},
    {"alias": "f", "source": "line_items.sku", "format": "list"},
    {"alias": "g", "source": "billing.country", "format": "map", "argument": "IT => Italian\n* => other"},
    {"alias": "h", "source": "customer_note", "condition": "is_set", "condition_path": "meta_data._key_3"},
    {"alias": "i", "source": "made.item_count", "format": "number"},
    {"alias": "j", "source": "meta_data._key_4", "format": "json"},
]


def measure() -> None:
    """Read, keep, parse and plan an order 2,000 times, without and with ten own rows."""
    own = Modules(mapping=MappingModule(rows=rows_of([{"kind": "order", **row} for row in ROWS])))
    bare, mapped = _cost_us(Modules()), _cost_us(own)
    report("mapping an order by the fixed rows", bare, "us", "", True, records=RECORDS)
    added = mapped - bare
    report("ten own mapping rows", added, "us", f"<= {ROWS_MAX_US}", added <= ROWS_MAX_US, records=RECORDS)


def _cost_us(modules: Modules) -> float:
    looked_at = asked.by(modules)[Kind.ORDER]
    began = time.process_time()
    for _ in range(RECORDS):
        change = parse.order_change(looked_at.kept(RAW), Origin.POLL, SEEN)
        record = parse.order(change.payload)
        orders.plan(record, modules, lifetime=None, latest=True, known=True, seen=Sighting(None, True))
    return (time.process_time() - began) / RECORDS * 1_000_000
