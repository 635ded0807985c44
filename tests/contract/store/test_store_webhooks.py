"""Webhooks are managed, rung and delivered as they were recorded."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from store_client import Client
from store_receiver import Delivered
from store_receiver import Receiver
from store_recordings import recording
from store_recordings import shape
from store_recordings import without

from integration.sandbox.store import loading

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
CREATED = tuple(range(301, 310))
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
    assert client.server.state.bells.settle()


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


@pytest.mark.parametrize("number", CREATED)
def test_making_a_webhook_pings_its_receiver(number: int, hooked: Client, receiver: Receiver) -> None:
    recorded, ping = recording(number), recording(number + 9)
    fields = recorded.request_json | {"secret": SECRET}
    fields["delivery_url"] = fields["delivery_url"].replace("http://recorder.test", receiver.url)

    reply = hooked.ask("POST", "/webhooks", fields)

    assert reply.status == recorded.status
    varying = ("id", "delivery_url", "_links", "date_created", "date_created_gmt")
    assert without(reply.json, varying) == without(recorded.body, varying)
    assert list(reply.json) == list(recorded.body)
    assert reply.headers["Location"].endswith(f"/webhooks/{reply.json['id']}")
    (got,) = receiver.delivered
    assert got.path == ping.path
    assert got.body == f"webhook_id={reply.json['id']}".encode()
    assert got.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert not [name for name in got.headers if name.startswith("X-WC")]


def test_webhooks_are_listed_without_their_secrets(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)

    reply = hooked.ask("GET", "/webhooks")

    assert reply.headers["X-WP-Total"] == recording(319).header("X-WP-Total")
    assert shape(reply.json) == shape(recording(319).body)
    assert "secret" not in reply.json[0]


@pytest.mark.parametrize("number", [320, 321, 322, 323, 324, 325])
def test_webhooks_that_cannot_be_are_refused(number: int, hooked: Client) -> None:
    reply = hooked.ask("POST", "/webhooks", recording(number).request_json)

    assert (reply.status, reply.json) == (recording(number).status, recording(number).body)


@pytest.mark.parametrize("number", [401, 405, 412])
def test_a_receiver_that_fails_the_ping_changes_nothing(number: int, hooked: Client, receiver: Receiver) -> None:
    receiver.status = 404
    url = "http://127.0.0.1:1/x" if number == 405 else f"{receiver.url}/x"
    fields = recording(number).request_json | {"delivery_url": url}

    reply = hooked.ask("POST", "/webhooks", fields)
    read = hooked.ask("GET", f"/webhooks/{reply.json['id']}")

    assert (reply.status, reply.json["status"]) == (201, "active")
    assert shape(reply.json) == shape(recording(number).body)
    if number < 412:
        assert shape(read.json) == shape(recording(number + 1).body)


def test_a_webhook_without_a_name_is_named_by_its_second(hooked: Client, receiver: Receiver) -> None:
    hooked.server.state.clock.advance(minutes=13)  # type: ignore[attr-defined]  # the tests' shops have a movable clock
    fields = recording(411).request_json | {"delivery_url": receiver.url}

    assert hooked.ask("POST", "/webhooks", fields).json["name"] == recording(411).body["name"]


def test_webhooks_are_changed_and_deleted(hooked: Client, receiver: Receiver) -> None:
    number = hook(hooked, receiver, "product.updated")
    path = f"/webhooks/{number}"

    paused = hooked.ask("PUT", path, recording(370).request_json)
    unforced = hooked.ask("DELETE", path)
    unknown = hooked.ask("GET", "/webhooks/9999")
    deleted = hooked.ask("DELETE", f"{path}?force=true")

    assert paused.json["status"] == recording(370).body["status"]
    assert shape(paused.json) == shape(recording(370).body)
    assert (unforced.status, unforced.json) == (501, recording(371).body)
    assert (unknown.status, unknown.json) == (404, recording(372).body)
    assert (deleted.status, hooked.ask("GET", path).status) == (200, 404)


def test_another_address_is_pinged_anew(hooked: Client, receiver: Receiver) -> None:
    number = hook(hooked, receiver, "order.updated")
    receiver.delivered.clear()

    hooked.ask("PUT", f"/webhooks/{number}", {"delivery_url": f"{receiver.url}/hook/order.updated?again"})

    (got,) = receiver.delivered
    assert got.body == f"webhook_id={number}".encode()
    assert got.headers["Content-Type"] == dict(map(tuple, recording(373).request["headers"]))["Content-Type"]


def test_what_happens_to_customers_rings(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    person = hooked.ask("POST", "/customers", {"email": "Web.Hook+1@Example.com", "first_name": "Wébhook"}).json
    settled(hooked)
    path = f"/customers/{person['id']}"
    assert [got.topic for got in receiver.delivered] == ["customer.created", "customer.updated"]
    check_delivery(326, receiver.delivered[0])
    check_delivery(327, receiver.delivered[1])
    for number, fields in ((328, {"first_name": "Cambiato"}), (329, {"first_name": "Cambiato"})):
        receiver.delivered.clear()
        hooked.ask("PUT", path, fields)
        settled(hooked)
        (got,) = receiver.delivered
        check_delivery(number, got)
    receiver.delivered.clear()
    hooked.ask("DELETE", f"{path}?force=true")
    settled(hooked)
    (got,) = receiver.delivered
    check_delivery(360, got)


def test_what_happens_to_orders_rings(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    state = hooked.server.state
    buyer = state.register_customer(email="web.hook+1@example.com")["id"]
    settled(hooked)

    def rung(act: Any) -> list[Delivered]:
        receiver.delivered.clear()
        act()
        settled(hooked)
        return list(receiver.delivered)

    lines = [{"product_id": 12, "quantity": 2}]
    fields = {"status": "processing", "customer_id": buyer, "line_items": lines}
    made = rung(lambda: hooked.ask("POST", "/orders", fields))
    number = json.loads(made[0].body)["id"]
    path = f"/orders/{number}"
    assert [got.topic for got in made] == ["order.created", "order.updated", "product.updated"]
    for expected, got in zip((330, 331, 332), made, strict=True):
        check_delivery(expected, got)
    completed = rung(lambda: hooked.ask("PUT", path, {"status": "completed"}))
    assert [got.topic for got in completed] == ["order.updated", "customer.updated"]
    check_delivery(333, completed[0], (*VARYING, "date_completed", "date_completed_gmt"))
    check_delivery(334, completed[1])
    for expected, body in ((335, {"meta_data": [{"key": "x", "value": "y"}]}), (336, {})):
        (got,) = rung(lambda body=body: hooked.ask("PUT", path, body))
        check_delivery(expected, got)
    (refunded,) = rung(lambda: hooked.ask("POST", f"{path}/refunds", {"amount": "1.00"}))
    check_delivery(337, refunded)
    assert json.loads(refunded.body)["refunds"][0]["total"] == "-1.00"
    (trashed,) = rung(lambda: hooked.ask("DELETE", path))
    check_delivery(338, trashed)
    (restored,) = rung(lambda: state.restore(number))
    check_delivery(339, restored)
    assert json.loads(restored.body)["status"] == "completed"
    (deleted,) = rung(lambda: hooked.ask("DELETE", f"{path}?force=true"))
    check_delivery(340, deleted)
    assert rung(lambda: hooked.ask("POST", "/orders/94/notes", {"note": "quiet"})) == []


def test_guests_coupons_and_products_ring_too(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    guest = recording(341).request_json["billing"]
    hooked.ask("POST", "/orders", {"billing": guest, "line_items": [{"product_id": 12}]})
    settled(hooked)
    for number, got in zip((341, 342), receiver.delivered, strict=True):
        check_delivery(number, got)
        assert json.loads(got.body)["billing"] == guest
    receiver.delivered.clear()
    coupon = {"code": "HOOK-1", "discount_type": "percent", "amount": "10", "email_restrictions": ["a@example.com"]}
    hooked.ask("POST", "/coupons", coupon)
    hooked.ask("PUT", "/products/12", {"regular_price": "5.00"})
    settled(hooked)
    for number, got in zip((353, 354), receiver.delivered, strict=True):
        check_delivery(number, got, (*VARYING, "stock_quantity", "low_stock_amount"))


def test_two_changes_while_one_waits_are_one_delivery_of_the_last_state(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    loading.order(hooked.server.state, recording(341).request_json)
    hooked.server.state.bells.hold()
    for note in ("first", "second"):
        hooked.ask("PUT", "/orders/2249", {"customer_note": note})
    assert hooked.server.state.bells.waiting == 1
    hooked.server.state.bells.release()
    settled(hooked)

    (got,) = receiver.delivered
    check_delivery(343, got)
    assert json.loads(got.body)["customer_note"] == "second"


def test_deliveries_of_one_second_share_their_number(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    numbers = [94, 95, 96, 100, 101]
    for each in numbers[:4]:
        hooked.ask("PUT", f"/orders/{each}", {"customer_note": "four"})
    settled(hooked)
    for recorded, got in zip((344, 345, 346, 347), receiver.of("order.updated"), strict=True):
        check_delivery(
            recorded,
            got,
            (
                *VARYING,
                "_links",
                "shipping_lines",
                "tax_lines",
                "date_completed",
                "date_completed_gmt",
                "coupon_lines",
                "fee_lines",
            ),
        )
    receiver.delivered.clear()
    hooked.ask("POST", "/orders/batch", {"update": [{"id": each, "customer_note": "five"} for each in numbers]})
    settled(hooked)
    got_all = receiver.of("order.updated")
    recorded_ids = {
        dict(map(tuple, recording(each).request["headers"]))["X-WC-Webhook-Delivery-ID"] for each in range(348, 353)
    }
    assert len({got.headers["X-WC-Webhook-Delivery-ID"] for got in got_all}) == len(recorded_ids) == 1
    assert [json.loads(got.body)["id"] for got in got_all] == numbers


def test_a_bulk_edit_takes_stock(hooked: Client, receiver: Receiver) -> None:
    state = hooked.server.state
    orders = [state.place_order(line_items=[{"product_id": 12}])["id"] for _ in range(3)]
    hook_all(hooked, receiver)
    for each in orders:
        state.change_status(each, "on-hold")
    settled(hooked)

    for number, got in zip((355, 356, 357), receiver.of("order.updated"), strict=True):
        assert json.loads(got.body)["status"] == recording(number).request_json["status"] == "on-hold"
    stock = [json.loads(got.body)["stock_quantity"] for got in receiver.of("product.updated")]
    for number in (358, 359):
        check_delivery(number, receiver.of("product.updated")[-1])
    assert stock == sorted(stock, reverse=True)


def test_what_is_gone_when_it_is_delivered_is_an_error_body_signed_all_the_same(
    hooked: Client, receiver: Receiver
) -> None:
    hook_all(hooked, receiver)
    state = hooked.server.state
    state.bells.hold()
    hooked.ask("PUT", "/orders/94", {})
    state.delete_force(94)
    hooked.ask("PUT", "/orders/95", {})
    state.trash(95)
    made = hooked.ask("POST", "/orders", {}).json["id"]
    state.delete_force(made)
    hooked.ask("PUT", "/customers/4", {"first_name": "Gone"})
    hooked.ask("DELETE", "/customers/4?force=true")
    state.bells.release()
    settled(hooked)

    updated = receiver.of("order.updated")
    for number, got in ((476, updated[0]), (479, receiver.of("order.created")[0]), (480, updated[2])):
        check_delivery(number, got)
        assert got.body == recording(number).request["body"].encode()
    assert json.loads(updated[1].body)["status"] == recording(477).request_json["status"] == "trash"
    assert receiver.of("order.deleted")[0].body == b'{"id":95}'
    check_delivery(478, receiver.of("order.deleted")[0])
    gone = next(got for got in receiver.of("customer.updated") if b"wc_user_invalid_id" in got.body)
    assert gone.body == recording(481).request["body"].encode()


def test_bodies_are_escaped_as_php_does(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    loading.order(hooked.server.state, recording(341).request_json)
    hooked.server.state.edit_order(2249)
    settled(hooked)

    body = receiver.of("order.updated")[0].body
    assert body.isascii()
    assert b"http:\\/\\/" in body and b'"\\u0645\\u062d\\u0645\\u062f"' in body
    assert b"\\u0645\\u062d\\u0645\\u062f" in recording(341).request["body"].encode()


@pytest.mark.parametrize(("number", "status"), [(364, 500), (365, 301), (366, 410), (367, 0)])
def test_seven_failures_disable_a_webhook_and_a_redirect_is_none(
    number: int, status: int, hooked: Client, receiver: Receiver
) -> None:
    made = hook(hooked, receiver, "order.updated")
    state = hooked.server.state
    receiver.status = status or 200
    if not status:
        state.webhooks[made]["delivery_url"] = "http://127.0.0.1:1/dead"
    seen = []
    for _ in range(8):
        state.edit_order(94)
        settled(hooked)
        seen.append((state.webhooks[made]["status"], state.webhooks[made]["failures"]))

    assert hooked.ask("GET", f"/webhooks/{made}").json["status"] == recording(number).body["status"]
    if status == 301:
        assert set(seen) == {("active", 0)}
    else:
        assert seen == [("active", count) for count in range(1, 7)] + [("disabled", 6)] * 2


def test_a_failed_delivery_never_comes_again(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    receiver.status = recording(369).status
    hooked.server.state.edit_order(94)
    settled(hooked)
    receiver.status = 200
    failed = len(receiver.delivered)
    hooked.server.state.edit_order(95)
    settled(hooked)

    assert (failed, len(receiver.delivered)) == (1, 2)
    check_delivery(
        369,
        receiver.delivered[0],
        (
            *VARYING,
            "_links",
            "date_completed",
            "date_completed_gmt",
            "shipping_lines",
            "tax_lines",
            "coupon_lines",
            "fee_lines",
        ),
    )
    assert json.loads(receiver.delivered[1].body)["id"] == 95


def test_deliveries_are_dropped_repeated_or_not_rung_on_command(hooked: Client, receiver: Receiver) -> None:
    hook_all(hooked, receiver)
    bells = hooked.server.state.bells

    def delivered() -> int:
        receiver.delivered.clear()
        hooked.server.state.edit_order(94)
        settled(hooked)
        return len(receiver.delivered)

    bells.drop = 1
    assert (delivered(), delivered()) == (0, 1)
    bells.repeat = 2
    assert delivered() == 3
    bells.repeat, bells.deaf = 0, True
    assert delivered() == 0
