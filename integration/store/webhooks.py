"""The store's webhooks: registered, looked at, verified, read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from integration.errors import MappingError, Rejected
from integration.events import Change, Kind, Origin
from integration.store import parse
from integration.store.access import SERVICE
from integration.store.client import StoreClient
from integration.store.rows import rows_of, sifted

TOPICS = (
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "order.created",
    "order.updated",
    "order.deleted",
    "order.restored",
)
MISSING = "missing"
_KINDS = {"customer": Kind.CONTACT, "order": Kind.ORDER}


@dataclass(frozen=True, slots=True)
class WebhookHealth:
    """How one of our webhooks is in the store: active, paused, disabled, or missing (id 0)."""

    topic: str
    id: int
    state: str


@dataclass(frozen=True, slots=True)
class Ping:
    """The store says hello to a new webhook (woo:310)."""

    webhook_id: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """A delivery that changes nothing, and why."""

    reason: str


def new_secret() -> str:
    """Return a secret of hex digits only: WooCommerce decodes special characters in it (dossier 11.3)."""
    return secrets.token_hex(32)


def register(client: StoreClient, delivery_url: str, secret: str, topics: Sequence[str] = TOPICS) -> dict[str, int]:
    """Make each topic active at our address with this secret and return topic -> id.

    One that is there is used again, surplus ones with the same topic and address are removed: the store makes a second
    webhook without a word (woo:412).
    """
    ours = _ours(client, delivery_url)
    ids: dict[str, int] = {}
    for topic in topics:
        there = [row for row in ours if row.get("topic") == topic]
        body = {
            "name": f"woo-mautic {topic}",
            "topic": topic,
            "delivery_url": delivery_url,
            "secret": secret,
            "status": "active",
        }
        value, _ = client.put(f"webhooks/{there[0]['id']}", body) if there else client.post("webhooks", body)
        ids[topic] = int(value["id"])
        for row in there[1:]:
            client.delete(f"webhooks/{row['id']}", {"force": True})
    return ids


def status(client: StoreClient, delivery_url: str, topics: Sequence[str] = TOPICS) -> list[WebhookHealth]:
    """Return how our webhooks are; the store disables one silently after failures (woo:364 to woo:367)."""
    ours = {str(row.get("topic")): row for row in _ours(client, delivery_url)}
    return [_health(topic, ours.get(topic)) for topic in topics]


def remove(client: StoreClient, delivery_url: str) -> int:
    """Remove all webhooks that deliver to our address and return how many; only force works (woo:371)."""
    ours = _ours(client, delivery_url)
    for row in ours:
        client.delete(f"webhooks/{row['id']}", {"force": True})
    return len(ours)


def _health(topic: str, row: Mapping[str, Any] | None) -> WebhookHealth:
    return WebhookHealth(topic, int(row["id"]), str(row.get("status"))) if row else WebhookHealth(topic, 0, MISSING)


def _ours(client: StoreClient, delivery_url: str) -> list[dict[str, Any]]:
    return [row for row in every(client) if str(row.get("delivery_url", "")).rstrip("/") == delivery_url.rstrip("/")]


def every(client: StoreClient) -> list[dict[str, Any]]:
    """Return all webhooks of the store, each once; a store that gives the same page again has no more."""
    found: dict[int, dict[str, Any]] = {}
    for page in range(1, 51):
        value, answer = client.get("webhooks", {"per_page": 100, "page": page})
        rows = {row["id"]: row for row in sifted(rows_of(value, answer))[0]}
        fresh = rows.keys() - found.keys()
        found |= rows
        if len(rows) < 100 or not fresh:
            break
    return list(found.values())


def verify(body: bytes, signature: str, secret: str) -> bool:
    """Tell whether the signature fits the raw bytes: base64 of HMAC-SHA256, compared in constant time."""
    wanted = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    return hmac.compare_digest(wanted, signature.encode("utf-8", "replace").strip())


def is_ping(headers: Mapping[str, str], body: bytes) -> bool:
    """Tell whether this is the unsigned form body `webhook_id=N` that a new webhook sends (woo:310)."""
    return _ping(headers, body) is not None


def _ping(headers: Mapping[str, str], body: bytes) -> Ping | None:
    if len(body) > 64 or any(name.lower().startswith("x-wc-webhook") for name in headers):
        return None
    form = parse_qs(body.decode("ascii", "replace"))
    numbers = form.get("webhook_id", [])
    return Ping(int(numbers[0])) if len(form) == 1 and numbers and numbers[0].isdigit() else None


def read_delivery(headers: Mapping[str, str], body: bytes, seen_at: datetime) -> Ping | Change | Ignored:
    """Return what a delivery says; headers may have any case.

    Raises Rejected (bad_payload) for a body that no store sends.
    """
    ping = _ping(headers, body)
    if ping is not None:
        return ping
    lower = {name.lower(): value for name, value in headers.items()}
    topic = lower.get("x-wc-webhook-topic", "")
    value = _value(body)
    resource, _, event = topic.partition(".")
    if resource not in _KINDS:
        return Ignored(f"The topic {topic or 'without a name'} is not one of ours.")
    if "code" in value and "id" not in value:
        # Signed all the same: the record was deleted before the store built the body (woo:476, woo:479 to woo:481).
        return Ignored(f"The store sent an error instead of the record: {value.get('message') or value['code']}")
    try:
        return _change(resource, event, value, seen_at)
    except MappingError as error:
        raise _bad(error.sentence) from error


def _change(resource: str, event: str, value: Mapping[str, Any], seen_at: datetime) -> Change:
    if event == "deleted":
        return _deleted(_KINDS[resource], value, seen_at)
    if resource == "order":
        change = parse.order_change(value, Origin.WEBHOOK, seen_at)
        return replace(change, restored=event == "restored")
    return parse.customer_change(value, Origin.WEBHOOK, seen_at, created=event == "created")


def _deleted(kind: Kind, value: Mapping[str, Any], seen_at: datetime) -> Change:
    """Return the change of a body that is only {"id": N} (woo:338)."""
    number = value.get("id")
    if not isinstance(number, int) or isinstance(number, bool) or number <= 0:
        raise _bad("The record has no id.")
    return Change(kind, str(number), "deleted", "", {"id": number}, seen_at, Origin.WEBHOOK, None, str(number))


def _value(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body.decode("utf-8-sig"))
    except ValueError:
        raise _bad("It is no JSON.") from None
    if not isinstance(value, dict):
        raise _bad("It is no record.")
    return value


def _bad(why: str) -> Rejected:
    return Rejected(SERVICE, "bad_payload", f"The webhook's body cannot be read. {why}", "Look at the store's log.")


def admin_order_url(home: str, order_id: int | str) -> str:
    """Return the address of an order in the store's administration (HPOS form)."""
    return f"{home.rstrip('/')}/wp-admin/admin.php?page=wc-orders&action=edit&id={order_id}"


def admin_user_url(home: str, customer_id: int | str) -> str:
    """Return the address of a customer in the store's administration."""
    return f"{home.rstrip('/')}/wp-admin/user-edit.php?user_id={customer_id}"
