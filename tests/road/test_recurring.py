"""Status tags of the store's own subscriptions (P44): the newest status' tag stands, by webhook and by polling."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from integration.clock import SetClock
from integration.models import Connector
from integration.pipeline.connectors import store_profile, webhook_registration
from integration.pipeline.ingest import webhooks as intake
from integration.sandbox.store import demo_catalogue
from integration.sandbox.store.webhook_payload import sign
from integration.store.webhooks import SUBSCRIPTION_TOPICS
from tests.road.conftest import Road

pytestmark = pytest.mark.road
ADA = "ada@example.com"


@pytest.fixture
def clock() -> SetClock:
    return SetClock(datetime.now(UTC))


@pytest.fixture
def road(make_road: Callable[..., Road], clock: SetClock) -> Road:
    made = make_road(clock, orders__subscriptions=True, orders__product_tags=False)
    made.store.state.has_subscriptions = True
    demo_catalogue.stock(made.store.state)
    return made


def subscribe(road: Road, email: str = ADA, **more: Any) -> int:
    """Let somebody subscribe to the shop's first product with a SKU, whose tags begin with the SKU."""
    entry = next(each for each in road.store.state.products.values() if each["sku"] == SKU)
    lines = [{"product_id": entry["id"], "quantity": 1}]
    made = road.store.shop.subscribe(billing={"email": email}, line_items=lines, **more)
    return int(made["id"])


SKU = "SKU-002"


def tags(road: Road, email: str = ADA) -> set[str]:
    return set(road.mautic.state.tag_names(road.contact(email)))


def read(road: Road, clock: SetClock) -> None:
    clock.advance(minutes=20)
    assert road.run("incremental").state == "COMPLETED"


def bell(road: Road, topic: str, number: int, body: Any = None) -> None:
    """Ring as the store does; older versions of the plugin wrap the record."""
    raw = json.dumps(body if body is not None else {"subscription": {"id": number, "status": "nonsense"}}).encode()
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    secret = road.services.secrets(connector)["webhook_secret"]
    headers = {"X-WC-Webhook-Topic": topic, "X-WC-Webhook-Signature": sign(raw, secret)}
    assert intake.receive(road.services, connector.webhook_path, headers, raw) == 200
    road.work()


def test_a_subscription_is_tagged_by_its_status_and_the_former_tag_goes(road: Road, clock: SetClock) -> None:
    number = subscribe(road)
    read(road, clock)
    assert tags(road) == {"sku-002_active"}
    for status in ("on-hold", "pending-cancel", "cancelled", "expired"):
        road.store.shop.change_subscription(number, status)
        read(road, clock)
        assert tags(road) == {f"sku-002_{status}"}
    road.store.shop.change_subscription(number, "switched")
    read(road, clock)
    assert tags(road) == set()
    removed = [entry for entry in road.log() if entry.action == "remove_tag"]
    assert [entry.type for entry in removed] == ["recurring_order"] * 5
    assert removed[0].message == "Removed the tag “sku-002_active”."


def test_a_tag_stays_as_long_as_another_subscription_or_an_order_gives_it(road: Road, clock: SetClock) -> None:
    first, second = subscribe(road), subscribe(road)
    read(road, clock)
    road.store.shop.change_subscription(first, "on-hold")
    read(road, clock)
    assert tags(road) == {"sku-002_active", "sku-002_on-hold"}
    road.store.shop.change_subscription(second, "cancelled")
    read(road, clock)
    assert tags(road) == {"sku-002_on-hold", "sku-002_cancelled"}


def test_webhooks_are_bells_and_a_deleted_one_takes_its_tag(road: Road, clock: SetClock) -> None:
    number = subscribe(road)
    with road.services.db.read() as session:
        connector = session.get_one(Connector, road.connector_id)
    store_profile.refresh(road.services, connector)
    health = webhook_registration.register(road.services, road.connector_id)
    assert set(SUBSCRIPTION_TOPICS) <= {each.topic for each in health if each.state == "active"}
    bell(road, "subscription.updated", number)
    assert tags(road) == {"sku-002_active"}
    road.store.state.webhooks.clear()
    road.store.shop.delete_subscription(number)
    bell(road, "subscription.deleted", number, {"id": number})
    assert tags(road) == set()


def test_who_gets_a_subscription_gets_its_tag_and_who_had_it_loses_it(road: Road, clock: SetClock) -> None:
    number = subscribe(road)
    read(road, clock)
    row = road.store.state.subscriptions.rows[number]
    assert row.document is not None
    row.document["billing"]["email"] = "bob@example.com"
    road.store.shop.change_subscription(number, "active")
    read(road, clock)
    assert (tags(road), tags(road, "bob@example.com")) == (set(), {"sku-002_active"})


def test_a_renewal_is_an_order_and_counts_as_one(road: Road, clock: SetClock) -> None:
    subscribe(road)
    entry = next(each for each in road.store.state.products.values() if each["sku"] == SKU)
    lines, meta = [{"product_id": entry["id"], "quantity": 1}], [{"key": "_subscription_renewal", "value": "7"}]
    road.order(ADA, line_items=lines, created_via="subscription", meta_data=meta)
    assert road.run("initial").state == "COMPLETED"
    kinds = {delivery.kind for delivery in road.deliveries()}
    assert kinds == {"order", "recurring_order"}
    assert tags(road) == {"sku-002_active"}
    with road.services.db.read() as session:
        from integration.identity import person_key_of
        from integration.pipeline.ingest.buyers import People

        life = People(session, road.connector_id, [person_key_of(ADA)]).lifetime(
            person_key_of(ADA), ["completed"], "EUR"
        )
    assert life.order_count == 1


def test_a_store_without_subscriptions_is_asked_for_none(road: Road, clock: SetClock) -> None:
    road.store.state.has_subscriptions = False
    road.order(ADA)
    assert road.run("initial").state == "COMPLETED"
    read(road, clock)
    assert not [call for call in road.store.calls if "subscriptions" in call.path]
    with road.services.db.read() as session:
        assert store_profile.has_subscriptions(session.get_one(Connector, road.connector_id)) is False
