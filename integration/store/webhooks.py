"""The store's webhooks: registered, looked at, verified, read."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

from integration import json_text
from integration.events import Change, Kind, Origin
from integration.store import parse
from integration.store.asked import NOTHING, Asked
from integration.store.client import StoreClient
from integration.store.php_values import is_nothing, map_of, shown, whole
from integration.store.rows import row_id, rows_of, sifted
from integration.store.sanitizing import text_of

TOPICS = (
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "order.created",
    "order.updated",
    "order.deleted",
    "order.restored",
)
#: Topics of WooCommerce Subscriptions, by its public source (class WCS_Webhooks); without it they are refused.
SUBSCRIPTION_TOPICS = ("subscription.created", "subscription.updated", "subscription.deleted")
MISSING = "missing"
_KINDS = {"customer": Kind.CONTACT, "order": Kind.ORDER, "subscription": Kind.RECURRING}


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
        ids[topic] = row_id(value)
        for row in there[1:]:
            client.delete(f"webhooks/{row['id']}", {"force": True})
    return ids


def status(client: StoreClient, delivery_url: str, topics: Sequence[str] = TOPICS) -> list[WebhookHealth]:
    """Return how our webhooks are; the store disables one silently after failures (woo:364 to woo:367)."""
    ours = {text_of(row.get("topic")): row for row in _ours(client, delivery_url)}
    return [_health(topic, ours.get(topic)) for topic in topics]


def remove(client: StoreClient, delivery_url: str) -> int:
    """Remove all webhooks that deliver to our address and return how many; only force works (woo:371)."""
    ours = _ours(client, delivery_url)
    for row in ours:
        client.delete(f"webhooks/{row['id']}", {"force": True})
    return len(ours)


def _health(topic: str, row: Mapping[str, Any] | None) -> WebhookHealth:
    return WebhookHealth(topic, row["id"], text_of(row.get("status"))) if row else WebhookHealth(topic, 0, MISSING)


def _ours(client: StoreClient, delivery_url: str) -> list[dict[str, Any]]:
    return [row for row in every(client) if text_of(row.get("delivery_url")).rstrip("/") == delivery_url.rstrip("/")]


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
    number = whole(form.get("webhook_id", [""])[0])
    return Ping(number) if len(form) == 1 and number else None


def read_delivery(
    headers: Mapping[str, str],
    body: bytes,
    seen_at: datetime,
    asked: Mapping[Kind, Asked] = MappingProxyType({}),
) -> Ping | Change | Ignored:
    """Return what a signed delivery says; headers may have any case. `asked` is what the settings look at.

    One whose body is no record is ignored with the reason: the store disables a webhook that is refused five times.
    """
    ping = _ping(headers, body)
    if ping is not None:
        return ping
    lower = {name.lower(): value for name, value in headers.items()}
    topic = lower.get("x-wc-webhook-topic", "")
    resource, _, event = topic.partition(".")
    if resource not in _KINDS:
        return Ignored(f"The topic {topic[:40] or 'without a name'} is not one of ours.")
    value = _value(body)
    if resource == "subscription":
        # Older versions wrap the record and write it as the API before wc/v1 did: only its id is taken.
        value = {"id": row_id(value) or row_id(map_of(value.get("subscription")) or {})}
    if not row_id(value):
        return Ignored(_why_not(value, body))
    return _change(resource, event, asked.get(_KINDS[resource], NOTHING).kept(value), seen_at)


def whole_order(headers: Mapping[str, str], body: bytes) -> Mapping[str, Any] | None:
    """Return the order of a signed delivery as the store wrote it, None where it has no whole order."""
    resource, _, event = headers.get("x-wc-webhook-topic", "").partition(".")
    value = _value(body) if resource == "order" and event != "deleted" else {}
    return value if row_id(value) and _is_whole(resource, value) else None


def _why_not(value: Mapping[str, Any], body: bytes) -> str:
    """Return what a body without an id is; an error is signed all the same (woo:476, woo:479 to woo:481)."""
    if _is_too_dense(body):
        return "Its body has more values than any record, so it was not read."
    if not is_nothing(value.get("code")):
        return f"The store sent an error instead of the record: {shown(value.get('message') or value['code'])}"
    return "Its body has no record with an id."


def _change(resource: str, event: str, value: Mapping[str, Any], seen_at: datetime) -> Change:
    """Return the change of a body: of one that is not a whole record, and of a deletion, only its id.

    What is true of it is asked of the store (woo:338 is the body of a deletion; the topic is not signed).
    """
    if event == "deleted" or not _is_whole(resource, value):
        number = row_id(value)
        what = "deleted" if event == "deleted" else "updated"
        return Change(
            _KINDS[resource], str(number), what, "", {"id": number}, seen_at, Origin.WEBHOOK, None, str(number)
        )
    if resource == "order":
        return replace(parse.order_change(value, Origin.WEBHOOK, seen_at), restored=event == "restored")
    return parse.customer_change(value, Origin.WEBHOOK, seen_at, created=event == "created")


def _is_whole(resource: str, value: Mapping[str, Any]) -> bool:
    """Tell whether a body has what no record lacks: an order its status, a customer an e-mail or a billing part."""
    if resource == "subscription":
        return False
    names = ("status",) if resource == "order" else ("email", "billing")
    return any(not is_nothing(value.get(name)) for name in names)


def _value(body: bytes) -> Mapping[str, Any]:
    """Return the map in a body, an empty one where there is none."""
    try:
        return {} if _is_too_dense(body) else map_of(json_text.loads(body.decode("utf-8-sig"))) or {}
    except ValueError:
        return {}


def _is_too_dense(body: bytes) -> bool:
    return json_text.has_more_values(body, json_text.BODY_VALUES_MAX)


def admin_order_url(home: str, order_id: int | str) -> str:
    """Return the address of an order in the store's administration (HPOS form)."""
    return f"{home.rstrip('/')}/wp-admin/admin.php?page=wc-orders&action=edit&id={order_id}"


def admin_user_url(home: str, customer_id: int | str) -> str:
    """Return the address of a customer in the store's administration."""
    return f"{home.rstrip('/')}/wp-admin/user-edit.php?user_id={customer_id}"
