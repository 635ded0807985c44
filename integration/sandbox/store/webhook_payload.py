"""What a webhook delivers: the item as it stands at that moment, signed, under the recorded headers."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

from integration.sandbox.store import customer_json, order_json, product_json, recurring, rest_format
from integration.sandbox.store.problems import Refused
from integration.sandbox.store.state import State
from integration.sandbox.store.webhook_delivery import Message


def message(state: State, hook: dict[str, Any], number: int) -> Message:
    """Build a signed delivery; an item that is gone gives an error body, signed all the same (woo:476 and woo:479 to
    woo:481).
    """
    resource, event = split(hook["topic"])
    if event == "deleted":
        body = rest_format.encode({"id": number})
    else:
        try:
            body = rest_format.encode(_item(state, resource, number))
        except Refused as refused:
            body = rest_format.encode(refused.body())
    return Message(body, _headers(state, hook, body), state.version)


def split(topic: str) -> tuple[str, str]:
    """Return resource and event of a topic."""
    resource, _, event = topic.partition(".")
    return resource, event


def _item(state: State, resource: str, number: int) -> Any:
    if resource == "order":
        return order_json.show(state, state.order(number), state.root)
    if resource == "subscription":
        return recurring.show(state, recurring.find(state, number), state.root)
    if resource == "customer":
        return customer_json.show(state, state.person(number), state.root)
    if resource == "coupon":
        return product_json.show_coupon(state, product_json.coupon(state, number), state.root)
    return product_json.show_product(state, product_json.product(state, number), state.root)


def _headers(state: State, hook: dict[str, Any], body: bytes) -> dict[str, str]:
    resource, event = split(hook["topic"])
    return {
        "Content-Type": "application/json",
        "X-WC-Webhook-Source": f"{state.home}/",
        "X-WC-Webhook-Topic": hook["topic"],
        "X-WC-Webhook-Resource": resource,
        "X-WC-Webhook-Event": event,
        "X-WC-Webhook-Signature": sign(body, hook["secret"]),
        "X-WC-Webhook-ID": str(hook["id"]),
        "X-WC-Webhook-Delivery-ID": delivery_id(hook["id"], state.now()),
    }


def sign(body: bytes, secret: str) -> str:
    """Return base64(HMAC-SHA256(raw body, secret))."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode("ascii")


def delivery_id(webhook_id: int, second: int) -> str:
    """Return the hash of webhook and second: several orders in one second share it (woo:348 to woo:352)."""
    return hmac.new(b"sandbox", f"{webhook_id}{second}".encode(), hashlib.md5).hexdigest()
