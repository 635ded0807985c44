"""Somebody who subscribes by the form, and the link that confirms it."""

from __future__ import annotations

from integration.models import Connector
from integration.subscriptions.filled import Filled
from integration.subscriptions.intake import Sender, take
from tests.road.conftest import Road

EMAIL = "anna@shop.example"
LINK = "https://our.example/subscribe/confirm/{token}"


def subscribe(road: Road, email: str = EMAIL, **names: str) -> bool:
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    module = road.services.modules(connector).subscribe
    filled = Filled.model_validate({"email": email, "consent": True, **names})
    return take(road.services, connector, module, filled, Sender("page", "Yes.", "192.0.2.7", LINK))
