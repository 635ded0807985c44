"""Making webhooks, waiting for what they deliver, and comparing it with what was recorded."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from store_client import Client
from store_receiver import Delivered, Receiver
from store_recordings import recording, shape, without

SECRET = "s3cret"
HEADERS = (
    "User-Agent",
    "Accept",
    "Accept-Encoding",
    "Content-Type",
    "X-WC-Webhook-Topic",
    "X-WC-Webhook-Resource",
    "X-WC-Webhook-Event",
)
TOPICS = (
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "order.created",
    "order.updated",
    "order.deleted",
    "order.restored",
    "coupon.created",
    "product.updated",
)
# Lines of a recorded order depend on what was bought, and a number that comes out whole is written without a point.
VARYING = ("meta_data", "line_items", "customer", "image", "date_paid", "date_paid_gmt", "refunds", "categories")


def hook(client: Client, receiver: Receiver, topic: str) -> int:
    fields = {"name": topic, "topic": topic, "delivery_url": f"{receiver.url}/hook/{topic}", "secret": SECRET}
    return int(client.ask("POST", "/webhooks", fields).json["id"])


def hook_all(client: Client, receiver: Receiver) -> None:
    for topic in TOPICS:
        hook(client, receiver, topic)
    receiver.delivered.clear()


def settled(client: Client) -> None:
    assert client.server.webhook_queue.settle()


def check_delivery(number: int, got: Delivered, varying: tuple[str, ...] = VARYING) -> None:
    """Compare headers, the form of the signature and the shape of the body with a recorded delivery."""
    recorded = recording(number)
    wanted = dict(map(tuple, recorded.request["headers"]))
    for name in HEADERS:
        assert got.headers[name] == wanted[name], name
    assert {name for name in wanted if name.startswith("X-WC")} == {name for name in got.headers if name[:4] == "X-WC"}
    assert len(got.headers["X-WC-Webhook-Delivery-ID"]) == len(wanted["X-WC-Webhook-Delivery-ID"]) == 32
    check_signature(got)
    assert len(wanted["X-WC-Webhook-Signature"]) == len(got.headers["X-WC-Webhook-Signature"])
    assert shape(without(json.loads(got.body), varying)) == shape(without(recorded.request_json, varying))


def check_signature(got: Delivered) -> None:
    made = base64.b64encode(hmac.new(SECRET.encode(), got.body, hashlib.sha256).digest()).decode()
    assert got.headers["X-WC-Webhook-Signature"] == made
