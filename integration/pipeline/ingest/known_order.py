"""An order of the ledger, as plans look at it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, NamedTuple

from integration.pipeline.ingest import order_ledger
from integration.records import Order


class KnownOrder(NamedTuple):
    """A row of the order ledger as plans look at it; `lines` are its products as JSON, None for not known.

    A person may have very many: such a row is a third of a LedgerEntry in time and in bytes.
    """

    order_id: int
    person_key: str
    status: str
    net_total: str
    refunded: bool
    currency: str
    ordered_at: datetime | None
    local_date: str
    modified_at: datetime | None
    reached_at: datetime | None
    lines: str | None

    @classmethod
    def of(cls, order: Order) -> KnownOrder:
        """Return the row that an order would have."""
        values = order_ledger.row(0, order)
        lines = None if values["products"] is None else json.dumps(values["products"])
        return cls._make([values.get(name) for name in cls._fields[:-1]] + [lines])

    @property
    def products(self) -> list[Any] | None:
        """Return [name, sku, product id] of each line, None as long as the order was only read without its lines."""
        return None if self.lines is None else json.loads(self.lines)
