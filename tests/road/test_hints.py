"""What a webhook only hints at is asked of the store: a thin body, a deletion, a body sent again as something else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from integration.clock import SetClock
from integration.mapping.fields import needs
from integration.mautic.fields import Fields
from integration.models import Connector, LedgerEntry
from integration.pipeline.connectors import connectors
from integration.pipeline.ingest.webhooks import receive
from tests.conftest import NOON
from tests.road.conftest import Road

SECRET = "s" * 32
MODIFIED = "date_modified_gmt"


@pytest.fixture
def road(make_road: Callable[..., Road]) -> Road:
    road = make_road(SetClock(NOON))
    connectors.connect(road.services, road.connector_id, webhook_secret=SECRET)
    connector = connector_of(road)
    Fields(road.services.open_mautic(connector)).create_all(needs(road.services.modules(connector)))
    return road


def connector_of(road: Road) -> Connector:
    with road.services.db.read() as session:
        return session.get_one(Connector, road.connector_id)


def send(road: Road, topic: str, body: Any) -> None:
    """Deliver a signed webhook, and what it leads to."""
    raw = json.dumps(body).encode()
    digest = base64.b64encode(hmac.new(SECRET.encode(), raw, hashlib.sha256).digest()).decode()
    headers = {"X-WC-Webhook-Topic": topic, "X-WC-Webhook-Signature": digest}
    assert receive(road.services, connector_of(road).webhook_path, headers, raw) == 200
    road.work()


def placed(road: Road) -> dict[str, Any]:
    return road.order("ada@example.com", line_items=[{"name": "Mug", "quantity": 1, "total": "30.00"}])


def later(road: Road, **span: float) -> None:
    clock = road.services.clock
    assert isinstance(clock, SetClock)
    clock.advance(**span)


def spent(road: Road, email: str) -> Decimal:
    found = road.mautic.state.contact(email)
    assert found is not None
    return Decimal(str(found.values.get("mautic_woo_total_spent") or 0))


def status(road: Road, number: int) -> str:
    with road.services.db.read() as session:
        return session.get_one(LedgerEntry, (road.connector_id, number)).status


def ends(road: Road) -> list[tuple[str, str, str]]:
    return [(row.event, row.state, row.error_code) for row in road.deliveries()]


@pytest.mark.parametrize("given", [str, float, int])
def test_an_order_whose_webhook_has_only_its_id_reaches_mautic(road: Road, given: Callable[[int], object]) -> None:
    order = placed(road)
    send(road, "order.updated", {"id": given(order["id"])})
    assert ends(road) == [("updated", "skipped", "asked"), ("completed", "delivered", "")]
    assert spent(road, "ada@example.com") == Decimal(order["total"])


def test_a_customer_whose_webhook_has_only_its_id_reaches_mautic(road: Road) -> None:
    number = road.store.shop.register_customer(email="ada@example.com")["id"]
    send(road, "customer.created", {"id": str(number)})
    assert ends(road) == [("updated", "skipped", "asked"), ("updated", "delivered", "")]
    assert road.mautic.state.contact("ada@example.com") is not None


def test_an_id_that_the_store_does_not_have_is_skipped(road: Road) -> None:
    send(road, "order.updated", {"id": 424242})
    send(road, "customer.updated", {"id": 424242})
    assert ends(road) == [("updated", "skipped", "gone")] * 2


@pytest.mark.parametrize("topic", ["order.deleted", "order.restored", "customer.deleted"])
def test_a_body_sent_again_under_another_topic_changes_nothing(road: Road, topic: str) -> None:
    order = placed(road)
    send(road, "order.updated", order)
    before = spent(road, "ada@example.com")
    later(road, minutes=1)
    send(road, topic, order)
    assert (status(road, order["id"]), spent(road, "ada@example.com")) == ("completed", before)
    road.run("full")
    assert spent(road, "ada@example.com") == before > 0


def test_a_deletion_of_an_order_that_is_there_is_none(road: Road) -> None:
    order = placed(road)
    send(road, "order.updated", order)
    send(road, "order.deleted", {"id": order["id"]})
    assert ("deleted", "skipped", "still_there") in ends(road)
    assert spent(road, "ada@example.com") == Decimal(order["total"])


def test_a_deletion_counts_once_the_store_has_said_so(road: Road) -> None:
    one, two = placed(road), placed(road)
    for order in (one, two):
        send(road, "order.updated", order)
    road.store.shop.delete_force(two["id"])
    road.store.faults.status(500, path="/wp-json/wc/v3/orders/")
    send(road, "order.deleted", {"id": two["id"]})
    [waiting] = [row for row in road.deliveries() if row.event == "deleted"]
    assert (waiting.state in ("ready", "waiting"), waiting.error_code != "") == (True, True)
    assert status(road, two["id"]) == "completed"
    calls = len(road.store.calls)
    road.work()
    assert len(road.store.calls) == calls
    road.store.faults.clear()
    later(road, minutes=10)
    road.work()
    assert (status(road, two["id"]), spent(road, "ada@example.com")) == ("trash", Decimal(one["total"]))


def test_a_body_from_before_the_deletion_gives_nothing_back_and_the_store_does(road: Road) -> None:
    order = placed(road)
    send(road, "order.updated", order)
    road.store.shop.trash(order["id"])
    later(road, minutes=1)
    send(road, "order.deleted", {"id": order["id"]})
    assert (status(road, order["id"]), spent(road, "ada@example.com")) == ("trash", 0)
    for topic in ("order.restored", "order.updated"):
        send(road, topic, order)
        assert (status(road, order["id"]), spent(road, "ada@example.com")) == ("trash", 0)
    road.store.shop.restore(order["id"])
    later(road, minutes=1)
    road.run("full")
    assert (status(road, order["id"]), spent(road, "ada@example.com")) == ("completed", Decimal(order["total"]))
