"""Webhooks: registered once, verified on the raw bytes, read for what they are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from integration.events import Change, Kind
from integration.sandbox.store import StoreServer
from integration.store import webhooks
from integration.store.client import StoreClient
from integration.store.webhooks import Ignored, Ping

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
NESTED = b"[" * 100_000
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
        ({}, "webhook_id=²".encode(), False),
        ({}, b"webhook_id=%C2%B2", False),
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
    "body",
    [
        b"",
        b"[]",
        b"7",
        b"{",
        b"{}",
        b"null",
        b'""',
        b'{"id":0}',
        b'{"id":true}',
        b'{"id":"x"}',
        b"\xff\xfe",
        b"[" * 10**5,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_has_no_record_in_it_is_ignored_with_its_reason(body: bytes) -> None:
    for topic in ("order.updated", "order.deleted", "customer.created"):
        found = webhooks.read_delivery(headers(topic), body, NOW)
        assert found == Ignored("Its body has no record with an id.")


@pytest.mark.parametrize(
    "body", [b'{"id":"11"}', b'{"id":11.0}', b'{"id":11}', b'[{"id":11}]', b'{"id":11,"status":false}']
)
@pytest.mark.parametrize("topic", ["order.updated", "order.restored", "customer.created"])
def test_an_id_alone_is_a_hint_to_ask_the_store(body: bytes, topic: str) -> None:
    change = webhooks.read_delivery(headers(topic), body, NOW)
    assert isinstance(change, Change)
    assert (change.source_id, change.event, change.payload) == ("11", "updated", {"id": 11})


@pytest.mark.parametrize("topic", ["order.deleted", "customer.deleted"])
def test_of_a_deletion_only_the_id_is_taken_whatever_the_body_has(topic: str) -> None:
    for body in (b'{"id":"7"}', b'{"id":7,"status":"completed","billing":{"email":"ada@example.com"}}'):
        change = webhooks.read_delivery(headers(topic), body, NOW)
        assert isinstance(change, Change)
        assert (change.event, change.person_key, change.payload) == ("deleted", "", {"id": 7})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "status", "billing", "email"]), inner)
    ),
    max_leaves=8,
)


@given(_JSON, st.sampled_from(webhooks.TOPICS))
def test_no_signed_body_is_refused(value: object, topic: str) -> None:
    found = webhooks.read_delivery(headers(topic), json.dumps(value).encode(), NOW)
    assert isinstance(found, Change | Ignored)
