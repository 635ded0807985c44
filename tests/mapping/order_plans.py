"""The plan that is made of an order, and the settings it is made with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from integration.mapping import orders
from integration.mapping.follow_ups import Sighting
from integration.plans import Plan, Skip
from integration.records import Order
from integration.settings import Modules, OrderModule
from tests.mapping import samples


def modules(**changes: Any) -> Modules:
    return Modules(orders=OrderModule().model_copy(update=changes))


REACHED = datetime(2026, 3, 7, 10, 0, tzinfo=UTC)
LIVE = Sighting(REACHED)


def plan(order: Order, settings: Modules | None = None, **changes: Any) -> Plan | Skip:
    options: dict[str, Any] = {"lifetime": samples.lifetime(), "latest": True, "known": False, "seen": LIVE}
    return orders.plan(order, settings or Modules(), **{**options, **changes})


def planned(order: Order, settings: Modules | None = None, **changes: Any) -> Plan:
    made = plan(order, settings, **changes)
    assert isinstance(made, Plan)
    return made
