"""Webhooks: registered once, verified on the raw bytes, read for what they are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from integration.errors import Rejected
from integration.events import Change, Kind
from integration.sandbox.store import StoreServer
from integration.store import webhooks
from integration.store.client import StoreClient
from integration.store.webhooks import Ignored, Ping

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
URL = "http://127.0.0.1:9/hooks/path"


def headers(topic: str) -> dict[str, str]:
    return {"X-WC-Webhook-Topic": topic, "X-WC-Webhook-Signature": "x"}


def test_registering_twice_keeps_one_webhook_a_topic(shop: StoreServer, client: StoreClient) -> None:
    first = webhooks.register(client, URL, "a" * 64)
    assert webhooks.register(client, URL, "b" * 64) == first
    assert set(first) == set(webhooks.TOPICS)
    assert {health.state for health in webhooks.status(client, URL)} == {"active"}


def test_a_surplus_webhook_is_removed_and_a_disabled_one_made_active(shop: StoreServer, client: StoreClient) -> None:
    ids = webhooks.register(client, URL, "a" * 64)
    client.post("webhooks", {"topic": "order.updated", "delivery_url": URL, "secret": "x"})
    client.put(f"webhooks/{ids['order.created']}", {"status": "disabled"})
    assert "disabled" in {health.state for health in webhooks.status(client, URL)}
    webhooks.register(client, URL, "a" * 64)
    rows, _ = client.get("webhooks", {"per_page": 100})
    assert len(rows) == len(webhooks.TOPICS)
    assert {health.state for health in webhooks.status(client, URL)} == {"active"}


def test_removing_leaves_foreign_webhooks_alone(shop: StoreServer, client: StoreClient) -> None:
    webhooks.register(client, URL, "a" * 64)
    client.post("webhooks", {"topic": "order.updated", "delivery_url": "http://127.0.0.1:9/theirs", "secret": "x"})
    assert webhooks.remove(client, URL) == len(webhooks.TOPICS)
    assert {health.state for health in webhooks.status(client, URL)} == {webhooks.MISSING}
    rows, _ = client.get("webhooks")
    assert len(rows) == 1


@given(st.binary(max_size=200), st.text(max_size=40), st.binary(min_size=1, max_size=5))
def test_only_the_very_bytes_fit_the_signature(body: bytes, secret: str, more: bytes) -> None:
    key = secret.encode("utf-8", "surrogatepass") if not secret.isascii() else secret.encode()
    try:
        key = secret.encode()
    except UnicodeEncodeError:
        return
    signature = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
    assert webhooks.verify(body, signature, secret)
    assert not webhooks.verify(body + more, signature, secret)
    assert not webhooks.verify(body, "", secret)
    assert not webhooks.verify(body, signature[:-2] + "ü", secret)


@pytest.mark.parametrize(
    ("given_headers", "body", "ping"),
    [
        ({}, b"webhook_id=12", True),
        ({"X-WC-Webhook-Topic": "order.updated"}, b"webhook_id=12", False),
        ({}, b"webhook_id=12&x=1", False),
        ({}, b"webhook_id=x", False),
        ({}, b"", False),
        ({}, b"webhook_id=" + b"1" * 100, False),
    ],
)
def test_a_ping_is_told_from_anything_else(given_headers: dict[str, str], body: bytes, ping: bool) -> None:
    assert webhooks.is_ping(given_headers, body) is ping
    if ping:
        assert webhooks.read_delivery(given_headers, body, NOW) == Ping(12)


def test_an_order_is_a_change_of_its_status() -> None:
    body = json.dumps(
        {
            "id": 7,
            "number": "A-7",
            "status": "completed",
            "billing": {"email": "Ada@Example.com"},
            "date_modified_gmt": "2026-11-20T10:00:00",
        }
    ).encode()
    change = webhooks.read_delivery(headers("order.updated"), body, NOW)
    assert isinstance(change, Change)
    assert (change.kind, change.source_id, change.event, change.number) == (Kind.ORDER, "7", "completed", "A-7")
    assert change.modified_at == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_a_deleted_record_names_only_its_id() -> None:
    change = webhooks.read_delivery(headers("order.deleted"), b'{"id":7}', NOW)
    assert isinstance(change, Change)
    assert (change.event, change.person_key) == ("deleted", "")


def test_a_byte_order_mark_does_no_harm() -> None:
    assert isinstance(webhooks.read_delivery(headers("customer.deleted"), b'\xef\xbb\xbf{"id":7}', NOW), Change)


def test_a_signed_error_body_is_ignored_with_its_reason() -> None:
    body = b'{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}'
    found = webhooks.read_delivery(headers("order.updated"), body, NOW)
    assert isinstance(found, Ignored)
    assert "Invalid ID." in found.reason


def test_other_topics_are_ignored() -> None:
    assert isinstance(webhooks.read_delivery(headers("product.updated"), b'{"id":7}', NOW), Ignored)


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"7", b"{", b"{}", b'{"id":0}', b'{"id":true}', b'{"id":"x"}', b"\xff\xfe"]
)
def test_what_no_store_sends_is_refused(body: bytes) -> None:
    for topic in ("order.updated", "order.deleted", "customer.created"):
        with pytest.raises(Rejected) as caught:
            webhooks.read_delivery(headers(topic), body, NOW)
        assert caught.value.code == "bad_payload"
