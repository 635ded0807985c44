"""People whose lifetime values Mautic has: orders of a price, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from integration.mapping.fields import needs
from integration.mautic.fields import Fields
from integration.models import Connector
from tests.road.conftest import Road

MODIFIED = "date_modified_gmt"


def with_fields(make_road: Callable[..., Road], **settings: Any) -> Road:
    """A road with the lifetime fields in Mautic."""
    road = make_road(**settings)
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    Fields(road.services.open_mautic(connector)).create_all(needs(road.services.modules(connector)))
    return road


def values(road: Road, email: str) -> dict[str, Any]:
    found = road.mautic.state.contact(email)
    assert found is not None
    return dict(found.values)


def spent(road: Road, email: str) -> Decimal:
    return Decimal(str(values(road, email).get("mautic_woo_total_spent") or 0))


def priced(road: Road, email: str, total: str, **fields: Any) -> dict[str, Any]:
    return road.order(email, line_items=[{"name": "Mug", "quantity": 1, "total": total}], **fields)
