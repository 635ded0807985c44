"""Orders that the shop sends while somebody looks at the pages."""

from __future__ import annotations

from typing import Any

from integration.pipeline.ingest import records
from integration.store import parse
from tests.browser.conftest import Site


def order_arrives(site: Site, connector_id: int, email: str) -> dict[str, Any]:
    """Place an order in the shop and let its webhook come."""
    made = site.store.shop.place_order(status="completed", billing={"first_name": "Ada", "email": email})
    order: dict[str, Any] = site.store.shop.shown(made["id"])
    now = site.services.clock.now()
    with site.services.db.write() as session:
        change = parse.order_change(order, "webhook", now)  # type: ignore[arg-type]  # a StrEnum's value
        records.accept(session, now, connector_id, [change])
    site.services.wakeup.ring(connector_id)
    return order
